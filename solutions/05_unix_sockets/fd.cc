#include "chapters/05_unix_sockets/fd.h"

#include <unistd.h>

#include <cerrno>

namespace net {

Fd& Fd::operator=(Fd&& other) noexcept {
  // 05.1: `other` is emptied before we close, so `fd = std::move(fd)` ends up
  // holding what it held: reset() finds nothing to close.
  int taken = other.release();
  reset();
  fd_ = taken;
  return *this;
}

void Fd::reset() noexcept {
  if (fd_ < 0) return;
  int saved = errno;
  // 05.1: not repeated on EINTR: Linux has freed the number by then, and it
  // may be somebody else's already (close(2)).
  ::close(release());
  errno = saved;
}

// Also right: Fd(std::move(other)).swap(*this) as the assignment: the old
// descriptor then goes with the temporary. A std::unique_ptr with a deleter of
// its own can hold a descriptor too; its pointer type then has to be a class
// that compares with nullptr, because -1 is not a null pointer.

}  // namespace net
