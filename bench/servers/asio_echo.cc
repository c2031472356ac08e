// An echo server with Boost.Asio: waits until a socket can be read, reads into
// a buffer for all, writes at once, and waits again only for what is left over.
// One thread, and Asio knows it: no locks.
#include <sys/socket.h>

#include <boost/asio.hpp>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include "bench/servers/options.h"

namespace {

namespace asio = boost::asio;
using Protocol = asio::generic::stream_protocol;
using Socket =
    asio::basic_stream_socket<Protocol, asio::io_context::executor_type>;
using boost::system::error_code;

char buffer[options::kReadBuffer];

// Owned by the operation that is under way.
struct Connection : std::enable_shared_from_this<Connection> {
  explicit Connection(Socket taken) : socket(std::move(taken)) {
    error_code ignored;
    socket.non_blocking(true, ignored);
  }

  void wait() {
    socket.async_wait(Socket::wait_read,
                      [self = shared_from_this()](error_code error) {
                        if (!error) self->receive();
                      });
  }

  void receive() {
    error_code error;
    std::size_t n = socket.read_some(asio::buffer(buffer), error);
    if (error == asio::error::would_block) return wait();
    if (error) return;
    std::size_t sent = socket.write_some(asio::buffer(buffer, n), error);
    if (error && error != asio::error::would_block) return;
    if (sent < n)
      send_rest(buffer + sent, n - sent);
    else
      wait();
  }

  void send_rest(const char* bytes, std::size_t n) {
    rest = std::make_unique_for_overwrite<char[]>(n);
    std::memcpy(rest.get(), bytes, n);
    asio::async_write(
        socket, asio::buffer(rest.get(), n),
        [self = shared_from_this()](error_code error, std::size_t) {
          self->rest.reset();
          if (!error) self->wait();
        });
  }

  Socket socket;
  std::unique_ptr<char[]> rest = {};
};

using Acceptor =
    asio::basic_socket_acceptor<Protocol, asio::io_context::executor_type>;

void accept_all(Acceptor& acceptor) {
  acceptor.async_wait(Acceptor::wait_read, [&acceptor](error_code) {
    for (;;) {
      Socket socket(acceptor.get_executor());
      error_code error;
      acceptor.accept(socket, error);
      if (error) break;
      std::make_shared<Connection>(std::move(socket))->wait();
    }
    accept_all(acceptor);
  });
}

}  // namespace

int main(int argc, char** argv) {
  options::Options wanted = options::parse(argc, argv);
  int family = wanted.path.empty() ? AF_INET : AF_UNIX;
  asio::io_context io(1);
  Acceptor acceptor(io.get_executor());
  acceptor.assign(Protocol(family, 0), options::listen_on(wanted));
  acceptor.non_blocking(true);
  accept_all(acceptor);
  io.run();
}
