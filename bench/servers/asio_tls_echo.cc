// asio_echo over TLS, with Asio's ssl::stream: read some, write all, again.
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <cstddef>
#include <memory>
#include <utility>

#include "bench/servers/options.h"
#include "bench/servers/tls.h"

namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<Tcp, asio::io_context::executor_type>;
using boost::system::error_code;

// One record at most is decrypted at once.
constexpr std::size_t kRecord = 16384;

// Owned by the operation that is under way.
struct Connection : std::enable_shared_from_this<Connection> {
  Connection(Socket socket, asio::ssl::context& context)
      : stream(std::move(socket), context) {}

  void begin() {
    stream.async_handshake(
        asio::ssl::stream_base::server,
        [self = shared_from_this()](error_code error) {
          if (error) return;
          self->buffer = std::make_unique_for_overwrite<char[]>(kRecord);
          self->receive();
        });
  }

  void receive() {
    stream.async_read_some(
        asio::buffer(buffer.get(), kRecord),
        [self = shared_from_this()](error_code error, std::size_t n) {
          if (error) return self->end();
          self->send(n);
        });
  }

  void send(std::size_t n) {
    asio::async_write(
        stream, asio::buffer(buffer.get(), n),
        [self = shared_from_this()](error_code error, std::size_t) {
          if (!error) self->receive();
        });
  }

  void end() {
    stream.async_shutdown([self = shared_from_this()](error_code) {});
  }

  asio::ssl::stream<Socket> stream;
  std::unique_ptr<char[]> buffer = {};
};

using Acceptor =
    asio::basic_socket_acceptor<Tcp, asio::io_context::executor_type>;

void accept_all(Acceptor& acceptor, asio::ssl::context& context) {
  acceptor.async_wait(Acceptor::wait_read, [&](error_code) {
    for (;;) {
      Socket socket(acceptor.get_executor());
      error_code error;
      acceptor.accept(socket, error);
      if (error) break;
      std::make_shared<Connection>(std::move(socket), context)->begin();
    }
    accept_all(acceptor, context);
  });
}

}  // namespace

int main(int argc, char** argv) {
  options::Options wanted = options::parse(argc, argv);
  asio::ssl::context context(tls_options::context(wanted));
  asio::io_context io(1);
  Acceptor acceptor(io.get_executor());
  acceptor.assign(Tcp::v4(), options::listen_on(wanted));
  acceptor.non_blocking(true);
  accept_all(acceptor, context);
  io.run();
}
