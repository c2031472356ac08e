// raw_poll over TLS: poll(2), OpenSSL over the socket itself, and nothing else.
// One SSL_read() and one SSL_write() per readable record, a read-ahead that
// takes many records with one recv(), no memory but OpenSSL's and for what a
// connection could not take.
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "bench/servers/options.h"
#include "bench/servers/tls.h"

namespace {

struct Connection {
  SSL* ssl = nullptr;
  std::string rest = {};  // what the peer did not take; nothing is read then
};

SSL_CTX* context;
std::vector<pollfd> polled;           // the listener first
std::vector<Connection> connections;  // of the same index
char buffer[options::kReadBuffer];

void add(int fd) {
  polled.push_back({fd, POLLIN, 0});
  SSL* ssl = SSL_new(context);  // the listener's own is never used
  SSL_set_fd(ssl, fd);
  SSL_set_accept_state(ssl);
  connections.push_back({.ssl = ssl});
}

void remove(std::size_t i) {
  SSL_free(connections[i].ssl);
  ::close(polled[i].fd);
  polled[i] = polled.back();
  connections[i] = std::move(connections.back());
  polled.pop_back();
  connections.pop_back();
}

void accept_all() {
  int fd;
  int on = 1;
  while ((fd = ::accept4(polled[0].fd, nullptr, nullptr,
                         SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    // Tickets go out before the first answer: it must not wait for their ACK.
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    add(fd);
  }
}

// False: the connection is over.
bool waits(std::size_t i, SSL* ssl, int result) {
  int why = SSL_get_error(ssl, result);
  polled[i].events = why == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

// Bytes that were not taken, or -1: the connection is over.
long send_bytes(std::size_t i, const char* bytes, std::size_t length) {
  SSL* ssl = connections[i].ssl;
  while (length > 0) {
    std::size_t n = 0;
    int result = SSL_write_ex(ssl, bytes, length, &n);
    if (result != 1) return waits(i, ssl, result) ? long(length) : -1;
    bytes += n;
    length -= n;
  }
  return 0;
}

bool receive(std::size_t i) {
  SSL* ssl = connections[i].ssl;
  for (;;) {
    std::size_t n = 0;
    int result = SSL_read_ex(ssl, buffer, sizeof buffer, &n);
    if (result != 1 && SSL_get_error(ssl, result) == SSL_ERROR_ZERO_RETURN)
      SSL_shutdown(ssl);
    if (result != 1) return waits(i, ssl, result);
    long left = send_bytes(i, buffer, n);
    if (left < 0) return false;
    if (left == 0) continue;
    connections[i].rest.assign(buffer + n - left, std::size_t(left));
    return true;
  }
}

bool send_rest(std::size_t i) {
  std::string& rest = connections[i].rest;
  long left = send_bytes(i, rest.data(), rest.size());
  if (left < 0) return false;
  rest.erase(0, rest.size() - std::size_t(left));
  if (left > 0) return true;
  rest.shrink_to_fit();
  polled[i].events = POLLIN;
  return receive(i);  // there may be records that OpenSSL has read ahead
}

}  // namespace

int main(int argc, char** argv) {
  options::Options wanted = options::parse(argc, argv);
  context = tls_options::context(wanted);
  add(options::listen_on(wanted));
  for (;;) {
    int ready = ::poll(polled.data(), polled.size(), -1);
    // From the end: what fills a gap has been looked at.
    for (std::size_t i = polled.size() - 1; ready > 0 && i > 0; --i) {
      if (polled[i].revents == 0) continue;
      --ready;
      bool alive = connections[i].rest.empty() ? receive(i) : send_rest(i);
      if (!alive) remove(i);
    }
    if (ready > 0) accept_all();
  }
}
