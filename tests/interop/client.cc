// client: sends what it reads on stdin, then FIN.
//
//   client ADDRESS             a port of 127.0.0.1, or a unix path
//   client ADDRESS after-end   begins to send once the peer has ended
//   client ADDRESS reset       never ends: resets at the first answer
//
// stdout: what it received; stderr: the events, one per line.
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/10_socket/socket.h"
#include "common/error.h"

namespace {

void say(const std::string& event) {
  std::fprintf(stderr, "%s\n", event.c_str());
}

// As much as the socket takes now; drain calls this again.
void send_rest(net::Socket& socket, bool then_end) {
  char piece[65536];
  while (std::size_t n = std::fread(piece, 1, sizeof piece, stdin))
    if (!socket.write({piece, n})) return;
  if (then_end) socket.end();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::string address = argv[1], mode = argc > 2 ? argv[2] : "";
  bool after_end = mode == "after-end", reset = mode == "reset";
  net::ConnectOptions options;
  options.host = "127.0.0.1";
  options.allow_half_open = after_end;
  if (address.find_first_not_of("0123456789") == address.npos)
    options.port = std::stoi(address);
  else
    options.path = address;

  net::EventLoop loop;
  auto socket = net::connect(loop, options);
  socket->on_connect([&] {
    say("connect");
    if (!after_end) send_rest(*socket, !reset);
  });
  socket->on_drain([&] { send_rest(*socket, !reset); });
  socket->on_data([&](std::string_view bytes) {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    if (reset) socket->reset_and_destroy();
  });
  socket->on_finish([] { say("finish"); });
  socket->on_end([&] {
    say("end");
    if (after_end) send_rest(*socket, true);
  });
  socket->on_error([](const net::Error& error) { say("error " + error.code); });
  socket->on_close([](bool had_error) {
    say(had_error ? "close after an error" : "close");
  });
  loop.run();
}
