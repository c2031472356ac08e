// Another correct client: it never makes a descriptor non-blocking, lets the
// socket's own time-outs bound connect(), and reads and writes as files are.
#include "chapters/02_blocking_client/client.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

namespace net {
namespace {

using std::chrono::milliseconds;

bool set_timeout(int fd, int option, milliseconds timeout) {
  timeval limit{};
  if (timeout > milliseconds::zero())
    limit = {timeout.count() / 1000, timeout.count() % 1000 * 1000};
  return ::setsockopt(fd, SOL_SOCKET, option, &limit, sizeof limit) == 0;
}

// connect() until it says what became of it.
bool connected(int fd, const Endpoint& endpoint) {
  while (::connect(fd, endpoint.address(), endpoint.size()) < 0) {
    if (errno == EISCONN) break;
    if (errno == EINPROGRESS) errno = ETIMEDOUT;
    if (errno != EINTR && errno != EALREADY) return false;
  }
  return true;
}

}  // namespace

int connect_any(const std::vector<Endpoint>& endpoints, milliseconds timeout) {
  int reason = EINVAL;
  for (auto it = endpoints.begin(); it != endpoints.end(); ++it) {
    int fd = ::socket(it->family(), SOCK_STREAM, 0);
    if (fd >= 0 && ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
        set_timeout(fd, SO_SNDTIMEO, timeout) && connected(fd, *it)) {
      set_timeout(fd, SO_SNDTIMEO, kForever);
      return fd;
    }
    reason = errno;
    if (fd >= 0) ::close(fd);
  }
  errno = reason;
  return -1;
}

bool send_all(int fd, std::string_view bytes) {
  static const auto ignored = ::signal(SIGPIPE, SIG_IGN);
  (void)ignored;
  const char* next = bytes.data();
  std::size_t left = bytes.size();
  while (left > 0) {
    ssize_t n = ::write(fd, next, left);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) {
      next += n;
      left -= static_cast<std::size_t>(n);
    }
  }
  return true;
}

ssize_t receive_some(int fd, void* buffer, std::size_t size) {
  ssize_t n;
  do {
    n = ::read(fd, buffer, size);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && errno == EAGAIN) errno = ETIMEDOUT;
  return n;
}

bool receive_all(int fd, std::string& reply) {
  constexpr std::size_t kPiece = 4096;
  ssize_t n;
  do {
    std::size_t kept = reply.size();
    reply.resize(kept + kPiece);
    n = receive_some(fd, reply.data() + kept, kPiece);
    reply.resize(kept + (n > 0 ? static_cast<std::size_t>(n) : 0));
  } while (n > 0);
  return n == 0;
}

bool shutdown_write(int fd) {
  return ::shutdown(fd, SHUT_WR) != -1;
}

bool set_receive_timeout(int fd, milliseconds timeout) {
  return set_timeout(fd, SO_RCVTIMEO, timeout);
}

}  // namespace net
