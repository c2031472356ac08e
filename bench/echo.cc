// echo: sends back what each client sends.
//
//   echo --port 8080                  127.0.0.1:8080; 0 is any free port
//   echo --port 8080 --host ::        every interface
//   echo --path /run/echo.sock        a unix socket
//
// Its first line is `listening PORT`. SIGTERM or SIGINT ends it.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <charconv>
#include <cstddef>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chapters/05_unix_sockets/fd.h"
#include "chapters/07_event_loop/event_loop.h"
#include "chapters/10_socket/socket.h"
#include "chapters/11_server/server.h"
#include "common/error.h"

namespace {

// The socket owns its listeners: they need no share of it. One that cannot take
// more is not read from, until all that waits is out. Few ever come to that, so
// only they have a listener for it.
void echo(net::Socket& socket) {
  socket.on_data([&socket](std::string_view bytes) {
    if (socket.write(bytes)) return;
    socket.pause();
    socket.on_drain.once([&socket] { socket.resume(); });
  });
  socket.on_error([](const net::Error&) {});  // a client that went away
}

int usage(const std::string& why) {
  std::cerr << "echo: " << why
            << "\nusage: echo --port N [--host HOST] [--backend poll]"
               " | --path P [--backend poll]\n";
  return 2;
}

std::optional<int> port_number(const std::string& text) {
  int port = -1;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), port);
  bool good = error == std::errc() && end == text.data() + text.size() &&
              port >= 0 && port <= 65535;
  return good ? std::optional(port) : std::nullopt;
}

// Empty: all is understood. Else what is wrong.
std::string parse(int argc, char** argv, net::ListenOptions& options) {
  options.host = "127.0.0.1";
  for (int i = 1; i < argc; i += 2) {
    std::string name = argv[i];
    if (name == "--tls") return "--tls is not there yet";
    if (i + 1 == argc) return name + " needs a value";
    std::string value = argv[i + 1];
    if (name == "--port") {
      options.port = port_number(value);
      if (!options.port) return value + " is no port";
    } else if (name == "--host") {
      options.host = value;
    } else if (name == "--path") {
      options.path = value;
    } else if (name != "--backend") {
      return "what is " + name + "?";
    } else if (value == "epoll") {
      return "--backend epoll is not there yet: chapter 16 makes it";
    } else if (value != "poll") {
      return "there is no backend " + value;
    }
  }
  bool one = options.port.has_value() == options.path.empty();
  return one ? "" : "a port or a path";
}

// Blocked, also for the threads that come later: only the descriptor sees them.
net::Fd signals_as_descriptor() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return net::Fd(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
}

int serve(const net::ListenOptions& options) {
  int status = 0;
  net::Fd signals = signals_as_descriptor();
  net::EventLoop loop;
  auto server = net::create_server(
      loop, {}, [](std::shared_ptr<net::Socket> socket) { echo(*socket); });
  server->on_error([&](const net::Error& error) {
    std::cerr << "echo: " << error.message << "\n";
    status = 1;
    loop.stop();
  });
  server->listen(options, [&server = *server] {
    auto here = server.address();
    std::cout << "listening "
              << (here->port ? std::to_string(here->port) : here->address)
              << std::endl;
  });
  loop.watch(signals.get(), POLLIN, [&](short) {
    server->close();
    loop.stop();
  });
  loop.run();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  net::ListenOptions options;
  std::string wrong = parse(argc, argv, options);
  return wrong.empty() ? serve(options) : usage(wrong);
}
