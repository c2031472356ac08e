// Also right: an object for each listen(); the connections by name; the
// references of the loop itself, of its timer and its watch.
#include "chapters/11_server/server.h"

#include <netinet/in.h>
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "chapters/10_socket/connector.h"
#include "chapters/11_server/listener.h"

namespace net {
namespace {

// After the system could not give us another connection.
constexpr std::chrono::milliseconds kRest{50};

void check(const ListenOptions& options) {
  if (options.port && (*options.port < 0 || *options.port > 65535))
    throw UsageError("ERR_SOCKET_BAD_PORT",
                     std::to_string(*options.port) + " is no port (LISTEN-19)");
  if (!options.port && options.path.empty() && options.fd < 0)
    throw UsageError("ERR_INVALID_ARG_VALUE",
                     "a port, a path or a descriptor (LISTEN-19)");
}

DropInfo describe(const Socket& socket) {
  return {socket.local_address(), socket.local_family(),
          socket.local_port(),    socket.remote_address(),
          socket.remote_family(), socket.remote_port()};
}

// "::", which takes IPv4 as well; a machine without IPv6 has only the latter.
Listener at_every_address(const ListenOptions& options) {
  std::string port = std::to_string(*options.port);
  try {
    return Listener::at(Endpoint::parse("[::]:" + port), options);
  } catch (const Error& error) {
    if (error.number != EAFNOSUPPORT && error.number != EADDRNOTAVAIL) throw;
    return Listener::at(Endpoint::parse("0.0.0.0:" + port), options);
  }
}

// What one listen() leads to. Another one has another object: whatever is told
// later looks whether its own is still the server's.
struct Listening {
  Listener listener = {};
  std::optional<Lookup> lookup = {};
  TimerId waits = TimerId::kNone;  // keeps the server, and run(), meanwhile
  bool told = false;
};
using ListeningPtr = std::shared_ptr<Listening>;

}  // namespace

struct Server::State {
  Server& self;
  EventLoop& loop;
  ConnectOptions socket_options;
  bool pause_on_connect;

  ListeningPtr current = {};  // from listen() to close(), or to an error
  bool close_wanted = false;
  bool referenced = true;
  int most = 0;
  std::map<Socket*, std::weak_ptr<Socket>> connections = {};

  void listen(const ListenOptions& options) {
    check(options);
    if (current)
      throw UsageError("ERR_SERVER_ALREADY_LISTEN",
                       "listen() while it listens (LISTEN-9)");
    close_wanted = false;
    current = std::make_shared<Listening>();
    current->waits = loop.set_timeout(std::chrono::hours(24 * 365),
                                      [alive = self.shared_from_this()] {});
    apply_reference();
    if (options.fd >= 0 || !options.port || options.host.empty())
      return open([&] { return open_here(options); });
    current->lookup.emplace(loop, options.host, *options.port, 0,
                            [this, options](std::vector<Endpoint> found,
                                            std::optional<Error> error) {
                              open([&] {
                                if (error) throw *error;
                                return Listener::at(found.front(), options);
                              });
                            });
  }

  static Listener open_here(const ListenOptions& options) {
    if (options.fd >= 0)
      return Listener::on_descriptor(options.fd, options.backlog);
    if (!options.port) return Listener::at_path(options.path, options.backlog);
    return at_every_address(options);
  }

  template <typename Open>
  void open(Open&& try_to) {
    std::optional<Error> failed;
    try {
      current->listener = try_to();
    } catch (const Error& error) {
      failed = error;
    }
    loop.defer([alive = self.shared_from_this(), this, here = current, failed] {
      if (current != here) return;
      failed ? could_not(*failed) : can();
    });
  }

  void can() {
    loop.watch(current->listener.fd(), POLLIN,
               [alive = self.shared_from_this(), this, here = current](short) {
                 accept_all(here);
               });
    loop.clear_timer(current->waits);
    current->told = true;
    apply_reference();
    self.on_listening.emit();
  }

  void could_not(const Error& error) {
    stop();
    emit_error(self.on_error, error);
  }

  // The timer's reference, and then that of the watch, is the server's.
  void apply_reference() {
    if (!current) return;
    int fd = current->told ? current->listener.fd() : -1;
    if (referenced) {
      loop.ref(current->waits);
      loop.ref(fd);
    } else {
      loop.unref(current->waits);
      loop.unref(fd);
    }
  }

