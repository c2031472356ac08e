// The first message of a client, while OpenSSL is looking at it.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <string_view>

namespace tls {

struct Hello {
  std::string servername;  // whom it wants; "": it does not say
  std::string session_id;  // of a session that it would like to resume
  bool has_ticket = false;
};

// To be called from a callback of SSL_CTX_set_client_hello_cb(3) only.
Hello parse_hello(SSL* ssl);

// Whether `name` is `pattern`, in which "*" stands for exactly one label. Upper
// and lower case are the same (TLSSNI-3).
bool matches_name(std::string_view pattern, std::string_view name);

}  // namespace tls
