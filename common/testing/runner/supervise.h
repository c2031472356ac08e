// One test, in a process of its own that can harm nobody but itself.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/testing/runner/outcome.h"

namespace graded {

struct Limits {
  std::chrono::milliseconds deadline{5000};
  std::size_t output_bytes = 1 << 20;  // more is output without end
  bool memory = true;  // false under a sanitizer, which maps terabytes
};

// How a test ends: by itself, or with a failure after its body.
enum class Ending { kOwn, kCanary };

// Runs `names` with the binary, `jobs` at a time, each below a process that
// waits for it and then ends whatever it left behind. Outcomes in order of
// the names. A test without a verdict of its own never passes.
std::vector<Outcome> run_all(const std::string& binary,
                             const std::vector<std::string>& names, int jobs,
                             const Limits& limits,
                             Ending ending = Ending::kOwn);

}  // namespace graded
