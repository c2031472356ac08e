// A socket before it is connected, or that never is.
#include <string>

#include "common/error.h"
#include "tests/oracle/recorder.h"

namespace oracle {

SCENARIO("007_write_before_connect") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false})->on_close([&](bool) {
      srv->close();
    });
  });
  SocketPtr c;
  auto cb = [&](int i) {
    return [&, i](const Error* error) {
      rec("callbacks", i, code(error), c->connecting());
    };
  };
  listen(srv, [&] {
    c = connect(srv);
    rec("client", "write", c->write("one,", cb(1)));
    rec("client", "write", c->write("two,", cb(2)));
    rec("client", "pending", c->bytes_written(), c->writable_length());
    watch("client", c);
    c->on_connect([&] {
      rec("client", "write", c->write("three", [&](const Error* error) {
        cb(3)(error);
        c->end();
      }));
    });
    c->on_close(
        [&](bool) { rec("client", "bytesWritten", c->bytes_written()); });
  });
  run();
}

SCENARIO("008_end_before_connect") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false})->on_close([&](bool) {
      srv->close();
    });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->end("bye", [&] { rec("client", "end-callback"); });
    rec("client", "mark", "end() returned", c->writable(), c->connecting());
  });
  run();
}

SCENARIO("009_destroy_before_connect") {
  ServerPtr srv = create_server([](auto s) {
    ignore_errors(s);
    s->resume();
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv, [] { rec("client", "callback"); }));
    c->destroy();
    rec("client", "mark", "destroy() returned", c->destroyed(), c->connecting(),
        c->writable(), c->readable());
    c->on_close([&](bool) { later(100, [&] { srv->close(); }); });
  });
  run();
}

SCENARIO("011_destroy_in_connect") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false})->on_close([&](bool) {
      srv->close();
    });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_connect([&] {
      c->destroy();
      mark("client", "destroy() returned");
    });
  });
  run();
}

SCENARIO("058_write_unconnected") {
  SocketPtr c = new_socket();
  c->on_error([](const Error& e) { rec("client", "error", e.code); });
  c->on_close([](bool) { rec("client", "close"); });
  rec("client", "write", c->write("x", [](const Error* error) {
    rec("write_cb", "cb", code(error));
  }));
  mark("client", "write() returned");
  run();
}

SCENARIO("077_reset_while_connecting") {
  ServerPtr srv = create_server([&](auto s) {
    ignore_errors(s);
    s->resume();
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->reset_and_destroy();
    rec("client", "mark", "returned", c->destroyed(), c->connecting());
  });
  run();
}

SCENARIO("078_destroy_unconnected") {
  SocketPtr a = watch("plain", new_socket());
  a->destroy();
  mark("plain", "destroy() returned");
  SocketPtr b = new_socket();
  b->on_error([](const Error& e) { rec("with_error", "error", e.code); });
  b->on_close([](bool) { rec("with_error", "close"); });
  b->destroy(Error("E_X", "x"));
  mark("with_error", "destroy() returned");
  run();
}

SCENARIO("080_error_then_close_once") {
  SocketPtr c = watch("client", net::connect(loop, tmp("nope.sock")));
  c->on_error([&](const Error&) {
    rec("client", "in-error", c->destroyed());
    c->destroy(Error("", "again"));
    c->end();
    mark("client", "destroy() returned");
  });
  run();
}

SCENARIO("161_destroy_error_before_connect") {
  ServerPtr srv = create_server([](auto s) {
    ignore_errors(s);
    s->resume();
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->write("never sent", [](const Error* error) {
      rec("write_cb", error ? "failed" : "ok");
    });
    c->destroy(Error("E_X", "x"));
    mark("client", "destroy() returned");
    c->on_close([&](bool) { later(100, [&] { srv->close(); }); });
  });
  run();
}

}  // namespace oracle
