// TLS: handshakes that fail, and who is told.
#include <functional>
#include <string>
#include <string_view>

#include "tests/oracle/tls_recorder.h"

namespace oracle {

SCENARIO("125_tls_plaintext_to_tls_server") {
  TlsServerPtr srv =
      watch_tls_server("server", create_tls_server(server_options()));
  // That it is a TlsSocket, the compiler says.
  srv->on_tls_client_error(
      [](const Error&, auto) { rec("server", "socket", true); });
  SocketPtr c;
  listen(srv, [&] {
    c = connect(srv, [&] { c->write("this is not tls at all, sorry\r\n"); });
    c->resume();
    ignore_errors(c);
    c->on_close([&](bool) {
      rec("client", "close");
      later(50, [&] { srv->close(); });
    });
  });
  run();
}

SCENARIO("126_tls_client_to_plain_server") {
  ServerPtr srv = create_server([&](auto s) {
    ignore_errors(s);
    s->on_data.once(
        [s](std::string_view) { s->end("HTTP/1.1 400 Bad Request\r\n\r\n"); });
    s->on_close([&](bool) { srv->close(); });
  });
  TlsSocketPtr c;
  listen(srv, [&] {
    c = watch_tls("client", connect(to(srv)));
    c->on_error([&](const Error&) {
      rec("client", "state", c->authorized(), c->destroyed());
    });
  });
  run();
}

SCENARIO("127_tls_server_hangs_up") {
  ServerPtr srv = create_server([&](auto s) {
    ignore_errors(s);
    s->on_data.once([s](std::string_view) { s->end(); });
    s->on_close([&](bool) { srv->close(); });
  });
  TlsSocketPtr c;
  listen(srv,
         [&] { c = watch_tls("client", connect(to(srv)), {.end = false}); });
  run();
}

SCENARIO("128_tls_client_hangs_up") {
  TlsServerPtr srv =
      watch_tls_server("server", create_tls_server(server_options()));
  SocketPtr c;
  listen(srv, [&] {
    c = connect(srv, [&] { c->end(); });
    c->resume();
    c->on_close([&](bool) {
      rec("client", "close");
      later(50, [&] { srv->close(); });
    });
  });
  run();
}

SCENARIO("130_tls_connect_refused") {
  ServerPtr srv = create_server();
  TlsSocketPtr c;
  listen(srv, [&] {
    int port = port_of(srv);
    srv->close([&, port] {
      c = watch_tls("client", connect(to_port(port)));
      mark("client", "connect() returned");
      c->on_error([port](const Error& e) {
        rec("client", "syscall", e.syscall, e.port == port);
      });
    });
  });
  run();
}

SCENARIO("142_tls_destroy_before_secure") {
  TlsServerPtr srv =
      watch_tls_server("server", create_tls_server(server_options()));
  TlsSocketPtr c;
  listen(srv, [&] {
    c = watch_tls("client", connect(to(srv)));
    c->on_connect([&] {
      c->destroy();
      mark("client", "destroy() returned");
    });
    c->on_close([&](bool) { later(100, [&] { srv->close(); }); });
  });
  run();
}

SCENARIO("150_tls_no_server_cert") {
  TlsServerPtr srv = watch_tls_server("server", create_tls_server({}));
  TlsSocketPtr c;
  listen(srv, [&] {
    c = watch_tls("client", connect(to(srv)));
    c->on_close([&](bool) { later(50, [&] { srv->close(); }); });
  });
  run();
}

SCENARIO("151_tls_failed_client_does_not_hurt_server") {
  TlsServerPtr srv = watch_tls_server(
      "server",
      create_tls_server(server_options(), [](auto s) { s->end("fine"); }));
  SocketPtr j;
  TlsSocketPtr c;
  auto count = [&] {
    srv->get_connections([&](const Error*, int n) {
      rec("server", "count", n);
      srv->close();
    });
  };
  listen(srv, [&] {
    j = connect(srv, [&] { j->write("junk junk junk"); });
    j->resume();
    ignore_errors(j);
    j->on_close([&](bool) {
      c = watch_tls("client", connect(to(srv)));
      c->on_close([&](bool) { later(80, count); });
    });
  });
  run();
}

}  // namespace oracle
