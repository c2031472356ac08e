#include "chapters/05_unix_sockets/fd.h"

#include <unistd.h>

#include <cerrno>

#include "common/todo.h"

namespace net {

// A TODO() throws, and these two functions must not: write them first.

Fd& Fd::operator=(Fd&&) noexcept {
  // TODO(05.1): close what is held, take over what `other` holds.
  return *this;
}

void Fd::reset() noexcept {
  // TODO(05.1): close once, own nothing afterwards, keep errno.
}

}  // namespace net
