// Server: a net::Server whose clients are TLS sockets.
//
//   tls::ServerOptions options;
//   options.key = contents_of("key.pem");
//   options.cert = contents_of("cert.pem");
//   auto server = tls::create_server(loop, options, [](auto socket) {
//     socket->on_data([socket](std::string_view b) { socket->write(b); });
//   });
//   server->listen(8443);
//
// listen(), close(), the limits and their events are those of net::Server. A
// client that fails harms nobody else.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/08_events/event.h"
#include "chapters/11_server/server.h"
#include "chapters/13_blocking_tls/context.h"
#include "chapters/14_tls_socket/tls_socket.h"
#include "common/error.h"

namespace tls {

// To be called once, now or later: with an error, with a context, or with null
// and null for the server's own.
using SniAnswer = std::function<void(const net::Error*,
                                     std::shared_ptr<const Context> context)>;
using SniCallback =
    std::function<void(const std::string& servername, SniAnswer answer)>;

struct ServerOptions : net::ServerOptions, SecureOptions {
  bool request_cert = false;      // ask for the client's (TLSCC-1)
  SniCallback sni_callback = {};  // in place of add_context() (TLSSNI-5)
  std::chrono::milliseconds handshake_timeout{120'000};
  int max_handshakes = 0;  // so many at once, then the oldest goes; 0: any
  bool session_tickets = true;
  std::chrono::seconds session_timeout{300};
  std::string ticket_keys = {};  // see set_ticket_keys()
};

class Server : public net::Server {
 public:
  static std::shared_ptr<Server> create(net::EventLoop& loop,
                                        ServerOptions options);
  ~Server() override;

  // on_connection, of net::Server: a client is there, nothing is agreed yet.
  // With pause_on_connect its TLS socket begins paused; its handshake goes on.

  // The handshake is done, and the client is as it should be (TLSHS-2).
  net::Event<std::shared_ptr<TlsSocket>> on_secure_connection;
  // A client that failed before that, once (TLSERR-2). After the event its
  // connection is closed, but for ERR_TLS_HANDSHAKE_TIMEOUT: then it is yours
  // to destroy, or it may become secure still (TLSERR-7).
  net::Event<const net::Error&, std::shared_ptr<TlsSocket>> on_tls_client_error;
  // A session was made, to be stored under `id`; with TLS 1.3, one for each
  // ticket. on_secure_connection waits for `done` (TLSSESS-4).
  net::Event<std::string_view /* id */, std::string_view /* session */,
             std::function<void()> /* done */>
      on_new_session;
  // A client without a ticket asks for a session: what was stored, or "" for a
  // full handshake (TLSSESS-5). The handshake waits for `answer`.
  net::Event<std::string_view /* id */,
             std::function<void(std::string)> /* answer */>
      on_resume_session;

  // For clients that ask for `host`; "*" is any one label. The last one that
  // fits counts (TLSSNI-3).
  void add_context(std::string host, const ContextOptions& options);
  void add_context(std::string host, std::shared_ptr<const Context> context);
  // For clients who connect from now on. Those who are here keep the old one.
  void set_secure_context(const ContextOptions& options);
  void set_secure_context(std::shared_ptr<const Context> context);
  // See TicketKeys: servers with the same keys know each other's clients.
  void set_ticket_keys(std::string_view keys);
  std::string ticket_keys() const;

 private:
  Server(net::EventLoop& loop, ServerOptions options);
  class Client;
  struct State;  // yours to design: see server.cc
  std::unique_ptr<State> state_;
};

std::shared_ptr<Server> create_server(
    net::EventLoop& loop, ServerOptions options,
    std::function<void(std::shared_ptr<TlsSocket>)> on_secure_connection = {});

}  // namespace tls
