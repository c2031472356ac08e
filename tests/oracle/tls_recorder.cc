#include "tests/oracle/tls_recorder.h"

#include <utility>

#include "common/testing/openssl_names.h"

namespace oracle {

tls::ServerOptions server_options(const std::string& name) {
  tls::ServerOptions options;
  options.key = pem(name + "-key.pem");
  options.cert = pem(name + "-cert.pem");
  return options;
}

TlsServerPtr create_tls_server(
    tls::ServerOptions options,
    std::function<void(TlsSocketPtr)> secure_connection) {
  return tls::create_server(loop, std::move(options),
                            std::move(secure_connection));
}

tls::ConnectOptions to_port(int port) {
  tls::ConnectOptions options;
  options.port = port;
  options.host = LO;
  options.ca = ca();
  return options;
}

tls::ConnectOptions to(const ServerPtr& server) {
  return to_port(port_of(server));
}

TlsSocketPtr connect(tls::ConnectOptions options,
                     std::function<void()> secure) {
  return tls::connect(loop, std::move(options), std::move(secure));
}

TlsSocketPtr watch_tls(const std::string& actor, TlsSocketPtr socket,
                       Watched what) {
  socket->on_secure_connect([=] { rec(actor, "secureConnect"); });
  watch(actor, socket, what);
  return socket;
}

TlsServerPtr watch_tls_server(const std::string& actor, TlsServerPtr server) {
  server->on_secure_connection([=](auto) { rec(actor, "secureConnection"); });
  server->on_tls_client_error([=](const Error& error, auto) {
    rec(actor, "tlsClientError", graded::as_openssl_3_0(error.code));
  });
  watch_server(actor, server);
  return server;
}

void ignore_tls_errors(const TlsServerPtr& server) {
  server->on_tls_client_error([](const Error&, auto) {});
}

Json or_false(const std::string& text) {
  return text.empty() ? Json(false) : Json(text);
}

}  // namespace oracle
