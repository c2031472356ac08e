// Two connected sockets: one end for the code under test, one for the test.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <stdexcept>
#include <string_view>

#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"

namespace graded {

class Pair {
 public:
  Pair() : Pair(make()) {}

  int theirs() const { return theirs_.get(); }
  void send(std::string_view bytes) {
    Unwatched unwatched;
    (void)!::send(ours_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // FIN: the other end reads the end, and poll() reports POLLHUP for it.
  void close() {
    Unwatched unwatched;
    ::shutdown(ours_.get(), SHUT_RDWR);
  }
  // What is there to read at the end of the code under test.
  void take() {
    Unwatched unwatched;
    char buffer[256];
    (void)!::recv(theirs_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  }

 private:
  struct Two {
    int fds[2];
  };
  static Two make() {
    Unwatched unwatched;
    Two two;
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two.fds) < 0)
      throw std::runtime_error("the test's own socketpair() failed");
    return two;
  }
  explicit Pair(Two two) : ours_(two.fds[0]), theirs_(two.fds[1]) {}
  OwnFd ours_, theirs_;
};

}  // namespace graded
