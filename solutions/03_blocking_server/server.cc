#include "chapters/03_blocking_server/server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "chapters/02_blocking_client/client.h"

namespace net {
namespace {

// Short enough that nobody notices, long enough to cost nothing.
constexpr int kPauseMs = 50;

// Closes, and leaves errno as it was.
void close_quietly(int fd) {
  int saved = errno;
  ::close(fd);
  errno = saved;
}

bool bind_and_listen(int fd, const Endpoint& endpoint, int backlog) {
  // 03.2: before bind(), which is the call that asks for it.
  int on = 1;
  return ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
         ::bind(fd, endpoint.address(), endpoint.size()) == 0 &&
         ::listen(fd, backlog) == 0;
}

bool out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS ||
         error == ENOMEM;
}

// 03.6: these are about the connection that was next in the queue, which is
// gone from it now. The list is that of accept(2), "Error handling".
bool about_one_client(int error) {
  switch (error) {
    case EINTR:
    case EAGAIN:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

}  // namespace

int listen_on(const Endpoint& endpoint, int backlog) {
  int fd = ::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (bind_and_listen(fd, endpoint, backlog)) return fd;
  close_quietly(fd);
  return -1;
}

Endpoint local_endpoint(int fd) {
  sockaddr_storage storage{};  // 03.3: has room for every family
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (::getsockname(fd, address, &size) < 0)
    throw std::system_error(errno, std::generic_category(), "getsockname");
  return Endpoint::from(address, size);
}

bool echo(int client) {
  char buffer[16384];
  while (true) {
    ssize_t n = receive_some(client, buffer, sizeof buffer);
    if (n < 0) return false;
    if (n == 0) return shutdown_write(client);
    if (!send_all(client, {buffer, static_cast<std::size_t>(n)})) return false;
  }
}

int accept_one(int listener, int stop_fd) {
  while (true) {
    pollfd waited[2] = {{stop_fd, POLLIN, 0}, {listener, POLLIN, 0}};
    int ready = ::poll(waited, 2, -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return -1;
    if (waited[0].revents != 0) {
      errno = ECANCELED;
      return -1;
    }
    int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) return client;
    if (out_of_descriptors(errno)) {
      // 03.6: the client is in the queue still, so the listener stays
      // readable: a wait for it would be over at once. Only stop_fd is left to
      // wait for; its answer is looked at above.
      ::poll(waited, 1, kPauseMs);
    } else if (!about_one_client(errno)) {
      return -1;
    }
  }
}

bool serve(int listener, int stop_fd, const Handler& handler) {
  int client;
  while ((client = accept_one(listener, stop_fd)) >= 0) {
    handler(client);
    ::close(client);
  }
  return errno == ECANCELED;
}

// Also right: a spare descriptor, closed when EMFILE comes so that the next
// client can be accepted and turned away at once, in place of a pause that
// lets it wait; select(2) or epoll(7) in place of poll(); fcntl(FD_CLOEXEC)
// after socket() and accept(), as long as no other thread can fork in between.

}  // namespace net
