// What a server needs so that a client who comes again is known again.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <string>
#include <string_view>
#include <vector>

namespace tls {

// The keys of session tickets, as in Node: 48 bytes each, of which 16 name the
// key, 16 sign, and 16 encrypt. The first one makes tickets. The others still
// open those that they have made, and their owners get new ones: so keys can be
// changed, and no client notices.
class TicketKeys {
 public:
  TicketKeys();  // one, by chance
  // UsageError ERR_INVALID_ARG_VALUE: not 48 bytes, or a multiple; or none.
  void set(std::string_view keys);
  std::string get() const;  // secret!

  // As SSL_CTX_set_tlsext_ticket_key_evp_cb(3) wants it.
  int use(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
          EVP_MAC_CTX* mac, int encrypt) const;

 private:
  std::vector<std::string> keys_;
};

// Where a session is good: under another scope it is not resumed. It covers
// what a server does not look at again when it resumes: its certificate, and,
// if it asks for certificates, whom it trusts...
enum class Asks { kNobody, kForCertificates };
std::string context_scope(SSL_CTX* context, std::string_view id_context,
                          Asks asks);
// ... and the name by which the client has asked for it. 32 bytes.
std::string session_scope(std::string_view context_scope,
                          std::string_view name);

}  // namespace tls
