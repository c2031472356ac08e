// The trusted half of a graded test: starts the test binary once per test and
// writes the verdicts. It holds no code that is being judged.
//
// What to do comes in the environment, from the build (graded_test in
// common/testing/graded_test.bzl):
//   GRADED_BINARY, GRADED_RUBRIC    the tests, and the chapter's table
//   GRADED_IMPLEMENTATION           whose code it is: learner, reference, ...
//   GRADED_EXPECT                   pass | skeleton | cheat | guess | honest |
//                                   the path of a mutant
//   GRADED_VETTING, GRADED_DRIVER   distrust the code: see distrust.h
//   GRADED_SUBJECT                  what the driver talks to
//   GRADED_SILENT_STEPS             steps of a skeleton whose TODO cannot throw
//   GRADED_SEED                     of random data; 1 if absent
//   GRADED_HIDDEN_SEED              of a second run, which nobody knows
//   GRADED_BY_ACTOR                 print every failure, time lines by actor
#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>
#include <stdexcept>

#include "common/testing/runner/distrust.h"
#include "common/testing/runner/report.h"
#include "common/testing/runner/supervise.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GRADED_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GRADED_SANITIZED 1
#endif
#endif

namespace graded {
namespace {

std::string variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

// Bazel's --test_filter: patterns as in GoogleTest, joined by ':'.
bool chosen(const std::string& name) {
  std::string filter = variable("TESTBRIDGE_TEST_ONLY", "*");
  for (const std::string& pattern : split(filter, ':'))
    if (::fnmatch(pattern.c_str(), name.c_str(), 0) == 0) return true;
  return false;
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

std::set<std::string> failing_rules(const Run& run) {
  std::set<std::string> failing;
  for (const Rule& rule : run.rubric.rules)
    if (!run.passed(rule)) failing.insert(rule.id);
  return failing;
}

std::string joined(const std::set<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " ") + name;
  return out.empty() ? "none" : out;
}

// A skeleton earns nothing, and says of each step that it is still to do.
bool is_red_skeleton(const Run& run) {
  std::vector<std::string> silent =
      split(variable("GRADED_SILENT_STEPS", ""), ',');
  bool good = run.points() == 0;
  for (std::size_t i = 0; i < run.tests.size(); ++i) {
    const Outcome& outcome = run.outcomes[i];
    const std::string& step = run.rubric.rule(run.tests[i].rule).step;
    bool red = outcome.verdict != Verdict::kPass;
    bool named = !outcome.todo().empty() ||
                 std::find(silent.begin(), silent.end(), step) != silent.end();
    if (red && named) continue;
    good = false;
    std::cout << run.tests[i].name
              << (red ? " fails, but names no TODO: " + outcome.why
                      : " passes on the skeleton")
              << "\n";
  }
  return good;
}

// The rules in a line of a mutant's file: "Caught by: ", those that it breaks;
// "At times: ", those that it breaks if the kernel is in the mood.
std::set<std::string> rules_in(const std::string& path,
                               const std::string& label) {
  std::ifstream file(path);
  std::set<std::string> found;
  for (std::string line; std::getline(file, line);)
    if (line.rfind(label, 0) == 0)
      for (const std::string& id : split(line.substr(label.size()), ' '))
        if (!id.empty()) found.insert(id);
  return found;
}

// Fails every time: a wrong solution may lose a race in some runs only.
bool fails_again(const Run& run, const std::string& rule,
                 const std::string& binary, const Limits& limits) {
  std::vector<std::string> names;
  for (const Test& test : run.tests)
    if (test.rule == rule) names.push_back(test.name);
  for (int times = 0; times < 3; ++times) {
    bool failed = false;
    for (const Outcome& outcome : run_all(binary, names, 1, limits))
      failed = failed || outcome.verdict != Verdict::kPass;
    if (!failed) return false;
  }
  return true;
}

// A mutant fails the rules that its file names, and no others but at times.
bool is_caught_mutant(const Run& run, const std::string& path,
                      const std::string& binary, const Limits& limits) {
  std::set<std::string> named = rules_in(path, "Caught by: ");
  std::set<std::string> failing = failing_rules(run);
  std::cout << "named in " << path << ": " << joined(named)
            << "\nfailing rules: " << joined(failing) << "\n";
  for (const std::string& id : rules_in(path, "At times: ")) failing.erase(id);
  for (const std::string& id : std::set<std::string>(failing)) {
    if (named.count(id) || fails_again(run, id, binary, limits)) continue;
    std::cout << "at times: " << id << "\n";
    failing.erase(id);
  }
  return !named.empty() && failing == named;
}

// Not a point, and the instructor's eye is drawn to it.
bool is_caught_cheat(const Run& run) {
  std::vector<std::string> flags = run.flags();
  for (const std::string& flag : flags) std::cout << "flag: " << flag << "\n";
  return run.points() == 0 && !flags.empty();
}

// It knows the seed's data, and fails with a seed that it does not know.
bool is_caught_guess(const Run& run) {
  bool caught = run.flags().empty() && !run.integrity.guessed.empty();
  for (std::size_t i = 0; i < run.tests.size(); ++i)
    caught = caught && (run.outcomes[i].verdict == Verdict::kPass ||
                        run.integrity.guessed.count(run.tests[i].name));
  return caught;
}

// Every test passes, at the first try and in everybody's eyes.
bool is_above_suspicion(const Run& run) {
  bool clean = run.flags().empty() && failing_rules(run).empty();
  for (const std::string& flag : run.flags())
    std::cout << "flag: " << flag << "\n";
  for (const std::string& name : run.rubric.confirmations) {
    const auto& seen = run.integrity.confirmed;
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
    std::cout << "not confirmed: " << name << "\n";
    clean = false;
  }
  return clean;
}

int run() {
  std::string binary = variable("GRADED_BINARY", "");
  std::string expect = variable("GRADED_EXPECT", "pass");
  Rubric rubric = Rubric::read(variable("GRADED_RUBRIC", ""));
  Run run{rubric,
          {},
          {},
          variable("GRADED_IMPLEMENTATION", "learner"),
          variable("GRADED_SEED", "1")};
  std::vector<std::string> names;
  for (const Test& test : rubric.tests) {
    if (!chosen(test.name)) continue;
    run.tests.push_back(test);
    names.push_back(test.name);
  }
  if (names.empty()) throw std::runtime_error("no test has the name asked for");

  Limits limits;
#ifdef GRADED_SANITIZED
  limits.deadline *= 4;
  limits.memory = false;
#endif
  std::string vetting = variable("GRADED_VETTING", "");
  run.hidden_seed = variable("GRADED_HIDDEN_SEED", "");
  ::unsetenv("GRADED_HIDDEN_SEED");  // no test's business
  if (!vetting.empty()) {
    run_distrusted(run, {binary, variable("GRADED_DRIVER", ""), vetting},
                   limits);
  } else {
    // More than processors: a test that hangs waits without using one.
    run.outcomes = run_all(binary, names, 4, limits);
  }

  std::string outputs = variable("TEST_UNDECLARED_OUTPUTS_DIR", "");
  if (!outputs.empty()) write_file(outputs + "/graded.json", graded_json(run));
  std::string xml = variable("XML_OUTPUT_FILE", "");
  if (!xml.empty()) write_file(xml, junit_xml(run));
  if (!variable("GRADED_BY_ACTOR", "").empty()) {
    for (std::size_t i = 0; i < run.tests.size(); ++i)
      if (run.outcomes[i].verdict != Verdict::kPass)
        std::cout << failure_text(run, i, true) << "\n";
  } else {
    std::cout << summary_text(run);
  }
  std::cout.flush();
  if (expect == "skeleton") return is_red_skeleton(run) ? 0 : 1;
  if (expect == "cheat") return is_caught_cheat(run) ? 0 : 1;
  if (expect == "guess") return is_caught_guess(run) ? 0 : 1;
  if (expect == "honest") return is_above_suspicion(run) ? 0 : 1;
  if (expect != "pass")
    return is_caught_mutant(run, expect, binary, limits) ? 0 : 1;
  for (const Outcome& outcome : run.outcomes)
    if (outcome.verdict != Verdict::kPass) return 1;
  return 0;
}

}  // namespace
}  // namespace graded

int main() {
  try {
    return graded::run();
  } catch (const std::exception& error) {
    std::cerr << "runner: " << error.what() << "\n";
    return 2;
  }
}
