// Data: bytes and text, whole and in pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/encoding.h"
#include "common/error.h"
#include "tests/oracle/recorder.h"

namespace oracle {
namespace {

// 2 MiB in which no part is like another.
std::string pattern(int seed) {
  std::string bytes(2 << 20, '\0');
  for (int i = 0; i < 2 << 20; ++i)
    bytes[static_cast<std::size_t>(i)] =
        static_cast<char>((i * seed + (i >> 12)) & 255);
  return bytes;
}

// Writes `out` in pieces, and records what came in, and that it was all.
void drive(const std::string& actor, const SocketPtr& s, std::string_view out) {
  auto got = std::make_shared<std::string>();
  s->on_data([got](std::string_view data) { *got += data; });
  s->on_end([=] { rec(actor, "end", got->size(), sha(*got)); });
  s->on_error([=](const Error& e) { rec(actor, "error", e.code); });
  s->on_close([=](bool had_error) {
    rec(actor, "close", had_error, s->bytes_read(), s->bytes_written());
  });
  for (; !out.empty(); out.remove_prefix(65536)) s->write(out.substr(0, 65536));
  s->end();
}

// Writes one part after the other: each waits for a word from the peer.
void step(const SocketPtr& s, std::vector<std::string> parts) {
  std::reverse(parts.begin(), parts.end());
  auto next =
      [s, left = std::make_shared<std::vector<std::string>>(std::move(parts))] {
        if (left->empty()) {
          s->end();
        } else {
          s->write(left->back());
          left->pop_back();
        }
      };
  s->on_data([next](std::string_view) { next(); });
  next();
}

// Says a word whenever bytes have arrived, whether or not they were text yet.
TimerId acknowledge(const SocketPtr& c, std::function<void(int)> arrived) {
  return every(5, [c, arrived, seen = std::uint64_t{0}]() mutable {
    if (c->bytes_read() <= seen) return;
    seen = c->bytes_read();
    arrived(static_cast<int>(seen));
    c->write(".");
  });
}

}  // namespace

SCENARIO("031_echo_counters") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false});
    s->on_data([s](std::string_view data) { s->write(data); });
    s->on_close([&, s](bool) {
      rec("server_socket", "bytes", s->bytes_read(), s->bytes_written());
      srv->close();
    });
  });
  SocketPtr c;
  std::size_t got = 0;
  auto bytes = [&] {
    rec("client", "bytes", c->bytes_read(), c->bytes_written());
  };
  listen(srv, [&] {
    c = watch("client", connect(srv));
    bytes();
    c->on_connect([&] {
      c->write("hello ");
      c->write("world!");
    });
    c->on_data([&](std::string_view data) {
      got += data.size();
      if (got == 12) c->end();
    });
    c->on_close([&](bool) { bytes(); });
  });
  run();
}

SCENARIO("032_binary_transparent") {
  std::string all(1024, '\0'), at_server, at_client;
  for (int i = 0; i < 1024; ++i)
    all[static_cast<std::size_t>(i)] =
        static_cast<char>((i * 7 + (i >> 8)) & 255);
  ServerPtr srv = create_server([&](auto s) {
    s->on_data([&](std::string_view data) { at_server += data; });
    s->on_end([&, s] {
      rec("server_socket", "got", at_server.size(), at_server == all,
          true);  // bytes, by type
      std::reverse(at_server.begin(), at_server.end());
      s->end(at_server);
    });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = connect(srv);
    c->on_data([&](std::string_view data) { at_client += data; });
    c->end(all);
    c->on_end([&] { rec("client", "got", sha(at_client)); });
    c->on_close([&](bool had_error) {
      rec("client", "close", had_error);
      srv->close();
    });
  });
  run();
}

SCENARIO("033_bulk_duplex") {
  std::string a = pattern(31), b = pattern(17);
  rec("expected", "sha", sha(a), sha(b));
  ServerPtr srv = create_server([&](auto s) { drive("server_socket", s, b); });
  SocketPtr c;
  listen(srv, [&] {
    c = connect(srv);
    drive("client", c, a);
    c->on_close([&](bool) { srv->close(); });
  });
  run();
}

