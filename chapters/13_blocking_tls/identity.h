// Whether a certificate is for the host that you meant.
//
//   X509* certificate = SSL_get0_peer_certificate(ssl);
//   if (auto error = tls::check_server_identity("example.org", certificate))
//     throw *error;  // a certificate, and a good one: of somebody else
#pragma once

#include <openssl/x509.h>

#include <optional>
#include <string>

#include "common/error.h"

namespace tls {

// Nothing, if `certificate` is for `host`: a name, compared with the DNS
// entries of its subjectAltName, in which "*" stands for exactly one label
// (NAME-1, NAME-2); or an IP address, compared with the IP entries alone
// (NAME-3). The CN counts only where there is no DNS entry (NAME-1). Otherwise
// ERR_TLS_CERT_ALTNAME_INVALID, with a message that has `host` in it.
std::optional<net::Error> check_server_identity(const std::string& host,
                                                X509* certificate);

// "127.0.0.1", "::1": an address, and no name.
bool is_address(const std::string& host);

}  // namespace tls