  void accept_all(const ListeningPtr& here) {
    while (current == here) {
      Fd fd = here->listener.accept();
      if (!fd) {
        if (here->listener.starved()) rest(here);
        return;
      }
      auto socket = Socket::adopt(
          loop, std::make_unique<FdTransport>(std::move(fd)), socket_options);
      if (most > 0 && connections.size() >= static_cast<std::size_t>(most))
        turn_away(*socket);
      else
        take(socket);
    }
  }

  void rest(const ListeningPtr& here) {
    loop.update(here->listener.fd(), 0);
    TimerId timer =
        loop.set_timeout(kRest, [alive = self.shared_from_this(), this,
                                 there = std::weak_ptr<Listening>(here)] {
          if (current && current == there.lock())
            loop.update(current->listener.fd(), POLLIN);
        });
    loop.unref(timer);
  }

  void turn_away(Socket& socket) {
    DropInfo info = describe(socket);
    socket.destroy();
    self.on_drop.emit(info);
  }

  void take(const std::shared_ptr<Socket>& socket) {
    connections.emplace(socket.get(), socket);
    socket->on_close.once(
        [alive = self.shared_from_this(), this, it = socket.get()](bool) {
          connections.erase(it);
          close_if_drained();
        });
    socket->remote_address();
    if (pause_on_connect) socket->pause();
    self.on_connection.emit(socket);
  }

  void close(Callback done) {
    bool running = current && current->listener;
    if (done) {
      self.on_close.once([done, running] {
        Error error("ERR_SERVER_NOT_RUNNING", "Server is not running.");
        done(running ? nullptr : &error);
      });
    }
    stop();
    close_wanted = true;
    close_if_drained();
  }

  void stop() {
    ListeningPtr gone = std::exchange(current, nullptr);
    if (!gone) return;
    gone->lookup.reset();
    loop.clear_timer(gone->waits);
    if (gone->told) loop.unwatch(gone->listener.fd());
    gone->listener.close();
  }

  void close_if_drained() {
    if (!close_wanted || !connections.empty()) return;
    close_wanted = false;
    loop.defer([alive = self.shared_from_this()] { alive->on_close.emit(); });
  }
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

Server& Server::listen(ListenOptions options, std::function<void()> listening) {
  state_->listen(options);
  if (listening) on_listening.once(std::move(listening));
  return *this;
}

Server& Server::listen(int port, std::string host, int backlog,
                       std::function<void()> listening) {
  ListenOptions options;
  options.port = port;
  options.host = std::move(host);
  options.backlog = backlog;
  return listen(std::move(options), std::move(listening));
}

Server& Server::close(Callback done) {
  state_->close(std::move(done));
  return *this;
}

bool Server::listening() const {
  return state_->current && state_->current->listener;
}

std::optional<SocketAddress> Server::address() const {
  if (!listening()) return std::nullopt;
  Endpoint here = state_->current->listener.endpoint();
  if (here.family() == AF_UNIX) return SocketAddress{.address = here.path()};
  return SocketAddress{here.host(), here.family() == AF_INET ? "IPv4" : "IPv6",
                       here.port()};
}

Server& Server::get_connections(std::function<void(const Error*, int)> done) {
  state_->loop.defer([alive = shared_from_this(), done = std::move(done)] {
    done(nullptr, static_cast<int>(alive->state_->connections.size()));
  });
  return *this;
}

Server& Server::max_connections(int n) {
  state_->most = n;
  return *this;
}

int Server::max_connections() const {
  return state_->most;
}

Server& Server::ref() {
  state_->referenced = true;
  state_->apply_reference();
  return *this;
}

Server& Server::unref() {
  state_->referenced = false;
  state_->apply_reference();
  return *this;
}

std::shared_ptr<Server> create_server(
    EventLoop& loop, ServerOptions options,
    std::function<void(std::shared_ptr<Socket>)> on_connection) {
  std::shared_ptr<Server> server = Server::create(loop, options);
  if (on_connection) server->on_connection(std::move(on_connection));
  return server;
}

}  // namespace net
