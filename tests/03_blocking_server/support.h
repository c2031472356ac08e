// What the tests of chapter 03 and its driver have in common.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <stdexcept>
#include <string>

#include "chapters/01_addresses/endpoint.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"

namespace graded {

// Where a socket is bound, as the kernel says: "127.0.0.1:40001".
inline net::Endpoint bound_to(int fd) {
  Unwatched ours;
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (::getsockname(fd, address, &size) < 0)
    throw std::runtime_error("it is no socket: " + errno_name(errno));
  return net::Endpoint::from(address, size);
}

// A listening socket of the test's own.
struct Listener {
  net::Endpoint endpoint;  // with the port that the kernel chose
  std::uint16_t port;
  OwnFd fd;

  explicit Listener(
      const net::Endpoint& where = net::Endpoint::parse("127.0.0.1:0"),
      int backlog = 16)
      : Listener(listening(where, backlog)) {}

 private:
  explicit Listener(int fd_of_mine)
      : endpoint(bound_to(fd_of_mine)), port(endpoint.port()), fd(fd_of_mine) {}
  static int listening(const net::Endpoint& where, int backlog) {
    Unwatched ours;
    int fd = ::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(fd, where.address(), where.size()) < 0 ||
        ::listen(fd, backlog) < 0)
      throw std::runtime_error("the test's own listen()");
    return fd;
  }
};

inline void wait_until(int fd, short events) {
  Unwatched ours;
  pollfd waited{fd, events, 0};
  ::poll(&waited, 1, -1);
}

inline bool is_ready(int fd, short events) {
  Unwatched ours;
  pollfd waited{fd, events, 0};
  return ::poll(&waited, 1, 0) > 0;
}

// A client that says its name and nothing more.
inline Connection client_named(std::uint16_t port, const std::string& name) {
  Connection client = Connection::to_port(port, name);
  client.send(name);
  client.finish();
  return client;
}

}  // namespace graded
