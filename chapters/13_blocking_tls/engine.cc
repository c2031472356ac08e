#include "chapters/13_blocking_tls/engine.h"

#include <openssl/err.h>

#include "chapters/13_blocking_tls/identity.h"
#include "chapters/13_blocking_tls/tls_error.h"
#include "common/todo.h"

namespace tls {
namespace {

Engine new_engine(const Context& context) {
  ERR_clear_error();
  Engine engine(SSL_new(context.get()));
  if (!engine) throw take_error("SSL_new");
  return engine;
}

void set_verification(SSL* ssl, const EngineOptions& options) {
  (void)ssl;
  (void)options;
  TODO("13.5", "SSL_set_verify(): who breaks off, and who looks later");
}

}  // namespace

Engine new_client(const Context& context, const EngineOptions& options) {
  (void)set_verification;
  (void)new_engine;
  (void)context;
  (void)options;
  TODO("13.5", "a client that knows whom it wants, and tells the server");
}

Engine new_server(const Context& context, const EngineOptions& options) {
  (void)context;
  (void)options;
  TODO("13.5", "a server; with request_cert it asks for a certificate");
}

std::optional<net::Error> authorization_error(SSL* ssl,
                                              const std::string& host) {
  (void)ssl;
  (void)host;
  TODO("13.5", "no certificate, a bad chain, another's name, or nothing");
}

}  // namespace tls
