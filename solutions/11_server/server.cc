#include "chapters/11_server/server.h"

#include <netinet/in.h>
#include <poll.h>

#include <cerrno>
#include <optional>
#include <stdexcept>
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

}  // namespace

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
    bool wanted = busy() && referenced;
    if (wanted == held) return;
    held = wanted;
    wanted ? loop.hold() : loop.release();
  }

  void listen(ListenOptions options) {
    check(options);
    if (busy())
      throw UsageError("ERR_SERVER_ALREADY_LISTEN",
                       "listen() while it listens (LISTEN-9)");
    close_wanted = false;
    ++round;
    opening = true;
    // 11.3: without a name to resolve it happens now. Only the events wait.
    if (options.fd >= 0 || !options.port || options.host.empty())
      open([&] { return open_here(options); });
    else
      look_up(std::move(options));
    hold();
  }

  Listener open_here(const ListenOptions& options) {
    if (options.fd >= 0)
      return Listener::on_descriptor(options.fd, options.backlog);
    if (!options.port) return Listener::at_path(options.path, options.backlog);
    return at_every_address(options);
  }

  void look_up(ListenOptions options) {
    std::string host = options.host;
    int port = *options.port;
    keeping = loop.set_timeout(std::chrono::hours(24 * 365),
                               [alive = self.shared_from_this()] {});
    loop.unref(keeping);
    lookup.emplace(
        loop, std::move(host), port, 0,
        [this, options = std::move(options)](std::vector<Endpoint> found,
                                             std::optional<Error> error) {
          open([&] {
            if (error) throw *error;
            return Listener::at(found.front(), options);
          });
        });
  }

  template <typename Open>
  void open(Open&& try_to) {
    auto alive = self.shared_from_this();
    loop.clear_timer(std::exchange(keeping, TimerId::kNone));
    try {
      listener = try_to();
    } catch (const Error& error) {
      return later([this, error] {
        opening = false;
        hold();
        emit_error(self.on_error, error);
      });
    }
    loop.watch(listener.fd(), 0, [alive = self.shared_from_this()](short) {
      alive->state_->accept_all();
    });
    loop.unref(listener.fd());
    later([this] {
      opening = false;
      loop.update(listener.fd(), POLLIN);
      self.on_listening.emit();
    });
  }

  // Runs `step` after the current callback, if it is still about the same
  // listen().
  template <typename Step>
  void later(Step step) {
    loop.defer([alive = self.shared_from_this(), this, step, at = round] {
      if (at == round) step();
    });
  }

  void accept_all() {
    // 11.4: a listener of on_connection may close the server.
    int at = round;
    while (at == round) {
      Fd fd = listener.accept();
      if (!fd) return listener.starved() ? rest() : void();
      auto transport = std::make_unique<FdTransport>(std::move(fd));
      auto socket = Socket::adopt(loop, std::move(transport), socket_options);
      if (most > 0 && connections >= most)
        turn_away(*socket);
      else
        take(std::move(socket));
    }
  }

  // poll() would report the clients who wait again and again.
  void rest() {
    loop.update(listener.fd(), 0);
    auto again = [alive = self.shared_from_this(), this, at = round] {
      if (at == round) loop.update(listener.fd(), POLLIN);
    };
    loop.unref(loop.set_timeout(kRest, std::move(again)));
  }

  void turn_away(Socket& socket) {
    DropInfo info = describe(socket);
    socket.destroy();
    self.on_drop.emit(info);
  }

  void take(std::shared_ptr<Socket> socket) {
    ++connections;
    // 11.4: once: the socket may connect again, and then it is not ours.
    socket->on_close.once([alive = self.shared_from_this(), this](bool) {
      --connections;
      close_if_drained();
    });
    // 11.4: the socket remembers it. Later there may be nobody left to ask.
    socket->remote_port();
    if (pause_on_connect) socket->pause();
    self.on_connection.emit(std::move(socket));
  }

  void close(Callback done) {
    if (done) {
      if (listener) {
        self.on_close.once([done] { done(nullptr); });
      } else {
        self.on_close.once([done] {
          Error error("ERR_SERVER_NOT_RUNNING", "Server is not running.");
          done(&error);
        });
      }
    }
    stop();
    close_wanted = true;
    close_if_drained();
  }

  void stop() {
    ++round;
    opening = false;
    lookup.reset();
    loop.clear_timer(std::exchange(keeping, TimerId::kNone));
    if (listener) {
      loop.unwatch(listener.fd());
      listener.close();
    }
    hold();
  }

  void close_if_drained() {
    if (!close_wanted || connections > 0) return;
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
  state_->listen(std::move(options));
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
  return static_cast<bool>(state_->listener);
}

std::optional<SocketAddress> Server::address() const {
  if (!state_->listener) return std::nullopt;
  Endpoint here = state_->listener.endpoint();
  if (here.family() == AF_UNIX) return SocketAddress{.address = here.path()};
  return SocketAddress{here.host(), here.family() == AF_INET ? "IPv4" : "IPv6",
                       here.port()};
}

Server& Server::get_connections(std::function<void(const Error*, int)> done) {
  state_->loop.defer([alive = shared_from_this(), done = std::move(done)] {
    done(nullptr, alive->state_->connections);
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
  state_->hold();
  return *this;
}

Server& Server::unref() {
  state_->referenced = false;
  state_->hold();
  return *this;
}

std::shared_ptr<Server> create_server(
    EventLoop& loop, ServerOptions options,
    std::function<void(std::shared_ptr<Socket>)> on_connection) {
  std::shared_ptr<Server> server = Server::create(loop, options);
  if (on_connection) server->on_connection(std::move(on_connection));
  return server;
}

// Also right: to count the connections with a std::weak_ptr for each; to watch
// the listener with its own ref() and unref() instead of hold().

}  // namespace net
