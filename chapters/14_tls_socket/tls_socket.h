// TlsSocket: a Socket whose bytes nobody else can read, and whose peer is who
// it says it is.
//
//   tls::ConnectOptions options;
//   options.host = options.servername = "example.org";
//   options.port = 443;
//   auto socket = tls::connect(loop, options, [] { ... });  // secure
//   socket->on_data([](std::string_view bytes) { std::cout << bytes; });
//   socket->write("GET / HTTP/1.0\r\n\r\n");  // queued until it is secure
//
// All that a Socket promises holds. `connect` means that the peer can be
// reached; who it is, on_secure_connect knows.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/08_events/event.h"
#include "chapters/10_socket/socket.h"
#include "chapters/13_blocking_tls/context.h"
#include "chapters/13_blocking_tls/engine.h"
#include "chapters/14_tls_socket/certificate.h"
#include "common/error.h"

namespace tls {

// Of both ends.
struct SecureOptions : ContextOptions {
  // In place of the ContextOptions: one that is made already.
  std::shared_ptr<const Context> secure_context = {};
  Protocols alpn_protocols = {};    // the best first; a server's order counts
  bool reject_unauthorized = true;  // false: look at authorized() yourself

  // secure_context, or else a new one: throws what it does (TLSCFG-1).
  std::shared_ptr<const Context> context() const {
    return secure_context ? secure_context : create_secure_context(*this);
  }
};

struct ConnectOptions : net::ConnectOptions, SecureOptions {
  // An open one to go on with, in place of port and timeout (TLSHS-6).
  std::shared_ptr<net::Socket> socket = {};
  // Told to the server (SNI), and looked for in its certificate. Without it,
  // nothing is told, and the certificate must be for `host`, or for localhost
  // if that is empty, too (TLSSNI-2).
  std::string servername = {};
  std::string session = {};  // from on_session: to be resumed
};

// For the server's end of a connection that is there already.
struct AcceptOptions : SecureOptions {
  bool request_cert = false;  // ask for the client's (TLSCC-1)
  bool allow_half_open = false;
};

struct Cipher {
  std::string name;           // OpenSSL's
  std::string standard_name;  // IANA's
};

class TlsSocket : public net::Socket {
 public:
  ~TlsSocket() override;

  // As a Socket's. The last connection is forgotten when it begins.
  net::Socket& connect(net::ConnectOptions options,
                       std::function<void()> connected = {}) override;
  using net::Socket::connect;

  // The handshake is done, and the peer is who it should be: after connect,
  // before any data (TLSHS-1). With reject_unauthorized off: look (TLSAUTH-3).
  net::Event<> on_secure_connect;
  // A client's: a session to be resumed with, opaque. Maybe several, or none;
  // with TLS 1.3 after on_secure_connect (TLSSESS-2).
  net::Event<std::string_view> on_session;
  // A client's: a line for the file that Wireshark reads keys from. Secret!
  net::Event<std::string_view> on_keylog;

  bool encrypted() const { return true; }  // from the start (TLSHS-5)
  // The peer's certificate has been verified. False until on_secure_connect
  // (TLSHS-4).
  bool authorized() const;
  std::string authorization_error() const;  // the code of why not; "": none
  bool is_session_reused() const;
  std::string alpn_protocol() const;  // "": none was agreed on
  std::string servername() const;     // what the client has told; "": nothing
  bool truncated() const;  // the end came without close_notify (TLSEND-3)

  // Nothing before the handshake and after destroy() (TLSCERT-3), nor from a
  // peer that showed none (TLSCERT-2).
  std::optional<Certificate> peer_certificate() const;
  std::optional<std::string> protocol() const;  // "TLSv1.3"
  std::optional<Cipher> cipher() const;
  std::optional<std::string> session() const;

 protected:
  enum class Role { kClient, kServer };
  TlsSocket(net::EventLoop& loop, net::ConnectOptions options,
            std::shared_ptr<const Context> context, EngineOptions engine,
            Role role);
  // Goes on with the connection of `raw`. Both end together.
  void take(std::shared_ptr<net::Socket> raw);
  SSL* engine() const;  // borrowed; null without a connection
  static void listen_to(SSL_CTX* context, Role role);  // its sockets' events
  net::EventLoop& loop() const;
  void later(std::function<void()> step);  // unless it is destroyed by then
  // It does not end meanwhile; hold_handshake(false) lets it go on, later.
  void hold_handshake(bool on);

  // The handshake is done, and the peer is as it should be; or it is not.
  virtual void secured();
  virtual void failed(const net::Error& error);
  // OpenSSL has made a session; called from within one of its calls.
  virtual void session_made(SSL_SESSION* session);
  static std::string as_bytes(SSL_SESSION* session);
  static void use_session(SSL* ssl, const std::string& bytes);
  void forget_listeners() override;

 private:
  friend std::shared_ptr<TlsSocket> connect(net::EventLoop&, ConnectOptions,
                                            std::function<void()>);
  friend std::shared_ptr<TlsSocket> accept(net::EventLoop&,
                                           std::shared_ptr<net::Socket>,
                                           AcceptOptions);
  std::unique_ptr<net::Transport> layer(
      std::unique_ptr<net::Transport> wire) override;
  void agreed() override;
  void disagreed(const net::Error& error) override;
  std::unique_ptr<net::Transport> secure(Connection wire);
  Engine new_engine();
  SSL* agreed_engine() const;  // null until the handshake is over, too

  struct State;  // yours to design: see state.h
  std::unique_ptr<State> state_;
};

// `secure` is a listener for one on_secure_connect (TLSHS-3). Options that
// cannot be used throw at once (TLSCFG-1).
std::shared_ptr<TlsSocket> connect(net::EventLoop& loop, ConnectOptions options,
                                   std::function<void()> secure = {});
// The other end: on_secure_connect comes here, too.
std::shared_ptr<TlsSocket> accept(net::EventLoop& loop,
                                  std::shared_ptr<net::Socket> raw,
                                  AcceptOptions options);

}  // namespace tls
