// Connects the terminal to a server, over TLS: what is typed is sent, what
// comes is shown. At the end of the input our side is ended.
//
//   secure_cable HOST PORT [CA-FILE]
//
// Without CA-FILE it trusts whom the system trusts.
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/14_tls_socket/tls_socket.h"
#include "common/error.h"
#include "common/program.h"

namespace {

void tell(tls::TlsSocket& socket) {
  std::cerr << "secure: " << socket.protocol().value_or("?") << ", "
            << (socket.cipher() ? socket.cipher()->standard_name : "?") << "\n";
}

// Reads the terminal, as long as the socket has room for more.
void send_input(net::EventLoop& loop, tls::TlsSocket& socket) {
  loop.watch(STDIN_FILENO, POLLIN, [&](short) {
    char buffer[65536];
    ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return;
    if (n < 0) throw std::system_error(errno, std::generic_category(), "read");
    if (n == 0) {
      loop.unwatch(STDIN_FILENO);
      socket.end();
      return;
    }
    if (!socket.write({buffer, static_cast<std::size_t>(n)}))
      loop.update(STDIN_FILENO, 0);
  });
  socket.on_drain([&] { loop.update(STDIN_FILENO, POLLIN); });
  socket.on_close([&](bool) { loop.unwatch(STDIN_FILENO); });
}

int run(int argc, char** argv) {
  tls::ConnectOptions options;
  options.host = options.servername = argv[1];
  options.port = number_in(argv[2]);
  if (argc == 4) options.ca = contents_of(argv[3]);
  net::EventLoop loop;
  std::shared_ptr<tls::TlsSocket> socket = tls::connect(loop, options);
  socket->on_connect([] { std::cerr << "connected\n"; });
  socket->on_secure_connect([&] { tell(*socket); });
  socket->on_data(
      [](std::string_view bytes) { std::cout << bytes << std::flush; });
  send_input(loop, *socket);
  loop.run();
  if (!socket->truncated()) return 0;
  std::cerr << "secure_cable: the end came without close_notify: something may "
               "be missing\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    std::cerr << "usage: secure_cable HOST PORT [CA-FILE]\n";
    return 2;
  }
  try {
    return run(argc, argv);
  } catch (const net::Error& error) {
    std::cerr << "secure_cable: " << error.code << ": " << error.message
              << "\n";
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "secure_cable: " << error.what() << "\n";
    return 1;
  }
}