SCENARIO("034_empty_write") {
  ServerPtr srv = create_server([&](auto s) {
    watch("server_socket", s, {.connect = false})->on_close([&](bool) {
      srv->close();
    });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = watch("client", connect(srv));
    c->on_connect([&] {
      rec("client", "write", c->write("", [&] {
        rec("client", "cb", c->bytes_written());
        later(50, [&] { c->end(); });
      }));
    });
  });
  run();
}

SCENARIO("035_utf8_split") {
  // "a", a euro sign, "b", an emoji, "c": 1, 3, 1, 4 and 1 bytes.
  std::string bytes = "a\u20acb\U0001F600c";
  std::vector<std::string> steps;
  for (auto [from, to] :
       {std::pair{0, 2}, {2, 3}, {3, 5}, {5, 7}, {7, 9}, {9, 10}})
    steps.emplace_back(bytes.begin() + from, bytes.begin() + to);
  ServerPtr srv = create_server([&](auto s) { step(s, steps); });
  SocketPtr c;
  TimerId poll = {};
  listen(srv, [&] {
    c = connect(srv);
    c->set_encoding(Encoding::kUtf8);
    poll = acknowledge(c, [](int seen) { rec("client", "bytes", seen); });
    c->on_data(
        [](std::string_view text) { rec("client", "chunk", "string", text); });
    c->on_end([] { rec("client", "end"); });
    c->on_close([&](bool had_error) {
      loop.clear_timer(poll);
      rec("client", "close", had_error);
      srv->close();
    });
  });
  run();
}

SCENARIO("037_encodings_streaming") {
  using Parts = std::vector<std::string>;
  auto start = [](const char* name, Encoding encoding, Parts parts,
                  EventLoop::Task next) {
    ServerPtr srv = create_server([=](auto s) { step(s, parts); });
    listen(srv, [=, server = srv.get()] {
      SocketPtr c = connect(server->shared_from_this());
      c->set_encoding(encoding);
      TimerId poll = acknowledge(c, [](int) {});
      c->on_data([=](std::string_view text) { rec(name, "chunk", text); });
      c->on_end([=] { rec(name, "end"); });
      c->on_close([=](bool) {
        loop.clear_timer(poll);
        server->close();
        next();
      });
    });
  };
  auto latin1 = [&] {
    start("latin1", Encoding::kLatin1, {"\xe9\xff", "\x80"}, [] {});
  };
  auto hex = [&] {
    start("hex", Encoding::kHex, {std::string("\0\xff", 2), "z"}, latin1);
  };
  start("base64", Encoding::kBase64, {"ABCD", "EF", "G", "HIJKLM"}, hex);
  run();
}

SCENARIO("038_write_encodings") {
  std::string got;
  ServerPtr srv = create_server([&](auto s) {
    s->on_data([&](std::string_view data) { got += data; });
    s->on_end([&] {
      rec("server_socket", "hex", TextDecoder(Encoding::kHex).feed(got));
    });
    s->on_close([&](bool) { srv->close(); });
  });
  SocketPtr c;
  listen(srv, [&] {
    c = connect(srv);
    c->resume();
    c->on_connect([&] {
      c->write("\u00e9|", Encoding::kUtf8);
      c->write("\u00e9|", Encoding::kLatin1);
      c->write("00ff7c", Encoding::kHex);
      c->write("QUJDfA==", Encoding::kBase64);
      c->write("\u20ac|", Encoding::kUtf16le);
      c->end(encode("end", Encoding::kAscii));
    });
    c->on_close(
        [&](bool) { rec("client", "bytesWritten", c->bytes_written()); });
  });
  run();
}

SCENARIO("159_utf8_truncated_emoji") {
  ServerPtr srv = create_server([](auto s) { s->end("x\xf0\x9f\x98"); });
  SocketPtr c;
  listen(srv, [&] {
    c = connect(srv);
    c->set_encoding(Encoding::kUtf8);
    watch("client", c)->on_close([&](bool) { srv->close(); });
  });
  run();
}

}  // namespace oracle
