#include "chapters/02_blocking_client/client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

namespace net {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Closes, and leaves errno as it was.
void close_quietly(int fd) {
  int saved = errno;
  // Not repeated on EINTR: Linux has freed the number by then, and it may be
  // somebody else's already (close(2)).
  ::close(fd);
  errno = saved;
}

// Waits until a connection attempt is over, and returns its outcome as an
// errno value: 0 for a connection.
int wait_for_outcome(int fd, milliseconds timeout) {
  auto deadline = Clock::now() + timeout;
  while (true) {
    int wait = -1;
    if (timeout >= milliseconds::zero()) {
      // Rounded up: a wait that is too short would only be repeated.
      auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
      wait = left > milliseconds::zero() ? static_cast<int>(left.count()) : 0;
    }
    pollfd waited{fd, POLLOUT, 0};
    int ready = ::poll(&waited, 1, wait);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return errno;
    if (ready == 0) return ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return errno;
    return error;
  }
}

int connect_one(const Endpoint& endpoint, milliseconds timeout) {
  // 02.3: non-blocking until the attempt is over, so that poll() can bound it.
  int fd = ::socket(endpoint.family(),
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  int error = 0;
  if (::connect(fd, endpoint.address(), endpoint.size()) < 0) {
    // EINTR: the attempt goes on without us, as with EINPROGRESS (connect(2)).
    bool going_on = errno == EINPROGRESS || errno == EINTR;
    error = going_on ? wait_for_outcome(fd, timeout) : errno;
  }
  if (error == 0 && ::fcntl(fd, F_SETFL, 0) < 0) error = errno;
  if (error == 0) return fd;
  errno = error;
  close_quietly(fd);
  return -1;
}

}  // namespace

int connect_any(const std::vector<Endpoint>& endpoints, milliseconds timeout) {
  errno = EINVAL;
  for (const Endpoint& endpoint : endpoints) {
    int fd = connect_one(endpoint, timeout);
    if (fd >= 0) return fd;
  }
  return -1;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    // 02.4: MSG_NOSIGNAL: a peer that is gone is an answer, not a SIGPIPE.
    ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

ssize_t receive_some(int fd, void* buffer, std::size_t size) {
  while (true) {
    ssize_t n = ::recv(fd, buffer, size, 0);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    // 02.7: what a socket with SO_RCVTIMEO says when the time is over.
    if (errno == EAGAIN || errno == EWOULDBLOCK) errno = ETIMEDOUT;
    return -1;
  }
}

bool receive_all(int fd, std::string& reply) {
  char buffer[16384];
  while (true) {
    ssize_t n = receive_some(fd, buffer, sizeof buffer);
    if (n <= 0) return n == 0;
    reply.append(buffer, static_cast<std::size_t>(n));
  }
}

bool shutdown_write(int fd) {
  return ::shutdown(fd, SHUT_WR) == 0;
}

bool set_receive_timeout(int fd, milliseconds timeout) {
  timeval limit{};  // 02.7: all zero means no limit
  if (timeout > milliseconds::zero()) {
    limit.tv_sec = timeout.count() / 1000;
    limit.tv_usec = timeout.count() % 1000 * 1000;
  }
  return ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0;
}

// Also right: SO_SNDTIMEO bounds a blocking connect() on Linux (socket(7)),
// with EINPROGRESS for "too late"; sigaction(SIGPIPE, SIG_IGN) once in main()
// in place of MSG_NOSIGNAL, which a library should not do for its program;
// poll() before each recv() in place of SO_RCVTIMEO.

}  // namespace net
