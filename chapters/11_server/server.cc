#include "chapters/11_server/server.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chapters/10_socket/connector.h"
#include "chapters/11_server/listener.h"
#include "common/todo.h"

namespace net {
namespace {

// After the system could not give us another connection.
[[maybe_unused]] constexpr std::chrono::milliseconds kRest{50};

// What no system has to be asked about (LISTEN-19).
[[maybe_unused]] void check(const ListenOptions&) {
  TODO("11.3", "UsageError for what cannot be");
}

[[maybe_unused]] DropInfo describe(const Socket& socket) {
  return {socket.local_address(), socket.local_family(),
          socket.local_port(),    socket.remote_address(),
          socket.remote_family(), socket.remote_port()};
}

// "::", which takes IPv4 as well; a machine without IPv6 has only the latter.
[[maybe_unused]] Listener at_every_address(const ListenOptions&) {
  TODO("11.3", "at [::]; without IPv6, at 0.0.0.0");
}

}  // namespace

// One way to cut it into pieces. You are free to choose another.
struct Server::State {
  Server& self;
  EventLoop& loop;
  ConnectOptions socket_options;
  bool pause_on_connect;

  Listener listener = {};
  // A host is being resolved: it will listen, unless close() comes before.
  std::optional<Lookup> lookup = {};
  // Of which listen() we are: close() and the next one make it out of date.
  int round = 0;
  bool close_wanted = false;
  int connections = 0;
  int most = 0;
  bool referenced = true;
  bool held = false;
  bool opening = false;  // listen() was called, and nothing told yet
  // The loop keeps the server alive: as long as this timer is there, and then
  // with the callbacks that have it.
  TimerId keeping = TimerId::kNone;

  bool busy() const { return listener || opening; }

  void hold() {
    TODO("11.6", "loop.hold() or loop.release(), when it changes");
  }

  void listen(ListenOptions) { TODO("11.3", "check, then open or look up"); }

  Listener open_here(const ListenOptions&) {
    TODO("11.3", "a descriptor, a path, or every address");
  }

  void look_up(ListenOptions) {
    TODO("11.3", "resolve the host, then open at its first address");
  }

  template <typename Open>
  void open(Open&&) {
    TODO("11.3", "open, and tell later how it went");
  }

  // Runs `step` after the current callback, if it is still about the same
  // listen().
  template <typename Step>
  void later(Step) {
    TODO("11.3", "defer it, with a reason to live and the round");
  }

  void accept_all() { TODO("11.4", "everybody who waits"); }

  // poll() would report the clients who wait again and again.
  void rest() { TODO("11.6", "look away for a while"); }

  void turn_away(Socket&) { TODO("11.6", "close it, and tell on_drop"); }

  void take(std::shared_ptr<Socket>) {
    TODO("11.4", "count it as long as it is open, and tell on_connection");
  }

  void close(Callback) { TODO("11.5", "stop, and tell when all are gone"); }

  void stop() { TODO("11.5", "nothing of this listen() goes on"); }

  void close_if_drained() { TODO("11.5", "on_close, later"); }
};

Server::Server(EventLoop& loop, ServerOptions options)
    : state_(new State{.self = *this,
                       .loop = loop,
                       .socket_options = for_sockets(options),
                       .pause_on_connect = options.pause_on_connect}) {}

Server::~Server() = default;

std::shared_ptr<Server> Server::create(EventLoop& loop, ServerOptions options) {
  return std::shared_ptr<Server>(new Server(loop, options));
}

Server& Server::listen(ListenOptions, std::function<void()>) {
  TODO("11.3", "State::listen(); `listening` hears of it once");
}

Server& Server::listen(int port, std::string host, int backlog,
                       std::function<void()> listening) {
  ListenOptions options;
  options.port = port;
  options.host = std::move(host);
  options.backlog = backlog;
  return listen(std::move(options), std::move(listening));
}

Server& Server::close(Callback) {
  TODO("11.5", "State::close()");
}

bool Server::listening() const {
  TODO("11.3", "whether there is a listener");
}

std::optional<SocketAddress> Server::address() const {
  TODO("11.3", "the listener's endpoint");
}

Server& Server::get_connections(std::function<void(const Error*, int)>) {
  TODO("11.5", "the number, later");
}

Server& Server::max_connections(int) {
  TODO("11.6", "from now on");
}

int Server::max_connections() const {
  TODO("11.6", "the limit");
}

Server& Server::ref() {
  TODO("11.6", "see hold()");
}

Server& Server::unref() {
  TODO("11.6", "see hold()");
}

std::shared_ptr<Server> create_server(
    EventLoop&, ServerOptions, std::function<void(std::shared_ptr<Socket>)>) {
  TODO("11.3", "create it, and add the listener");
}

}  // namespace net
