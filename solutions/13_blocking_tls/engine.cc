#include "chapters/13_blocking_tls/engine.h"

#include <openssl/err.h>

#include "chapters/13_blocking_tls/identity.h"
#include "chapters/13_blocking_tls/tls_error.h"

namespace tls {
namespace {

Engine new_engine(const Context& context) {
  ERR_clear_error();
  Engine engine(SSL_new(context.get()));
  if (!engine) throw take_error("SSL_new");
  return engine;
}

// Says no to what is not good, but for one thing: that the issuer of the peer's
// own certificate is not known. That is not the last word about it, and the one
// that follows for sure, UNABLE_TO_VERIFY_LEAF_SIGNATURE, is Node's.
int strict(int good, X509_STORE_CTX* store) {
  return good || (X509_STORE_CTX_get_error_depth(store) == 0 &&
                  X509_STORE_CTX_get_error(store) ==
                      X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

void set_verification(SSL* ssl, const EngineOptions& options) {
  // 13.5: when the callback says no, OpenSSL breaks off by itself, and tells
  // the peer why. One that always returns 1 says yes to everybody: it is for
  // those who look at the verdict afterwards.
  if (options.reject_unauthorized)
    SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                   strict);
  else
    SSL_set_verify(ssl, SSL_VERIFY_PEER,
                   [](int, X509_STORE_CTX*) { return 1; });
}

}  // namespace

Engine new_client(const Context& context, const EngineOptions& options) {
  const std::string& name = options.servername;
  if (name.empty() && options.host.empty() && options.reject_unauthorized)
    throw net::UsageError("ERR_MISSING_ARGS",
                          "servername or host: whom do you want to reach?");
  Engine engine = new_engine(context);
  SSL_set_connect_state(engine.get());
  set_verification(engine.get(), options);
  // Names only: an address is no server name (RFC 6066, section 3).
  if (!name.empty() && !is_address(name) &&
      SSL_set_tlsext_host_name(engine.get(), name.c_str()) != 1)
    throw take_error("servername");
  offer_protocols(engine.get(), options.alpn_protocols);
  return engine;
}

Engine new_server(const Context& context, const EngineOptions& options) {
  Engine engine = new_engine(context);
  SSL_set_accept_state(engine.get());
  if (options.request_cert) set_verification(engine.get(), options);
  accept_protocols(engine.get(), options.alpn_protocols);
  return engine;
}

std::optional<net::Error> authorization_error(SSL* ssl,
                                              const std::string& host) {
  X509* peer = SSL_get0_peer_certificate(ssl);
  // For a peer that shows nothing the result is X509_V_OK: nothing was wrong
  // with what it has shown.
  if (!peer) return certificate_error(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT);
  long result = SSL_get_verify_result(ssl);
  if (result != X509_V_OK) return certificate_error(result);
  if (SSL_is_server(ssl)) return std::nullopt;
  return check_server_identity(host, peer);
}

// Also right: SSL_VERIFY_NONE for a client that does not reject. OpenSSL looks
// at the chain all the same, and stops at the first problem.

}  // namespace tls
