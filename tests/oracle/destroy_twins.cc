// Destroying a connection, and what the peer sees of it.
#include <cstddef>
#include <string>
#include <string_view>

#include "common/error.h"
#include "tests/oracle/recorder.h"

namespace oracle {

SCENARIO("069_destroy_basic") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_connect([&] {
      Socket& r = c->destroy();
      rec("client", "mark", "destroy() returned", &r == c.get(), c->destroyed(),
          c->readable(), c->writable());
      c->destroy();
      c->destroy(Error("", "ignored"));
      mark("client", "repeated destroy() returned");
    });
  });
  run();
}

SCENARIO("070_destroy_with_error") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_connect([&] {
      c->destroy(Error("E_MINE", "mine"));
      c->destroy(Error("E_SECOND", "second"));
      mark("client", "destroy() returned");
    });
  });
  run();
}

SCENARIO("071_destroy_in_data") {
  ServerPtr srv = create_server([&](auto s) {
    ignore_errors(s);
    s->write("one");
    s->on_data([](std::string_view) {});
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv), {.data = false});
    c->on_data([&](std::string_view data) {
      rec("client", "chunk", data);
      c->destroy();
      rec("client", "mark", "destroy() returned", c->destroyed());
    });
  });
  run();
}

SCENARIO("074_destroy_soon_flushes") {
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
  listen(srv, [&] {
    c = watch("client", connect(srv), {.data = false});
    c->on_connect([&] {
      c->write(std::string(10 << 20, '\0'));
      c->destroy_soon();
      rec("client", "mark", "destroySoon() returned", c->destroyed(),
          c->writable());
    });
  });
  run();
}

SCENARIO("075_destroy_unread_resets_peer") {
  ServerPtr srv = create_server({.pause_on_connect = true}, [&](auto s) {
    watch("server_socket", s, {.connect = false, .data = false});
    later(150, [s] { s->destroy(); });
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_connect([&] { c->write("never read"); });
  });
  run();
}

SCENARIO("076_reset_and_destroy") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->on_data([s](std::string_view) {
      s->reset_and_destroy();
      rec("server_socket", "mark", "returned", s->destroyed());
    });
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_error([](const Error& e) { rec("client", "syscall", e.syscall); });
    c->on_connect([&] { c->write("x"); });
  });
  run();
}

}  // namespace oracle
