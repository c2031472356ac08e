// Flow: when data is delivered, and when the end is.
#include <cstddef>
#include <string>
#include <string_view>

#include "tests/oracle/recorder.h"

namespace oracle {

SCENARIO("039_pause_resume") {
  ServerPtr srv = create_server([](auto s) {
    s->write("first");
    s->on_data([s](std::string_view) { s->end("second"); });
  });
  SocketPtr c;
  auto resume = [&] {
    mark("client", "before resume()");
    Socket& r = c->resume();
    rec("client", "mark", "resume() returned", &r == c.get(), c->is_paused());
  };
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_data.once([&](std::string_view) {
      Socket& r = c->pause();
      rec("client", "pause", &r == c.get(), c->is_paused());
      c->write("go");
      later(200, resume);
    });
    c->on_close([&](bool) { srv->close(); });
  });
  run();
}

SCENARIO("040_pause_before_connect") {
  ServerPtr srv = create_server([](auto s) { s->end("data"); });
  SocketPtr c;
  auto resume = [&] {
    mark("client", "before resume()");
    c->resume();
  };
  listen(srv, [&] {
    c = connect(srv);
    c->pause();
    watch("client", c);
    c->on_connect([&] { later(150, resume); });
    c->on_close([&](bool) { srv->close(); });
  });
  run();
}

SCENARIO("042_no_consumer_no_end") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false, .data = false});
    later(200, [s] {
      rec("server_socket", "mark", "before resume()", s->bytes_read() > 0);
      s->resume();
    });
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = connect(srv);
    c->resume();
    c->end("ignored");
  });
  run();
}

SCENARIO("043_late_data_listener") {
  ServerPtr srv = create_server([&](auto s) {
    later(150, [s] {
      mark("server_socket", "attaching");
      watch("server_socket", s, {.connect = false});
      mark("server_socket", "attached");
    });
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = connect(srv);
    c->resume();
    c->write("kept ");
    c->end("safe");
  });
  run();
}

SCENARIO("044_no_consumer_empty_stream") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false, .data = false});
    later(300, [s] {
      rec("server_socket", "mark", "300 ms", s->is_paused(), s->destroyed());
    });
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = connect(srv);
    c->resume();
    c->end();
  });
  run();
}

SCENARIO("046_resume_discards") {
  ServerPtr srv = create_server([&](auto s) {
    s->resume();
    s->on_end.once([s] { rec("server_socket", "end", s->bytes_read()); });
    s->on_close([&](bool had_error) {
      rec("server_socket", "close", had_error);
      srv->close();
    });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->end("12345");
  });
  run();
}

SCENARIO("047_backpressure_paused_reader") {
  constexpr std::size_t kBig = 24 << 20;
  SocketPtr peer, c;
  std::size_t n = 0;
  ServerPtr srv = create_server([&](auto s) {
    peer = s;
    s->pause();
    s->on_data([&](std::string_view data) {
      n += data.size();
      if (n == kBig) rec("server_socket", "all", n);
    });
    s->on_end([] { rec("server_socket", "end"); });
    s->on_close([&](bool) { srv->close(); });
  });
  auto connected = [&] {
    bool more = c->write(std::string(kBig, '\0'));
    rec("client", "write", more, c->writable_need_drain());
    c->on_drain([&] {
      rec("client", "drain", c->writable_length(), c->writable_need_drain());
      c->end();
    });
    later(300, [&] {
      rec("client", "mark", "peer resumes", c->writable_length() > 0);
      peer->resume();
    });
  };
  listen(srv, [&] {
    c = connect(srv);
    c->resume();
    c->on_connect(connected);
    c->on_close([&](bool had_error) { rec("client", "close", had_error); });
  });
  run();
}

}  // namespace oracle
