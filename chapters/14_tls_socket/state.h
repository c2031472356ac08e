// What a TlsSocket remembers. If you would rather keep it in another way, do
// not include this file: what is tested is tls_socket.h.
#pragma once

#include <memory>
#include <string>

#include "chapters/14_tls_socket/tls_socket.h"
#include "chapters/14_tls_socket/tls_transport.h"

namespace tls {

struct TlsSocket::State {
  net::EventLoop& loop;
  std::shared_ptr<const Context> context;
  EngineOptions options;
  Role role;
  std::string session = {};  // to be resumed
  Engine engine = {};        // for the next connection

  // Of this connection, or of the last one. The Socket owns it, and drops it
  // in connect().
  TlsTransport* transport = nullptr;

  // What has come of the handshake.
  struct Verdict {
    bool agreed = false;  // it is over
    bool authorized = false;
    std::string authorization_error = {};
    std::string alpn_protocol = {};
    std::string servername = {};
  };
  Verdict verdict = {};

  static void write_keys(const SSL* ssl, const char* line);  // on_keylog
};

}  // namespace tls
