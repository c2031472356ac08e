#include "tests/oracle/tls_recorder.h"

#include <map>
#include <utility>

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
    rec(actor, "tlsClientError", as_node_says(error.code));
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

// What other versions of OpenSSL call the errors that the traces name: those
// were recorded with 3.0.
std::string as_node_says(const std::string& code) {
  static const std::map<std::string, std::string> kAliases{
      // 3.2 and later: alerts without the name of SSL 3.0.
      {"ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE",
       "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"},
      {"ERR_SSL_SSL_TLS_ALERT_HANDSHAKE_FAILURE",
       "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"},
      {"ERR_SSL_NO_SUITABLE_CERTIFICATE",
       "ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM"},
      // 3.5: the version of a record is looked at later.
      {"ERR_SSL_PACKET_LENGTH_TOO_LONG", "ERR_SSL_WRONG_VERSION_NUMBER"},
  };
  auto alias = kAliases.find(code);
  return alias == kAliases.end() ? code : alias->second;
}

}  // namespace oracle
