// recorder.h, and what twins with TLS need besides.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "chapters/14_tls_socket/tls_socket.h"
#include "chapters/15_tls_server/tls_server.h"
#include "common/testing/certificates/credentials.h"
#include "tests/oracle/recorder.h"

namespace oracle {

using TlsSocketPtr = std::shared_ptr<tls::TlsSocket>;
using TlsServerPtr = std::shared_ptr<tls::Server>;

inline std::string pem(const std::string& name) {
  return graded::credential(name);
}
inline std::string ca() {
  return pem("ca-cert.pem");
}

// With the certificate and the key of `name`.
tls::ServerOptions server_options(const std::string& name = "server");
TlsServerPtr create_tls_server(
    tls::ServerOptions options,
    std::function<void(TlsSocketPtr)> secure_connection = {});
// To the server, trusting ca().
tls::ConnectOptions to_port(int port);
tls::ConnectOptions to(const ServerPtr& server);
TlsSocketPtr connect(tls::ConnectOptions options,
                     std::function<void()> secure = {});
TlsSocketPtr watch_tls(const std::string& actor, TlsSocketPtr socket,
                       Watched what = {});
TlsServerPtr watch_tls_server(const std::string& actor, TlsServerPtr server);
void ignore_tls_errors(const TlsServerPtr& server);

// What is false in Node when it is not there.
Json or_false(const std::string& text);

}  // namespace oracle
