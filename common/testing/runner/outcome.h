// What the runner knows: the chapter's table, and what became of each test.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace graded {

struct Rule {
  std::string id;
  int points = 0;
  std::string step;  // "02.3"
  std::string line;  // of the README
  std::string text;
};

struct Test {
  std::string name;  // "Client.ReceivesUntilTheEnd"
  std::string rule;
  std::string file;
  std::string line;
};

// The table that tools/rubric.py makes of a README and the test sources.
struct Rubric {
  std::string chapter;
  std::string title;
  std::vector<Rule> rules;
  std::vector<Test> tests;
  std::set<std::string> confirmations{};  // tests that have one: see distrust.h

  static Rubric read(const std::string& path);  // throws std::runtime_error
  const Rule& rule(std::string_view id) const;
};

enum class Verdict {
  kPass,
  kFail,
  kCrash,
  kTimeout,
  kExit,
  kSkip,
  kMissing,
  kUnconfirmed,  // passed, but not in the eyes of a process without that code
  kVoid          // of code that forges verdicts, or may not run at all
};
const char* verdict_name(Verdict verdict);

struct Failure {
  std::string file;
  std::string line;
  std::string message;
  std::vector<std::string> expected;  // both empty: no comparison
  std::vector<std::string> actual;
};

// A line of the time line. A call that something else happened during is two:
// `waits` where it began, `resumed` where it returned.
struct Step {
  std::string who;  // "you", "peer"; empty: `times` lines left out
  std::string what;
  int times = 1;
  std::string result;  // of a call that returned
  enum Part { kWhole, kWaits, kResumed } part = kWhole;

  std::string text() const;
};

struct Outcome {
  Verdict verdict = Verdict::kMissing;
  std::string why;  // one line; empty for a pass
  std::vector<Failure> failures;
  std::vector<Step> steps;
  std::string output;  // what the code printed: its end
  long milliseconds = 0;

  // The step whose TODO was met, "02.3", or empty.
  std::string todo() const;
};

std::vector<std::string> split(std::string_view text, char separator);

}  // namespace graded
