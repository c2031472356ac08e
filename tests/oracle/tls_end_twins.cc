// TLS: after the handshake: ends, resets, pauses, addresses, time-outs.
#include <chrono>
#include <string>
#include <string_view>

#include "tests/oracle/tls_recorder.h"

namespace oracle {

SCENARIO("138_tls_server_end") {
  TlsServerPtr srv = create_tls_server(server_options(), [&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->write("one ");
    s->end("two", [] { rec("server_socket", "end-callback"); });
    s->on_close([&](bool) { srv->close(); });
  });
  TlsSocketPtr c;
  listen(srv, [&] { c = watch_tls("client", connect(to(srv))); });
  run();
}

SCENARIO("140_tls_reset_mid_stream") {
  TlsServerPtr srv = create_tls_server(server_options(), [](auto s) {
    ignore_errors(s);
    s->write("partial");
  });
  SocketPtr down;
  ServerPtr proxy = create_server([&](auto a) {
    SocketPtr b = connect(srv);
    down = a;
    a->on_data([b](std::string_view d) { b->write(d); });
    b->on_data([a](std::string_view d) { a->write(d); });
    ignore_errors(a);
    ignore_errors(b);
    a->on_close([&, b](bool) {
      b->destroy();
      proxy->close();
      srv->close();
    });
  });
  TlsSocketPtr c;
  listen(srv, [&] {
    listen(proxy, [&] {
      c = watch_tls("client", connect(to(proxy)));
      c->on_data([&](std::string_view) {
        later(80, [&] { down->reset_and_destroy(); });
      });
    });
  });
  run();
}

SCENARIO("141_tls_destroy") {
  TlsServerPtr srv = create_tls_server(server_options(), [&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->on_close([&](bool) { srv->close(); });
  });
  TlsSocketPtr c;
  listen(srv, [&] {
    tls::ConnectOptions options = to(srv);
    options.max_version = "TLSv1.2";
    c = watch_tls("client", connect(options));
    c->on_secure_connect([&] {
      later(50, [&] {
        c->destroy();
        rec("client", "mark", "destroy() returned", c->destroyed());
        c->destroy();
      });
    });
  });
  run();
}

SCENARIO("144_tls_pause") {
  TlsServerPtr srv = create_tls_server(server_options(), [&](auto s) {
    s->write("first");
    s->on_data([s](std::string_view) { s->end("second"); });
    s->on_close([&](bool) { srv->close(); });
  });
  TlsSocketPtr c;
  listen(srv, [&] {
    c = watch_tls("client", connect(to(srv)));
    c->on_data.once([&](std::string_view) {
      c->pause();
      c->write("go");
      later(200, [&] {
        mark("client", "before resume()");
        c->resume();
      });
    });
  });
  run();
}

SCENARIO("146_tls_addresses") {
  int port = 0;
  TlsServerPtr srv = create_tls_server(server_options(), [&](auto s) {
    rec("server", "secureConnection");
    rec("server_socket", "addr", s->remote_address(), s->local_port() == port,
        s->address().family);
    srv->get_connections(
        [](const Error*, int n) { rec("server", "count", n); });
    srv->close([] { rec("server", "close-callback"); });
    mark("server", "close() returned");
    later(100, [s] { s->end("bye"); });
  });
  watch_server("server", srv);
  TlsSocketPtr c;
  listen(srv, [&] {
    port = port_of(srv);
    c = watch_tls("client", connect(to(srv)));
    c->on_secure_connect([&] {
      rec("client", "addr", c->remote_address(), c->remote_port() == port,
          c->local_address());
    });
  });
  run();
}

SCENARIO("147_tls_timeout") {
  TlsServerPtr srv = create_tls_server(server_options(), [&](auto s) {
    s->resume();
    s->on_close([&](bool) { srv->close(); });
  });
  TlsSocketPtr c;
  listen(srv, [&] {
    c = watch_tls("client", connect(to(srv)));
    c->on_secure_connect([&] {
      c->set_timeout(std::chrono::milliseconds(150),
                     [&] { rec("client", "callback", c->destroyed()); });
      later(500, [&] { c->end(); });
    });
  });
  run();
}

SCENARIO("163_tls_half_open_client") {
  TlsServerPtr srv = create_tls_server(server_options(), [&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->end("your turn");
    s->on_close([&](bool) { srv->close(); });
  });
  TlsSocketPtr c;
  listen(srv, [&] {
    tls::ConnectOptions options = to(srv);
    options.allow_half_open = true;
    c = connect(options);
    watch("client", c);
    c->on_end([&] {
      later(100, [&] {
        rec("client", "state", c->writable(), c->destroyed());
        c->write("thanks");
        later(30, [&] { c->end("!"); });
      });
    });
  });
  run();
}

}  // namespace oracle
