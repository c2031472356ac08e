// A complete chapter 02: every call goes through uninterrupted(), and the
// socket has an owner until it is handed over.
#include "client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace net {
namespace {

using namespace std::chrono;

template <typename Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// Closes a socket that nobody has taken, and keeps errno.
struct Owned {
  int fd;
  ~Owned() {
    int saved = errno;
    if (fd >= 0) ::close(fd);
    errno = saved;
  }
  int release() { return std::exchange(fd, -1); }
};

bool finish_connecting(int fd, milliseconds timeout) {
  auto deadline = steady_clock::now() + timeout;
  pollfd waiting{fd, POLLOUT, 0};
  int ready = uninterrupted([&] {
    if (timeout < 0ms) return ::ppoll(&waiting, 1, nullptr, nullptr);
    auto left = std::max(0ns, nanoseconds(deadline - steady_clock::now()));
    timespec limit{left / 1s, (left % 1s).count()};
    return ::ppoll(&waiting, 1, &limit, nullptr);
  });
  int error = ready < 0 ? errno : ETIMEDOUT;
  socklen_t size = sizeof error;
  if (ready > 0) ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  errno = error;
  return error == 0;
}

int connect_to(const Endpoint& peer, milliseconds timeout) {
  int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  Owned socket{::socket(peer.family(), type, 0)};
  if (socket.fd < 0) return -1;
  if (::connect(socket.fd, peer.address(), peer.size()) < 0) {
    if (errno != EINPROGRESS && errno != EINTR) return -1;
    if (!finish_connecting(socket.fd, timeout)) return -1;
  }
  int flags = ::fcntl(socket.fd, F_GETFL);
  if (::fcntl(socket.fd, F_SETFL, flags & ~O_NONBLOCK) < 0) return -1;
  return socket.release();
}

}  // namespace

int connect_any(const std::vector<Endpoint>& endpoints, milliseconds timeout) {
  errno = EINVAL;
  int fd = -1;
  for (std::size_t i = 0; fd < 0 && i < endpoints.size(); ++i)
    fd = connect_to(endpoints[i], timeout);
  return fd;
}

bool send_all(int fd, std::string_view bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    ssize_t n = uninterrupted([&] {
      return ::send(fd, &bytes[sent], bytes.size() - sent, MSG_NOSIGNAL);
    });
    if (n < 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

ssize_t receive_some(int fd, void* buffer, std::size_t size) {
  ssize_t n = uninterrupted([&] { return ::recv(fd, buffer, size, 0); });
  if (n < 0 && errno == EAGAIN) errno = ETIMEDOUT;
  return n;
}

bool receive_all(int fd, std::string& reply) {
  char piece[8192];
  ssize_t n;
  while ((n = receive_some(fd, piece, sizeof piece)) > 0)
    reply.append(piece, static_cast<std::size_t>(n));
  return n == 0;
}

bool shutdown_write(int fd) {
  return ::shutdown(fd, SHUT_WR) == 0;
}

bool set_receive_timeout(int fd, milliseconds timeout) {
  auto bounded = std::max(0ms, timeout);
  timeval limit{bounded / 1s, microseconds(bounded % 1s).count()};
  return ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0;
}

}  // namespace net
