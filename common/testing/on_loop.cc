#include "common/testing/on_loop.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "common/testing/fault.h"

namespace graded {

std::string usage_error(const std::function<void()>& call) {
  try {
    call();
  } catch (const net::UsageError& error) {
    return error.code;
  }
  return "no exception";
}

void set_non_blocking(int fd) {
  checked(::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK), "fcntl");
}

Connection unix_pair(int& theirs) {
  Unwatched ours;
  int fds[2];
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
          "socketpair");
  theirs = fds[1];
  set_non_blocking(theirs);
  return Connection(fds[0], "peer");
}

}  // namespace graded
