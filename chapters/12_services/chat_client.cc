// chat_client NAME: what you type goes to the room, what the room says to you.
//
//   chat_client ann --port 8080 [--host H]
//   chat_client ann --path /tmp/chat.sock
#include <poll.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/12_services/connect_to.h"
#include "chapters/12_services/options.h"
#include "chapters/12_services/run_program.h"
#include "common/error.h"

namespace {

int chat(const net::Options& options) {
  int status = 0;
  net::EventLoop loop;
  auto room = net::connect_to(loop, options);
  room->on_data([](std::string_view text) { std::cout << text << std::flush; });
  room->on_error([&](const net::Error& error) {
    std::cerr << error.message << "\n";
    status = 1;
  });
  room->on_close([&](bool) { loop.unwatch(STDIN_FILENO); });
  room->write(options.words[0] + "\n");

  loop.watch(STDIN_FILENO, POLLIN, [&](short) {
    char typed[4096];
    ssize_t n = ::read(STDIN_FILENO, typed, sizeof typed);
    if (n > 0) {
      bool room_for_more = room->write({typed, static_cast<std::size_t>(n)});
      if (!room_for_more) loop.update(STDIN_FILENO, 0);
    } else {
      loop.unwatch(STDIN_FILENO);
      room->end();
    }
  });
  room->on_drain([&] { loop.update(STDIN_FILENO, POLLIN); });
  loop.run();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  return net::run_program(
      argc, argv, "chat_client NAME --port N [--host H] | --path P", 1, chat);
}
