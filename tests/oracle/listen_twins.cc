// Listening: at a port, at a path, on a descriptor; and not listening.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include "chapters/01_addresses/endpoint.h"
#include "chapters/05_unix_sockets/fd.h"
#include "common/error.h"
#include "tests/oracle/recorder.h"

namespace oracle {
namespace {

// A listening socket, made without a Server.
Fd listen_at(const std::string& where) {
  Endpoint endpoint = Endpoint::parse(where);
  Fd fd(::socket(endpoint.family(), SOCK_STREAM, 0));
  if (::bind(fd.get(), endpoint.address(), endpoint.size()) != 0 ||
      ::listen(fd.get(), 1) != 0)
    throw std::runtime_error("listen at " + where);
  return fd;
}

int port_of_fd(int fd) {
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// The other process of 024: says its port to `out`, and serves one client.
[[noreturn]] void child(int fd, int out) {
  EventLoop mine;
  ServerPtr s = net::create_server(mine, {}, [&](auto k) {
    k->end("from fd server");
    s->close();
  });
  s->listen({.fd = fd}, [&] { ::dprintf(out, "port %d\n", port_of(s)); });
  mine.run();
  ::_exit(0);
}

}  // namespace

SCENARIO("016_emitter_semantics") {
  ServerPtr srv = create_server();
  auto late = [] { rec("server", "late"); };
  ListenerId removed = {};
  srv->on_listening([&] {
    rec("server", "first");
    srv->on_listening(late);
    srv->on_listening.off(removed);
  });
  srv->on_listening.once([] { rec("server", "once"); });
  removed = srv->on_listening([] { rec("server", "removed-listener"); });
  auto closed = [&] {
    rec("server", "emit-returns", srv->on_drop.emit(DropInfo{}));
    listen(srv);
    srv->on_listening([&] { srv->close(); });
  };
  listen(srv, [&] {
    rec("server", "callback");
    rec("server", "count", srv->on_listening.listener_count());
    loop.post([&] { srv->close(closed); });
  });
  run();
}

SCENARIO("018_listen_async") {
  ServerPtr srv = create_server();
  rec("server", "before", srv->address(), srv->listening());
  Server& r = srv->listen(0, LO, 511, [] { rec("server", "callback"); });
  srv->on_listening([&] {
    SocketAddress a = srv->address().value();
    rec("server", "listening", a.address, a.family, a.port > 0,
        srv->listening());
    srv->close([] { rec("server", "close-callback"); });
    rec("server", "mark", "close() returned", srv->address(), srv->listening());
  });
  srv->on_close([] { rec("server", "close"); });
  rec("server", "mark", "listen() returned", &r == srv.get());
  run();
}

SCENARIO("019_listen_eaddrinuse") {
  ServerPtr a = create_server(), b = watch_server("b", create_server());
  int port = 0;
  listen(a, [&] {
    port = port_of(a);
    b->on_error([&](const Error& e) {
      rec("b", "error-fields", e.syscall, e.address, e.port == port,
          b->listening(), b->address());
      later(50, [&] { listen(b); });
    });
    b->on_listening([&] {
      rec("b", "other-port", port_of(b) != port);
      b->close();
      a->close();
    });
    b->listen(port, LO);
    mark("b", "listen() returned");
  });
  run();
}

SCENARIO("020_listen_twice_throws") {
  ServerPtr srv =
      watch_server("server", create_server([](auto s) { s->end("ok"); }));
  SocketPtr c;
  listen(srv, [&] {
    try {
      listen(srv);
    } catch (const UsageError& error) {
      rec("server", "throws", error.code, srv->listening());
    }
    c = watch("client", connect(srv));
    c->on_close([&](bool) { srv->close(); });
  });
  run();
}

SCENARIO("021_listen_again_after_close") {
  ServerPtr srv =
      watch_server("server", create_server([](auto s) { s->end("x"); }));
  int n = 0;
  srv->on_listening([&] {
    SocketPtr c = connect(srv);
    c->resume();
    c->on_close([&](bool) { srv->close(); });
  });
  srv->on_close([&] {
    if (++n == 2) return;
    listen(srv, [] { rec("server", "callback2"); });
    mark("server", "listen() returned");
  });
  listen(srv);
  run();
}

SCENARIO("022_listen_bad_address") {
  ServerPtr srv = watch_server("server", create_server());
  srv->on_error([&](const Error& e) {
    rec("server", "error-fields", e.syscall, e.address, srv->listening());
  });
  srv->listen(0, "203.0.113.7");
  mark("server", "listen() returned");
  run();
}

SCENARIO("024_listen_fd") {
  Fd bound = listen_at("127.0.0.1:0");
  int port = port_of_fd(bound.get());
  int out[2];
  if (::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  pid_t kid = ::fork();
  if (kid == 0) child(bound.release(), out[1]);
  bound.reset();
  ::close(out[1]);

  std::string said;
  bool started = false;
  loop.watch(out[0], POLLIN, [&](short) {
    char bytes[64];
    ssize_t n = ::read(out[0], bytes, sizeof bytes);
    if (n <= 0) {
      loop.unwatch(out[0]);
      int status = -1;
      ::waitpid(kid, &status, 0);
      rec("child", "exit", WEXITSTATUS(status));
      return;
    }
    said.append(bytes, static_cast<std::size_t>(n));
    if (std::exchange(started, true)) return;
    rec("child", "same-port", said == "port " + std::to_string(port) + "\n");
    watch("client", connect({.host = LO, .port = port}));
  });
  run();
  ::close(out[0]);
}

SCENARIO("025_listen_fd_invalid") {
  int fd = ::open(tmp("file").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ServerPtr srv = watch_server("server", create_server());
  srv->listen({.fd = fd});
  mark("server", "listen() returned");
  srv->on_error([&](const Error&) {
    rec("server", "listening?", srv->listening());
    ::close(fd);
  });
  run();
}

SCENARIO("156_path_port_precedence") {
  std::string p = tmp("both.sock"), unused = tmp("unused.sock");
  ServerPtr tcp = create_server([](auto s) { s->end("tcp server"); });
  ServerPtr uds = create_server([](auto s) { s->end("unix server"); });
  auto kind = [](const ServerPtr& server) {
    return server->address().value().family.empty() ? "string" : "object";
  };
  tcp->listen({.port = 0, .host = LO, .path = unused}, [&] {
    rec("server", "address", kind(tcp), std::filesystem::exists(unused));
    uds->listen(p, [&] {
      rec("server", "address", kind(uds));
      SocketPtr c = watch(
          "client", connect({.host = LO, .port = port_of(tcp), .path = p}));
      c->on_close([&](bool) {
        tcp->close();
        uds->close();
      });
    });
  });
  run();
}

SCENARIO("158_unix_stale_socket") {
  std::string p = tmp("stale.sock");
  listen_at("unix:" + p).reset();  // as a process that was killed leaves it
  auto exists = [&] { rec("file", "exists", std::filesystem::exists(p)); };
  exists();
  ServerPtr srv;
  watch("client", net::connect(loop, p))->on_close([&](bool) {
    srv = watch_server("server", create_server());
    srv->on_error.once([&](const Error&) {
      exists();
      std::filesystem::remove(p);
      srv->listen(p, [&] { srv->close(exists); });
    });
    srv->listen(p);
  });
  run();
}

SCENARIO("162_listen_close_tcp") {
  ServerPtr srv =
      watch_server("server", create_server([](auto s) { s->end("ok"); }));
  int n = 0;
  srv->listen(0, {}, 511, [] { rec("server", "UNEXPECTED callback"); });
  srv->close();
  mark("server", "close() returned");
  srv->on_listening.clear();
  srv->on_listening([] { rec("server", "listening"); });
  auto listening = [&] {
    watch("client", connect(srv))->on_close([&](bool) { srv->close(); });
  };
  srv->on_close([&] {
    if (n++ == 0) later(50, [&] { listen(srv, listening); });
  });
  run();
}

}  // namespace oracle
