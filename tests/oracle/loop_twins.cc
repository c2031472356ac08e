// What keeps the loop going; idle timeouts; addresses and options.
#include <chrono>
#include <string>
#include <string_view>

#include "common/encoding.h"
#include "tests/oracle/recorder.h"

namespace oracle {

SCENARIO("081_timeout_basic") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_connect([&] {
      bool none = !c->timeout();
      Socket& r = c->set_timeout(std::chrono::milliseconds(100),
                                 [] { rec("client", "timeout-callback"); });
      rec("client", "set", none, &r == c.get(), c->timeout().value().count());
      later(550, [&] {
        rec("client", "state", c->destroyed(), c->writable());
        c->end("still usable");
      });
    });
  });
  run();
}

SCENARIO("082_timeout_reset_by_activity") {
  ServerPtr srv = create_server([&](auto s) {
    s->on_data([s](std::string_view data) { s->write(data); });
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  TimerId t = {};
  bool busy = true;
  int n = 0;
  auto idle = [&] {
    rec("client", "timeout", busy ? "WHILE BUSY" : "idle");
    if (++n == 1)
      c->write("again");
    else
      c->end();
  };
  listen(srv, [&] {
    c = connect(srv);
    c->resume();
    c->set_timeout(std::chrono::milliseconds(500));
    c->on_timeout(idle);
    t = every(100, [&] { c->write("tick"); });
    later(1500, [&] {
      loop.clear_timer(t);
      busy = false;
    });
    c->on_close([](bool had_error) { rec("client", "close", had_error); });
  });
  run();
}

SCENARIO("084_timeout_disable_replace") {
  using std::chrono::milliseconds;
  ServerPtr srv = create_server([&](auto s) {
    s->resume();
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  auto cb1 = [] { rec("client", "UNEXPECTED cb1"); };
  auto cb2 = [] { rec("client", "cb2"); };
  auto prop = [&] { rec("client", "prop", c->timeout().value().count()); };
  listen(srv, [&] {
    c = watch("client", connect(srv), {.data = false});
    c->resume();
    c->on_connect([&] {
      c->set_timeout(milliseconds(80), cb1);
      c->set_timeout(milliseconds(0), cb1);
      prop();
      later(250, [&] {
        mark("client", "nothing so far");
        c->set_timeout(milliseconds(60000));
        c->set_timeout(milliseconds(60), cb2);
        prop();
      });
      later(600, [&] { c->end(); });
    });
  });
  run();
}

SCENARIO("085_timeout_not_keeping_alive") {
  bool fired = false;
  SocketPtr s = new_socket();
  s->set_timeout(std::chrono::milliseconds(5000), [&] {
    fired = true;
    rec("socket", "UNEXPECTED timeout");
  });
  s->on_close([](bool) { rec("socket", "UNEXPECTED close"); });
  mark("socket", "armed");
  run();
  rec("process", "exited early", !fired);
}

SCENARIO("087_timeout_option") {
  ServerPtr srv = create_server([&](auto s) {
    s->resume();
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect({.host = LO,
                                 .port = port_of(srv),
                                 .timeout = std::chrono::milliseconds(150)}));
    rec("client", "prop", c->timeout().value().count());
    c->on_timeout([&] { c->end(); });
  });
  run();
}

SCENARIO("088_unref_server_exits") {
  ServerPtr srv = watch_server("server", create_server());
  listen(srv, [&] {
    bool first = &srv->unref() == srv.get();
    bool second = &srv->unref() == srv.get();
    rec("server", "unref", first, second, srv->listening());
  });
  run();
  rec("process", "exit");
}

SCENARIO("089_unref_before_listen") {
  ServerPtr srv = watch_server("server", create_server());
  srv->unref();
  srv->listen(tmp("s.sock"));
  mark("server", "listen() returned");
  run();
  rec("process", "exit", srv->listening());
}

SCENARIO("090_unref_socket_exits") {
  SocketPtr c;
  int n = 0;
  auto go = [&] {
    if (++n == 2) mark("process", "all unref");
  };
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false});
    rec("server_socket", "unref", &s->unref() == s.get());
    srv->unref();
    go();
  });
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_connect([&] {
      rec("client", "unref", &c->unref() == c.get());
      go();
    });
  });
  run();
  rec("process", "exit");
}

SCENARIO("092_unref_server_serves") {
  ServerPtr srv = create_server([](auto s) {
    rec("server", "connection");
    s->end("served");
  });
  srv->on_close([] { rec("server", "UNEXPECTED close"); });
  SocketPtr c, d;
  listen(srv, [&] {
    srv->unref();
    c = watch("client", connect(srv));
    c->on_close([&](bool) { d = watch("client2", connect(srv)); });
  });
  run();
  rec("process", "exit", srv->listening());
}

SCENARIO("093_address_lifecycle") {
  ServerPtr srv = create_server([&](auto s) {
    SocketAddress a = s->address();
    rec("server_socket", "local", a.address, a.family, a.port == port_of(srv),
        s->local_port() == a.port, s->remote_address());
    s->resume();
    s->on_close([&, s](bool) {
      rec("server_socket", "after", s->local_address().empty(),
          keys(s->address()));
      srv->close();
    });
  });
  SocketPtr c;
  auto connected = [&] {
    SocketAddress a = c->address();
    rec("client", "connected", c->remote_address(), c->remote_family(),
        c->remote_port() == port_of(srv), c->local_address(), c->local_family(),
        a.port == c->local_port() && a.port > 0, a.family);
    c->end();
  };
  listen(srv, [&] {
    c = new_socket();
    bool none = c->remote_address().empty() && c->remote_port() == 0 &&
                c->local_address().empty() && c->local_port() == 0;
    rec("client", "before", none, keys(c->address()));
    c->connect(port_of(srv), LO);
    c->resume();
    rec("client", "connecting", c->remote_address().empty(),
        c->remote_port() == 0);
    c->on_connect(connected);
    c->on_close([&](bool) {
      rec("client", "after", c->local_address().empty(), c->local_port() == 0);
    });
  });
  run();
}

SCENARIO("094_options_chain") {
  using std::chrono::milliseconds;
  ServerOptions options = {.no_delay = true,
                           .keep_alive = true,
                           .keep_alive_initial_delay = milliseconds(60000)};
  ServerPtr srv = create_server(options, [&](auto s) {
    rec("server_socket", "chain", &s->set_no_delay() == s.get(),
        &s->set_no_delay(false) == s.get(),
        &s->set_keep_alive(true, milliseconds(1000)) == s.get(),
        &s->set_keep_alive() == s.get());
    s->end("ok");
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = new_socket();
    rec("client", "before", &c->set_no_delay(true) == c.get(),
        &c->set_keep_alive(true, milliseconds(2000)) == c.get(),
        &c->set_timeout(milliseconds(0)) == c.get(),
        &c->set_encoding(Encoding::kUtf8) == c.get());
    c->connect(port_of(srv), LO);
    watch("client", c);
    c->on_connect([&] {
      rec("client", "after", &c->set_no_delay(false) == c.get(),
          &c->set_keep_alive(false) == c.get());
    });
    c->on_close([&](bool) {
      rec("client", "closed", &c->set_no_delay(true) == c.get(),
          &c->set_keep_alive(true) == c.get());
    });
  });
  run();
}

}  // namespace oracle
