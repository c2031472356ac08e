// Half of chapter 02: it works against a friendly server, and knows nothing
// of time-outs, signals, and peers that vanish.
#include "client.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace net {

int connect_any(const std::vector<Endpoint>& endpoints,
                std::chrono::milliseconds) {
  errno = EINVAL;
  for (const Endpoint& endpoint : endpoints) {
    int fd = ::socket(endpoint.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    if (::connect(fd, endpoint.address(), endpoint.size()) == 0) return fd;
    ::close(fd);
  }
  return -1;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::send(fd, bytes.data(), bytes.size(), 0);
    if (n < 0) return false;
    bytes.remove_prefix(n);
  }
  return true;
}

ssize_t receive_some(int fd, void* buffer, std::size_t size) {
  return ::recv(fd, buffer, size, 0);
}

bool receive_all(int fd, std::string& reply) {
  char buffer[1024];
  while (true) {
    ssize_t n = receive_some(fd, buffer, sizeof(buffer));
    if (n <= 0) return true;
    reply.append(buffer, n);
  }
}

bool shutdown_write(int fd) {
  return ::shutdown(fd, SHUT_WR) == 0;
}

bool set_receive_timeout(int, std::chrono::milliseconds) {
  return true;  // later
}

}  // namespace net
