// What a certificate says, as text.
//
//   auto peer = socket->peer_certificate();
//   if (peer) std::cout << peer->subject["CN"] << " until " << peer->valid_to;
#pragma once

#include <openssl/x509.h>

#include <map>
#include <string>

namespace tls {

// As in Node (TLSCERT-1).
struct Certificate {
  using Name = std::map<std::string, std::string>;  // "CN" to "localhost"
  Name subject, issuer;
  std::string
      subjectaltname;  // "DNS:localhost, IP Address:127.0.0.1"; "": none
  std::string valid_from, valid_to;  // "Jan  1 00:00:00 2020 GMT"
  std::string serial_number;         // hexadecimal: "1001"
  std::string fingerprint256;        // of SHA-256: "AB:CD:..."
  std::string raw;                   // DER
};

Certificate describe(X509* certificate);

}  // namespace tls
