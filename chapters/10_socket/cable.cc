// Connects the terminal to a server: what is typed is sent, what comes is
// shown. At the end of the input our side is ended; the other may go on.
//
//   cable HOST PORT     a name, or an address
//   cable PATH          a unix socket
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/10_socket/socket.h"
#include "common/error.h"
#include "common/program.h"

namespace {

// Reads the terminal, as long as the socket has room for more.
class Input {
 public:
  Input(net::EventLoop& loop, net::Socket& socket)
      : loop_(loop), socket_(socket) {
    loop_.watch(STDIN_FILENO, POLLIN, [this](short) { read_some(); });
    socket_.on_drain([this] { loop_.update(STDIN_FILENO, POLLIN); });
    socket_.on_close([this](bool) { loop_.unwatch(STDIN_FILENO); });
  }

 private:
  void read_some() {
    char buffer[65536];
    ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return;
    if (n < 0) throw std::system_error(errno, std::generic_category(), "read");
    if (n == 0) {
      loop_.unwatch(STDIN_FILENO);
      socket_.end();
      return;
    }
    std::string_view bytes(buffer, static_cast<std::size_t>(n));
    if (!socket_.write(bytes)) loop_.update(STDIN_FILENO, 0);
  }

  net::EventLoop& loop_;
  net::Socket& socket_;
};

}  // namespace

int main(int argc, char** argv) {
  net::ConnectOptions options;
  if (argc == 2) options.path = argv[1];
  if (argc == 3) options.host = argv[1], options.port = number_in(argv[2]);
  if (argc < 2 || argc > 3) {
    std::cerr << "usage: cable HOST PORT | cable PATH\n";
    return 2;
  }
  try {
    net::EventLoop loop;
    std::shared_ptr<net::Socket> socket = net::connect(loop, options);
    socket->on_connect([&] {
      std::cerr << "connected to "
                << (argc == 2 ? options.path : socket->remote_address())
                << "\n";
    });
    socket->on_data(
        [](std::string_view bytes) { std::cout << bytes << std::flush; });
    Input input(loop, *socket);
    loop.run();
  } catch (const std::exception& error) {
    std::cerr << "cable: " << error.what() << "\n";
    return 1;
  }
}
