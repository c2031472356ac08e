// Writing: what write() returns, when its callback runs, and the drain.
#include <cstddef>
#include <string>
#include <string_view>

#include "common/error.h"
#include "tests/oracle/recorder.h"

namespace oracle {

SCENARIO("048_write_return_hwm") {
  std::size_t n = 0;
  ServerPtr srv = create_server([&](auto s) {
    s->on_data([&](std::string_view data) { n += data.size(); });
    s->on_end([&] { rec("server_socket", "total", n); });
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  auto write = [&](std::size_t bytes) {
    bool more = c->write(std::string(bytes, '\0'));
    rec("client", "write", more, c->writable_length(),
        c->writable_need_drain());
  };
  listen(srv, [&] {
    c = connect(srv);
    c->resume();
    rec("client", "hwm", c->high_water_mark());
    write(16383);
    write(1);
    write(10);
    c->on_drain([&] {
      rec("client", "drain", c->writable_length(), c->writable_need_drain());
      later(50, [&] { c->end(); });
    });
    c->on_close([](bool) { rec("client", "close"); });
  });
  run();
}

SCENARIO("049_hwm_option") {
  ServerPtr srv = create_server({.high_water_mark = 1000}, [&](auto s) {
    // One mark for both directions.
    rec("server_socket", "hwm", s->high_water_mark(), s->high_water_mark());
    s->resume();
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = new_socket({.high_water_mark = 10});
    c->connect(port_of(srv), LO);
    c->resume();
    rec("client", "hwm", c->high_water_mark());
    rec("client", "write", c->write("123456789"));
    rec("client", "write", c->write("0"));
    rec("client", "write", c->write("1"));
    c->on_drain([&] {
      rec("client", "drain");
      c->end();
    });
    c->on_close([](bool) { rec("client", "close"); });
  });
  run();
}

SCENARIO("050_no_drain_when_true") {
  ServerPtr srv = create_server([&](auto s) {
    s->resume();
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  std::string bytes(1000, '\0');
  listen(srv, [&] {
    c = connect(srv);
    c->resume();
    bool first = c->write(bytes), second = c->write(bytes);
    rec("client", "write", first, second);
    c->on_drain([] { rec("client", "UNEXPECTED drain"); });
    c->on_connect([&] {
      rec("client", "write", c->write("x"));
      later(150, [&] { c->end(); });
    });
    c->on_close([](bool) { rec("client", "close"); });
  });
  run();
}

SCENARIO("052_drain_repeats") {
  std::string chunk(8 << 20, '\0');
  std::size_t total = 0;
  ServerPtr srv = create_server([&](auto s) {
    s->on_data([&](std::string_view data) { total += data.size(); });
    s->on_close([&](bool) {
      rec("server_socket", "total", total);
      srv->close();
    });
  });
  SocketPtr c;
  int round = 0;
  auto go = [&] { rec("client", "write", c->write(chunk)); };
  listen(srv, [&] {
    c = connect(srv);
    c->resume();
    c->on_drain([&] {
      rec("client", "drain");
      if (++round < 3)
        go();
      else
        c->end();
    });
    c->on_connect(go);
    c->on_close([](bool) { rec("client", "close"); });
  });
  run();
}

SCENARIO("053_write_callback_order") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = connect(srv);
    c->resume();
    c->on_connect([&] {
      for (int i = 0; i < 5; ++i)
        c->write("m" + std::to_string(i), [i](const Error* error) {
          rec("client", "cb", i, code(error));
        });
      mark("client", "writes returned");
      c->end([] { rec("client", "end-callback"); });
      mark("client", "end() returned");
    });
    c->on_close([](bool had_error) { rec("client", "close", had_error); });
  });
  run();
}

SCENARIO("054_write_after_end") {
  ServerPtr srv = create_server({.allow_half_open = true}, [&](auto s) {
    ignore_errors(s);
    s->resume();
    s->on_close([&](bool) { srv->close(); });
    s->on_end([s] { later(50, [s] { s->end(); }); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv), {.data = false});
    c->resume();
    c->on_connect([&] {
      c->end("fin");
      rec("client", "write", c->write("late", [](const Error* error) {
        rec("write_cb", "cb", code(error));
      }));
      mark("client", "write() returned");
    });
  });
  run();
}

SCENARIO("055_write_after_destroy") {
  ServerPtr srv = create_server([&](auto s) {
    ignore_errors(s);
    s->resume();
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  auto cb = [](const Error* error) { rec("write_cb", "cb", code(error)); };
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_connect([&] {
      c->destroy();
      rec("client", "write", c->write("x", cb));
      c->on_close([&](bool) { rec("client", "write", c->write("y", cb)); });
    });
  });
  run();
}

SCENARIO("056_write_after_peer_fin") {
  ServerPtr srv = create_server([&](auto s) {
    ignore_errors(s);
    s->pause();
    s->end();
    later(500, [s] { s->destroy(); });
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  auto too_late = [&] {
    rec("client", "state", c->writable(), c->writable_ended(),
        c->writable_finished(), c->destroyed());
    rec("client", "write", c->write("too late", [](const Error* error) {
      rec("write_cb", "cb", code(error));
    }));
    mark("client", "write() returned");
  };
  listen(srv, [&] {
    c = watch("client", connect(srv), {.data = false});
    c->resume();
    c->on_connect([&] { c->write(std::string(24 << 20, '\0')); });
    c->on_end([&] { later(50, too_late); });
  });
  run();
}

SCENARIO("079_epipe_after_peer_gone") {
  ServerPtr srv = create_server([&](auto s) {
    ignore_errors(s);
    s->destroy();
    srv->close();
  });
  SocketPtr c;
  auto cb = [](const char* which) {
    return [=](const Error* error) { rec("write_cb", which, code(error)); };
  };
  listen(srv, [&] {
    c = watch(
        "client",
        connect({.host = LO, .port = port_of(srv), .allow_half_open = true}));
    c->on_end([&] {
      later(50, [&] {
        c->write("first", cb("first"));
        later(100, [&] { c->write("second", cb("second")); });
      });
    });
    c->on_error([](const Error& e) { rec("client", "syscall", e.syscall); });
  });
  run();
}

SCENARIO("153_drain_then_end_in_drain") {
  std::string block(64 * 1024, 'q');
  std::size_t n = 0;
  ServerPtr srv = create_server([&](auto s) {
    s->on_data([&](std::string_view data) { n += data.size(); });
    s->on_end([&] { rec("server_socket", "end", n); });
    s->on_close([&](bool had_error) {
      rec("server_socket", "close", had_error);
      srv->close();
    });
  });
  SocketPtr c;
  int i = 0, falses = 0, drains = 0, bad = 0;
  auto pump = [&] {
    while (i < 200) {
      ++i;
      if (c->write(block)) continue;
      ++falses;
      return;
    }
    c->end();
  };
  listen(srv, [&] {
    c = connect(srv);
    c->resume();
    c->on_drain([&] {
      ++drains;
      if (c->writable_length() != 0) ++bad;
      pump();
    });
    pump();  // while it is connecting: already the first write returns false
    rec("client", "first", falses, i);
    c->on_close([&](bool had_error) {
      rec("client", "close", had_error, falses == drains, bad);
    });
  });
  run();
}

}  // namespace oracle
