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

// What a call of a Transport has come to: "5 bytes", "wants read", "wants
// write", "waits", "end", "failed: write EPIPE". (A template, as common/ stands
// on no chapter.)
template <typename IoResult>
std::string in_words(const IoResult& result) {
  switch (result.kind) {
    case IoResult::kBytes:
      return std::to_string(result.bytes) + " bytes";
    case IoResult::kWantsRead:
      return "wants read";
    case IoResult::kWantsWrite:
      return "wants write";
    case IoResult::kWaits:
      return "waits";
    case IoResult::kEnd:
      return "end";
    case IoResult::kFailed:
      if (!result.error) return "failed, and does not say why";
      return "failed: " + result.error->syscall +
             (result.error->syscall.empty() ? "" : " ") + result.error->code;
  }
  return "an unknown kind";
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
