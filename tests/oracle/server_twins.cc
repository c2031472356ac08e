// Servers and their connections: taken, counted, turned away, outlived.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/encoding.h"
#include "common/error.h"
#include "tests/oracle/recorder.h"

namespace oracle {

SCENARIO("026_unix_basic") {
  std::string p = tmp("e.sock");
  auto file_exists = [&] {
    rec("server", "file-exists", std::filesystem::exists(p));
  };
  ServerPtr srv = create_server([&](auto s) {
    rec("server_socket", "addr",
        std::vector<Json>{s->remote_address().empty(), s->remote_port() == 0,
                          s->local_address().empty(), s->local_port() == 0});
    watch("server_socket", s, {.connect = false});
    s->on_data([s](std::string_view data) { s->write(data); });
  });
  watch_server("server", srv);
  SocketPtr c;
  srv->listen(p, [&] {
    rec("server", "address", srv->address().value().address == p,
        std::filesystem::is_socket(p));
    c = watch("client", net::connect(loop, p));
    c->on_connect([&] {
      rec("client", "addr", c->remote_address().empty(), keys(c->address()));
      c->write("ping");
    });
    c->on_data([&](std::string_view) { c->end(); });
    c->on_close([&](bool) {
      file_exists();
      srv->close();
    });
    srv->on_close(file_exists);
  });
  run();
}

SCENARIO("028_accept_many") {
  ServerPtr srv = create_server([](auto s) {
    rec("server", "connection", s->connecting(), true);  // a Socket, by type
    s->on_connect([] { rec("server", "UNEXPECTED connect"); });
    s->set_encoding(Encoding::kUtf8);
    s->on_data(
        [s](std::string_view text) { s->end("re:" + std::string(text)); });
  });
  int open = 3;
  listen(srv, [&] {
    for (std::string n : {"a", "b", "c"}) {
      SocketPtr c = watch("client_" + n, connect(srv));
      c->on_connect([c, n] { c->write(n); });
      c->on_close([&](bool) {
        if (--open == 0) srv->close();
      });
    }
  });
  run();
}

SCENARIO("029_pause_on_connect") {
  ServerPtr srv = create_server({.pause_on_connect = true}, [&](auto s) {
    rec("server_socket", "paused", s->is_paused());
    watch("server_socket", s, {.connect = false});
    later(200, [s] {
      mark("server_socket", "before resume()");
      s->resume();
      mark("server_socket", "resume() returned");
    });
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = connect(srv);
    c->end("early data");
    c->resume();
  });
  run();
}

SCENARIO("095_server_close_waits") {
  SocketPtr c, d;
  int port = 0;
  ServerPtr srv = watch_server(
      "server", create_server([&](auto s) {
        rec("server", "connection");
        s->on_data([s](std::string_view) { s->end("late reply"); });
        srv->close([](const Error* error) {
          rec("server", "close-callback", code(error));
        });
        rec("server", "mark", "close() returned", srv->listening(),
            srv->address());
      }));
  auto newcomer = [&] {
    srv->get_connections(
        [](const Error*, int n) { rec("server", "count", n); });
    d = watch("newcomer", connect({.host = LO, .port = port}));
    d->on_close([&](bool) {
      mark("server", "still waiting");
      c->write("finish");
    });
  };
  listen(srv, [&] {
    port = port_of(srv);
    c = watch("client", connect(srv));
    c->on_connect([&] { later(150, newcomer); });
  });
  run();
}

SCENARIO("096_server_close_not_running") {
  ServerPtr srv = watch_server("server", create_server());
  Server& r = srv->close(
      [](const Error* error) { rec("server", "close-callback", code(error)); });
  rec("server", "returns", &r == srv.get());
  mark("server", "close() returned");
  run();
}

SCENARIO("098_server_close_destroyed_sockets") {
  std::vector<SocketPtr> socks;
  ServerPtr srv;
  auto destroy_2 = [&] {
    mark("server", "destroy 2");
    socks[1]->destroy();
  };
  auto destroy_1 = [&] {
    mark("server", "destroy 1");
    socks[0]->destroy();
    later(80, destroy_2);
  };
  srv = watch_server("server", create_server([&](auto s) {
                       ignore_errors(s);
                       s->resume();
                       socks.push_back(s);
                       if (socks.size() != 2) return;
                       srv->close();
                       mark("server", "close() returned");
                       later(80, destroy_1);
                     }));
  listen(srv, [&] {
    for (std::string n : {"a", "b"}) watch("client_" + n, connect(srv));
  });
  run();
}

SCENARIO("099_get_connections") {
  ServerPtr srv = create_server([](auto s) { s->resume(); });
  auto q = [&](
               const char* label, EventLoop::Task then = [] {}) {
    Server& r = srv->get_connections([=](const Error* error, int n) {
      rec("server", "count", label, code(error), n);
      then();
    });
    rec("server", "mark", "returned", &r == srv.get());
  };
  std::vector<SocketPtr> two;
  int n = 0;
  auto end_both = [&] {
    two[1]->destroy();
    srv->on_close([&] { q("closed"); });
    srv->close();
  };
  auto end_one = [&] {
    two[0]->end();
    two[0]->on_close([&](bool) { later(100, [&] { q("one", end_both); }); });
  };
  auto connect_two = [&] {
    for (int i = 0; i < 2; ++i) two.push_back(connect(srv));
    for (const SocketPtr& c : two) c->resume();
    srv->on_connection([&](auto&) {
      if (++n == 2) q("two", end_one);
    });
  };
  listen(srv, [&] { q("none", connect_two); });
  run();
}

SCENARIO("100_max_connections_drop") {
  ServerPtr srv = create_server([](auto s) {
    rec("server", "connection");
    s->resume();
  });
  srv->max_connections(1);
  SocketPtr c, d;
  int port = 0;
  auto dropped = [&](const DropInfo& i) {
    rec("server", "drop", keys(i), i.local_address, i.local_port == port,
        i.local_family, i.remote_address, i.remote_family,
        i.remote_port == d->local_port());
  };
  listen(srv, [&] {
    port = port_of(srv);
    c = connect(srv);
    c->resume();
    srv->on_drop(dropped);
    srv->on_connection.once([&](auto&) {
      d = watch("refused", connect(srv));
      d->on_close([&](bool) {
        srv->get_connections([&](const Error*, int n) {
          rec("server", "count", n);
          c->end();
          srv->close();
        });
      });
    });
  });
  run();
}

SCENARIO("102_drop_unix") {
  std::string p = tmp("d.sock");
  ServerPtr srv = create_server([](auto s) { s->resume(); });
  srv->max_connections(1);
  srv->on_drop([](const DropInfo& i) {
    rec("server", "drop", i.local_address.empty() && i.remote_address.empty());
  });
  SocketPtr c;
  srv->listen(p, [&] {
    c = net::connect(loop, p);
    c->resume();
    srv->on_connection.once([&](auto&) {
      watch("refused", net::connect(loop, p))->on_close([&](bool) {
        c->end();
        srv->close();
      });
    });
  });
  run();
}

SCENARIO("154_accepted_socket_outlives_server") {
  ServerPtr srv = watch_server("server", create_server([](auto s) {
                                 watch("server_socket", s, {.connect = false});
                                 s->on_data([s](std::string_view data) {
                                   s->write("echo:" + std::string(data));
                                 });
                               }));
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_data.once([&](std::string_view) {
      srv->close();
      srv->close();
      mark("server", "close() returned");
      later(60, [&] { c->write("after"); });
      c->on_data.once([&](std::string_view) { c->end(); });
    });
    c->on_connect([&] { c->write("before"); });
  });
  run();
}

}  // namespace oracle
