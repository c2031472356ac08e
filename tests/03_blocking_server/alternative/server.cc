// Another way: select(2), a spare descriptor that is given up so that a client
// can be turned away when there is none left, and every loop by hand.
#include "chapters/03_blocking_server/server.h"

#include <fcntl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>

namespace net {
namespace {

int close_on_exec(int fd) {
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

int fail(int fd) {
  int reason = errno;
  ::close(fd);
  errno = reason;
  return -1;
}

class Spare {
 public:
  Spare() { take(); }
  ~Spare() { give_up(); }
  void take() { fd_ = close_on_exec(::open("/dev/null", O_RDONLY)); }
  void give_up() {
    int saved = errno;
    if (fd_ >= 0) ::close(fd_);
    errno = saved;
  }

 private:
  int fd_;
};

void turn_one_away(int listener, Spare& spare) {
  spare.give_up();
  int client = ::accept(listener, nullptr, nullptr);
  if (client >= 0) ::close(client);
  spare.take();
}

}  // namespace

int listen_on(const Endpoint& endpoint, int backlog) {
  int fd = close_on_exec(::socket(endpoint.family(), SOCK_STREAM, 0));
  int yes = 1;
  if (fd < 0) return -1;
  if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0)
    return fail(fd);
  if (::bind(fd, endpoint.address(), endpoint.size()) != 0) return fail(fd);
  if (::listen(fd, backlog) != 0) return fail(fd);
  return fd;
}

Endpoint local_endpoint(int fd) {
  union {
    sockaddr head;
    sockaddr_storage room;
  } name;
  socklen_t size = sizeof name;
  if (::getsockname(fd, &name.head, &size) != 0)
    throw std::system_error(errno, std::system_category(), "getsockname");
  return Endpoint::from(&name.head, size);
}

bool echo(int client) {
  char buffer[512];
  ssize_t n;
  while ((n = ::read(client, buffer, sizeof buffer)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    for (ssize_t done = 0; done < n;) {
      ssize_t now = ::send(client, buffer + done,
                           static_cast<std::size_t>(n - done), MSG_NOSIGNAL);
      if (now < 0 && errno != EINTR) return false;
      done += std::max<ssize_t>(now, 0);
    }
  }
  return ::shutdown(client, SHUT_WR) == 0;
}

int accept_one(int listener, int stop_fd) {
  static const std::set<int> broken{EBADF, EFAULT, EINVAL, ENOTSOCK};
  static const std::set<int> out{EMFILE, ENFILE, ENOBUFS, ENOMEM};
  Spare spare;
  while (true) {
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(listener, &readable);
    FD_SET(stop_fd, &readable);
    int most = std::max(listener, stop_fd) + 1;
    if (::select(most, &readable, nullptr, nullptr, nullptr) < 0) {
      if (errno == EINTR) continue;
      return -1;
    }
    if (FD_ISSET(stop_fd, &readable)) {
      errno = ECANCELED;
      return -1;
    }
    int client = close_on_exec(::accept(listener, nullptr, nullptr));
    if (client >= 0) return client;
    if (broken.contains(errno)) return -1;
    if (out.contains(errno)) turn_one_away(listener, spare);
  }
}

bool serve(int listener, int stop_fd, const Handler& handler) {
  while (true) {
    int client = accept_one(listener, stop_fd);
    if (client < 0) return errno == ECANCELED;
    (void)handler(client);
    ::close(client);
  }
}

}  // namespace net
