// Another correct solution: assignment swaps, and the old descriptor goes with
// the temporary.
#include "chapters/05_unix_sockets/fd.h"

#include <unistd.h>

#include <cerrno>

namespace net {

Fd& Fd::operator=(Fd&& other) noexcept {
  Fd old(std::move(other));
  std::swap(fd_, old.fd_);
  return *this;
}

void Fd::reset() noexcept {
  int fd = std::exchange(fd_, -1);
  if (fd == -1) return;
  int reason = errno;
  (void)::close(fd);
  errno = reason;
}

}  // namespace net
