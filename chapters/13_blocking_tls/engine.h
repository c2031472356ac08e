// Engine: one SSL of OpenSSL's, ready for its handshake. It has no socket yet.
//
//   tls::Engine engine = tls::new_client(context, {.servername = "a.test"});
//   SSL_set_bio(engine.get(), bio, bio);
//   if (SSL_connect(engine.get()) == 1) ...
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

#include "chapters/13_blocking_tls/alpn.h"
#include "chapters/13_blocking_tls/context.h"
#include "common/error.h"

namespace tls {

struct FreeEngine {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Engine = std::unique_ptr<SSL, FreeEngine>;

struct EngineOptions {
  // A client's: whom it wants. Told to the server (SNI), unless it is an
  // address, and looked for in its certificate.
  std::string servername = {};
  // A client's, if servername is empty: looked for, and not told.
  std::string host = {};
  // The best first. A server chooses by its own order (TLSALPN-1).
  Protocols alpn_protocols = {};
  bool request_cert = false;        // a server's: ask for the client's
  bool reject_unauthorized = true;  // false: go on, and look at the verdict
};

// UsageError ERR_MISSING_ARGS for a client that has neither servername nor host
// to check, unless it does not reject.
Engine new_client(const Context& context, const EngineOptions& options);
Engine new_server(const Context& context, const EngineOptions& options);

// The verdict about the peer, once the handshake is over. Nothing: its chain
// leads to somebody we trust, and a server's certificate is for `host`; for an
// empty one it never is. A peer without a certificate is
// UNABLE_TO_GET_ISSUER_CERT (TLSCC-3).
std::optional<net::Error> authorization_error(SSL* ssl,
                                              const std::string& host);

}  // namespace tls
