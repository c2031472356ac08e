// What is not taken at its word when a class is graded: the verdicts of a
// process that holds somebody's code.
//
//   1. Code that the object check refused is not run (tools/vet.py).
//   2. A test that fails is run again, alone, before it costs points.
//   3. A test that passes is run again with a failure after its body: where
//      that passes too, the verdicts are forged, and all of them void.
//   4. What can be seen from outside must be seen there: by a driver, a
//      process of ours, that talks to a subject, a process with their code.
//   5. What passes, and what was seen, is run again with a seed that nobody
//      knows, if there is one.
#pragma once

#include <string>
#include <vector>

#include "common/testing/runner/report.h"
#include "common/testing/runner/supervise.h"

namespace graded {

// The programs and files of a run that is not believed.
struct Distrust {
  std::string binary;
  std::string driver;   // empty: nothing of this chapter is seen from outside
  std::string vetting;  // what tools/vet.py wrote
};

// Runs the tests of `run` and fills in its outcomes and its integrity.
void run_distrusted(Run& run, const Distrust& distrust, const Limits& limits);

}  // namespace graded
