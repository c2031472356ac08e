// Connecting: with success and without, by name and by path.
#include <dlfcn.h>
#include <netdb.h>

#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "common/error.h"
#include "tests/oracle/recorder.h"

// Node's scenario brings a resolver of its own that knows no such host.
extern "C" int getaddrinfo(const char* host, const char* service,
                           const addrinfo* hints, addrinfo** found) {
  if (host && std::strcmp(host, "no-such-host.invalid") == 0) return EAI_NONAME;
  static auto* real =
      reinterpret_cast<int (*)(const char*, const char*, const addrinfo*,
                               addrinfo**)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(host, service, hints, found);
}

namespace oracle {

SCENARIO("001_connect_basic") {
  SocketPtr c;
  auto flags = [&](const char* name) {
    rec("client", name, c->connecting(), c->pending(), c->ready_state());
  };
  ServerPtr srv = create_server([&](auto s) {
    ignore_errors(s);
    s->resume();
    s->on_end([&] { srv->close(); });
  });
  listen(srv, [&] {
    c = connect(srv, [&] { flags("callback"); });
    mark("client", "connect() returned");
    flags("flags");
    c->on_connect([&] {
      flags("connect");
      c->end();
    });
    c->on_end([&] { rec("client", "end"); });
    c->on_close([&](bool had_error) { rec("client", "close", had_error); });
    c->resume();
  });
  run();
}

SCENARIO("002_connect_ready_order") {
  ServerPtr srv = create_server([](auto s) { s->end("hi"); });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_ready([&] { rec("client", "ready"); });
    c->on_close([&](bool) { srv->close(); });
  });
  run();
}

SCENARIO("003_connect_refused") {
  ServerPtr srv = create_server();
  SocketPtr c;
  int port = 0;
  listen(srv, [&] {
    port = port_of(srv);
    srv->close([&] {
      c = watch("client", connect({.host = LO, .port = port}));
      mark("client", "connect() returned");
      c->on_error([&](const Error& e) {
        rec("client", "error-fields", e.syscall, e.address, e.port == port,
            c->connecting(), c->destroyed());
      });
    });
  });
  run();
}

SCENARIO("004_connect_path_errors") {
  std::string missing = tmp("none.sock"), plain = tmp("plain");
  std::ofstream(plain) << "x";
  SocketPtr a = watch("missing", net::connect(loop, missing));
  mark("missing", "connect() returned");
  a->on_error([&](const Error& e) {
    rec("missing", "error-fields", e.syscall, e.address == missing);
  });
  SocketPtr b = watch("plainfile", connect({.path = plain}));
  mark("plainfile", "connect() returned");
  run();
}

SCENARIO("005_connect_enotfound") {
  SocketPtr c =
      connect({.host = "no-such-host.invalid", .port = 9, .family = 4});
  mark("client", "connect() returned");
  c->on_lookup(
      [&](const Error* error, std::string address, int, std::string host) {
        rec("client", "lookup", code(error), or_null(address), host);
      });
  watch("client", c);
  c->on_error(
      [&](const Error& e) { rec("client", "error-syscall", e.syscall); });
  run();
}

SCENARIO("006_lookup_event") {
  ServerPtr srv = create_server([](auto s) { s->end(); });
  auto start = [&](const char* actor, std::string host, EventLoop::Task next) {
    SocketPtr c = connect({.host = host, .port = port_of(srv), .family = 4});
    c->on_lookup([=](const Error* error, std::string address, int family,
                     std::string name) {
      rec(actor, "lookup", code(error), address, family, name);
    });
    watch(actor, c)->on_close([=](bool) { next(); });
  };
  listen(srv, [&] {
    start("by_name", "localhost",
          [&] { start("by_ip", LO, [&] { srv->close(); }); });
  });
  run();
}

SCENARIO("013_local_address_port") {
  ServerPtr srv = create_server([&](auto s) {
    rec("server_socket", "peer", s->remote_address(), s->remote_family(),
        s->local_address());
    s->on_data([s](std::string_view data) {
      rec("server_socket", "port-matches",
          std::to_string(s->remote_port()) == data);
      s->end();
    });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch(
        "client",
        connect(
            {.host = LO, .port = port_of(srv), .local_address = "127.0.0.2"}),
        {.data = false});
    c->resume();
    c->on_connect([&] {
      rec("client", "local", c->local_address(), c->local_family(),
          c->remote_address(), c->remote_port() == port_of(srv));
      c->write(std::to_string(c->local_port()));
    });
    c->on_close([&](bool) { srv->close(); });
  });
  run();
}

SCENARIO("015_bad_arguments_throw") {
  auto try_it = [](const char* what, EventLoop::Task call) {
    try {
      call();
      rec("calls", what, "no throw");
    } catch (const UsageError& error) {
      rec("calls", what, error.code);
    }
  };
  try_it("connect port 65536", [] { net::connect(loop, 65536, LO); });
  try_it("connect port -1", [] { connect({.host = LO, .port = -1}); });
  try_it("connect nothing", [] { connect(ConnectOptions{}); });
  try_it("listen port 65536", [] { create_server()->listen(65536); });
  try_it("listen nothing", [] { create_server()->listen(ListenOptions{}); });
  // There is no null to write.
  run();
}

SCENARIO("017_unhandled_error_throws") {
  SocketPtr c = net::connect(loop, tmp("none.sock"));
  c->on_close([&](bool had_error) { rec("client", "close", had_error); });
  try {
    run();
  } catch (const Error& error) {
    rec("process", "uncaught", error.code);
  }
  run();
}

SCENARIO("157_reconnect_after_error") {
  ServerPtr srv = create_server([](auto s) { s->end("welcome"); });
  ServerPtr gone = create_server();
  SocketPtr c;
  int dead = 0, n = 0;
  auto closed = [&](bool) {
    if (n++ == 0) {
      c->connect(port_of(srv), LO);
      rec("client", "mark", "connect() returned", c->connecting(),
          c->destroyed());
    } else {
      rec("client", "bytesRead", c->bytes_read());
      srv->close();
    }
  };
  listen(srv, [&] {
    listen(gone, [&] {
      dead = port_of(gone);
      gone->close([&] {
        c = watch("client", connect({.host = LO, .port = dead}));
        c->on_close(closed);
      });
    });
  });
  run();
}

}  // namespace oracle
