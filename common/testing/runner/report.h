// What comes out of a run: the text for people, test.xml and graded.json.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/testing/runner/outcome.h"

namespace graded {

// What was found on the way to verdicts that can be believed: distrust.h.
struct Integrity {
  bool checked = false;                // false: a learner's own run
  std::vector<std::string> refused;    // by the object check
  std::vector<std::string> flags;      // lines that are worth a look
  std::string forged;                  // the test that gave the code away
  std::vector<std::string> unsteady;   // tests that failed, and passed alone
  std::set<std::string> guessed;       // that fail with the hidden seed only
  std::vector<std::string> confirmed;  // tests whose pass was seen outside
};

struct Run {
  const Rubric& rubric;
  std::vector<Test> tests;        // those that were run
  std::vector<Outcome> outcomes;  // one each
  std::string implementation;     // "learner", "reference", ...
  std::string seed;
  std::string hidden_seed = {};  // "": there is none
  Integrity integrity = {};

  bool passed(const Rule& rule) const;  // all of its tests, and at least one
  int points() const;
  // What an instructor should look at, a line each.
  std::vector<std::string> flags() const;
};

// One failure as the learner reads it: the rule, expected and happened, the
// time line, where to read, the hint. `by_actor`: the time line sorted by who
// did it, for comparing texts of two runs.
std::string failure_text(const Run& run, std::size_t test, bool by_actor);

// The first failing rule in full, the others as a list, the points.
std::string summary_text(const Run& run);

std::string junit_xml(const Run& run);    // as GoogleTest writes it
std::string graded_json(const Run& run);  // schema 1

// Text from code under test, made harmless: printable ASCII, \n and \t.
std::string cleaned(std::string_view text);

}  // namespace graded
