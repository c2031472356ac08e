// A server that greets its clients, echoes what they say, and ends in order.
//
//   greeter PORT-OR-PATH [MOST]   port 0: a free one; at most so many clients
//
// At SIGTERM or SIGINT it takes no more clients, and waits for those it has.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "chapters/05_unix_sockets/fd.h"
#include "chapters/07_event_loop/event_loop.h"
#include "chapters/11_server/server.h"

namespace {

using SocketPtr = std::shared_ptr<net::Socket>;

std::optional<int> number_in(std::string_view text) {
  int number = 0;
  const char* end = text.data() + text.size();
  auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number;
}

// SIGTERM and SIGINT as something that poll() reports.
net::Fd signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  net::Fd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) throw std::system_error(errno, std::generic_category(), "signalfd");
  return fd;
}

void greet(SocketPtr socket) {
  socket->write("hello\n");
  socket->on_data([socket](std::string_view bytes) {
    if (!socket->write(bytes)) socket->pause();
  });
  socket->on_drain([socket] { socket->resume(); });
  socket->on_error([](const net::Error& error) {
    std::cerr << "client: " << error.message << std::endl;
  });
}

void serve(const std::string& where, int most) {
  net::EventLoop loop;
  auto server = net::create_server(loop, {}, greet);
  server->max_connections(most);
  server->on_drop([](const net::DropInfo& who) {
    std::cout << "no room for " << who.remote_address << " " << who.remote_port
              << std::endl;
  });
  server->on_close([] { std::cout << "closed" << std::endl; });
  server->on_listening([server = server.get()] {
    auto here = server->address();
    std::cout << "listening on " << here->address;
    if (here->port > 0) std::cout << " " << here->port;
    std::cout << std::endl;
  });

  net::Fd stop = signals();
  loop.watch(stop.get(), POLLIN, [&loop, &stop, server](short) {
    loop.unwatch(stop.get());
    server->get_connections([](const net::Error*, int n) {
      std::cout << "no more clients, waiting for " << n << std::endl;
    });
    server->close();
  });
  loop.unref(stop.get());

  net::ListenOptions options;
  options.port = number_in(where);
  if (!options.port) options.path = where;
  server->listen(options);
  loop.run();
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<int> most = argc == 3 ? number_in(argv[2]) : 0;
  if (argc < 2 || argc > 3 || !most) {
    std::cerr << "usage: greeter PORT-OR-PATH [MOST]\n";
    return 2;
  }
  try {
    serve(argv[1], *most);
  } catch (const std::exception& error) {
    std::cerr << "greeter: " << error.what() << "\n";
    return 1;
  }
}
