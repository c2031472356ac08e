// What the tests of sockets and servers on a loop have in common.
#pragma once

#include <functional>
#include <string>

#include "common/error.h"
#include "common/testing/peer.h"

namespace graded {

inline std::string yes_no(bool value) {
  return value ? "yes" : "no";
}

// The code of an error, "ok" without one.
inline std::string code(const net::Error* error) {
  return error ? error->code : "ok";
}

// The code of the UsageError that `call` throws, "no exception" without one. A
// step that is still to do is not caught.
std::string usage_error(const std::function<void()>& call);

void set_non_blocking(int fd);

// A pair of connected sockets as descriptors; the second does not block.
Connection unix_pair(int& theirs);

}  // namespace graded
