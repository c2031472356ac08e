// Server: listens, and gives you a Socket for each client.
//
//   net::EventLoop loop;
//   auto server = net::create_server(loop, {}, [](auto socket) {
//     socket->on_data([socket](std::string_view b) { socket->write(b); });
//   });
//   server->listen(8080, "127.0.0.1");
//   loop.run();  // as long as it listens, or a connection is open
//
// No event is emitted inside the call that causes it (EVT-6). All of it belongs
// to the loop's thread.
//
// Ownership: the loop keeps a server alive while it listens, and each of its
// connections does. It may listen again, so it never drops its listeners: one
// that needs the server takes a plain pointer or a std::weak_ptr.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/08_events/event.h"
#include "chapters/10_socket/socket.h"
#include "common/error.h"

namespace net {

// For the sockets of its connections: see ConnectOptions.
struct ServerOptions {
  bool allow_half_open = false;
  bool pause_on_connect = false;  // they begin paused (ACC-5)
  bool no_delay = false;
  bool keep_alive = false;
  std::chrono::milliseconds keep_alive_initial_delay{0};
  std::size_t high_water_mark = kHighWaterMark;
};
inline ConnectOptions for_sockets(const ServerOptions& options) {
  ConnectOptions socket;
  socket.allow_half_open = options.allow_half_open;
  socket.no_delay = options.no_delay;
  socket.keep_alive = options.keep_alive;
  socket.keep_alive_initial_delay = options.keep_alive_initial_delay;
  socket.high_water_mark = options.high_water_mark;
  return socket;
}

// Where to listen: a descriptor, else a port, else a path.
struct ListenOptions {
  std::optional<int> port = {};  // 0: a free one
  std::string host = {};         // "": every address, of IPv6 and of IPv4
  std::string path = {};         // of a socket file that is made; "@name": none
  int fd = -1;                   // a bound socket: the server's from then on
  int backlog = 511;             // how many clients may wait; see listen(2)
  bool ipv6_only = false;        // at "::": no IPv4
  bool reuse_port = false;       // others may listen there, too: SO_REUSEPORT
};

// A connection that was turned away. All empty at a path (UNIX-6).
struct DropInfo {
  std::string local_address, local_family;
  int local_port = 0;
  std::string remote_address, remote_family;
  int remote_port = 0;
};

class Server : public std::enable_shared_from_this<Server> {
 public:
  static std::shared_ptr<Server> create(EventLoop& loop,
                                        ServerOptions options = {});
  virtual ~Server();
  Server(const Server&) = delete;

  // Events.
  Event<> on_listening;  // clients can connect; address() says where
  // A client. The socket is connected: no on_connect comes (ACC-1). It knows
  // its remote end for good, also when the client is gone (ACC-8).
  Event<std::shared_ptr<Socket>> on_connection;
  Event<const DropInfo&> on_drop;  // max_connections: one was turned away
  // It does not listen: no on_listening, no on_close follows (LISTEN-17). If
  // nobody listens to it, it leaves run() as an exception (EVT-4).
  Event<const Error&> on_error;
  Event<> on_close;  // it was closed, and the last connection is gone

  // `listening` is a listener for one on_listening. UsageError: it listens
  // already, or is about to, ERR_SERVER_ALREADY_LISTEN (LISTEN-9); a port that
  // cannot be, ERR_SOCKET_BAD_PORT, or nowhere to listen, ERR_INVALID_ARG_VALUE
  // (LISTEN-19).
  Server& listen(ListenOptions options, std::function<void()> listening = {});
  Server& listen(int port = 0, std::string host = {}, int backlog = 511,
                 std::function<void()> listening = {});
  // A template, so that {.port = 80} can be nothing but ListenOptions.
  template <std::convertible_to<std::string> Path>
  Server& listen(const Path& path, std::function<void()> listening = {}) {
    return listen(ListenOptions{.path = path}, std::move(listening));
  }

  // No more clients from here on; those who are connected stay (SCLOSE-3).
  // `done` is a listener for one on_close. It gets ERR_SERVER_NOT_RUNNING if
  // the server was not listening (SCLOSE-6).
  Server& close(Callback done = {});

  bool listening() const;
  // Nothing before listen() and after close(). At a path: only `address`.
  std::optional<SocketAddress> address() const;
  // Later: how many connections are open.
  Server& get_connections(std::function<void(const Error*, int)> done);
  Server& max_connections(int n);  // 0: no limit (MAXC-5)
  int max_connections() const;
  Server& ref();    // a listening server keeps run() going (REF-1) ...
  Server& unref();  // ... unless it is unreferenced; remembered (REF-6)

 protected:
  Server(EventLoop& loop, ServerOptions options);

 private:
  struct State;  // yours to design: see server.cc
  std::unique_ptr<State> state_;
};

std::shared_ptr<Server> create_server(
    EventLoop& loop, ServerOptions options = {},
    std::function<void(std::shared_ptr<Socket>)> on_connection = {});

}  // namespace net
