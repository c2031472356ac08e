// Ending: one direction, both, and what stays open in between.
#include <string>
#include <string_view>

#include "common/encoding.h"
#include "tests/oracle/recorder.h"

namespace oracle {

SCENARIO("059_end_basic_order") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_connect([&] {
      Socket& r = c->end("bye", [&] {
        rec("client", "end-callback", c->writable_finished());
      });
      rec("client", "mark", "end() returned", &r == c.get(), c->writable(),
          c->writable_ended(), c->writable_finished());
    });
  });
  run();
}

SCENARIO("060_end_flushes") {
  std::string bytes, got;
  while (bytes.size() < 12 << 20) bytes += "ab";
  ServerPtr srv = create_server([&](auto s) {
    s->on_data([&](std::string_view data) { got += data; });
    s->on_end([&] { rec("server_socket", "end", got.size(), sha(got)); });
    s->on_close([&](bool had_error) {
      rec("server_socket", "close", had_error);
      srv->close();
    });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_connect([&] {
      rec("client", "write", c->write(bytes));
      c->end([&] { rec("client", "end-callback", c->writable_length()); });
    });
    c->on_close(
        [&](bool) { rec("client", "bytesWritten", c->bytes_written()); });
  });
  run();
}

SCENARIO("063_half_open_client_receives") {
  SocketPtr peer, c;
  TimerId t = {};
  int i = 0;
  auto part = [&] {
    if (++i <= 3) {
      peer->write("part" + std::to_string(i) + " ");
    } else {
      loop.clear_timer(t);
      peer->end();
    }
  };
  ServerPtr srv = create_server({.allow_half_open = true}, [&](auto s) {
    peer = s;
    s->resume();
    s->on_end([&] { t = every(30, part); });
    s->on_close([&](bool) { srv->close(); });
  });
  auto state = [&] { rec("client", "state", c->ready_state()); };
  listen(srv, [&] {
    c = watch("client", connect(srv));
    state();
    c->on_connect([&] {
      state();
      c->end();
      state();
    });
    c->on_close([&](bool) { state(); });
  });
  run();
}

SCENARIO("064_half_open_client_writes") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->end("over to you");
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  auto go_on = [&] {
    rec("client", "state", c->ready_state(), c->writable(), c->destroyed());
    c->write("still ");
    later(30, [&] { c->end("here"); });
  };
  listen(srv, [&] {
    c = watch(
        "client",
        connect({.host = LO, .port = port_of(srv), .allow_half_open = true}));
    c->on_end([&] { later(120, go_on); });
  });
  run();
}

SCENARIO("065_half_open_idle_stays") {
  ServerPtr srv = create_server({.allow_half_open = true}, [&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->on_end([s] {
      later(300, [s] {
        rec("server_socket", "state", s->destroyed(), s->writable(),
            s->readable());
        s->destroy();
      });
    });
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->end("x");
    c->on_end([] { mark("client", "server is gone"); });
  });
  run();
}

SCENARIO("066_simultaneous_end") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->end("from server");
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->end("from client");
  });
  run();
}

SCENARIO("068_end_callback_before_close") {
  ServerPtr srv = create_server({.allow_half_open = true}, [&](auto s) {
    s->resume();
    s->on_end([s] { later(60, [s] { s->end(); }); });
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  auto flags = [&] {
    rec("client", "flags", c->writable_ended(), c->writable_finished());
  };
  listen(srv, [&] {
    c = watch("client", connect(srv), {.data = false});
    c->resume();
    c->on_finish([&] {
      rec("client", "finish", c->writable_ended(), c->writable_finished(),
          c->writable_length());
    });
    c->on_connect([&] {
      flags();
      c->end("abc");
      flags();
    });
  });
  run();
}

SCENARIO("160_end_in_end_listener") {
  std::string got;
  ServerPtr srv = create_server([&](auto s) {
    s->set_encoding(Encoding::kUtf8);
    s->on_data([&](std::string_view text) { got += text; });
    s->on_end([&, s] {
      s->end("you said " + got, [] { rec("server_socket", "end-callback"); });
      rec("server_socket", "end", s->writable());
    });
    s->on_close([&](bool had_error) {
      rec("server_socket", "close", had_error);
      srv->close();
    });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->write("hel");
    c->end("lo");
  });
  run();
}

}  // namespace oracle
