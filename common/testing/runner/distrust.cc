#include "common/testing/runner/distrust.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace graded {
namespace {

constexpr int kJobs = 4;

// Lines of "refused<tab>what" and "flag<tab>what".
void read_vetting(const std::string& path, Integrity& integrity) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> f = split(line, '\t');
    if (f.size() != 2 || (f[0] != "refused" && f[0] != "flag"))
      throw std::runtime_error(path + ": unknown line: " + line);
    (f[0] == "flag" ? integrity.flags : integrity.refused).push_back(f[1]);
  }
}

void make_void(Run& run, const std::string& why) {
  run.outcomes.assign(run.tests.size(), Outcome{});
  for (Outcome& outcome : run.outcomes) {
    outcome.verdict = Verdict::kVoid;
    outcome.why = why;
  }
}

template <typename Chosen>
std::vector<std::size_t> tests_where(const Run& run, Chosen chosen) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < run.tests.size(); ++i)
    if (chosen(i)) found.push_back(i);
  return found;
}

std::vector<std::string> names(const Run& run,
                               const std::vector<std::size_t>& tests) {
  std::vector<std::string> found;
  for (std::size_t i : tests) found.push_back(run.tests[i].name);
  return found;
}

bool passed(const Run& run, std::size_t i) {
  return run.outcomes[i].verdict == Verdict::kPass;
}

// A TODO fails whenever it is met.
void try_again_alone(Run& run, const Distrust& distrust, const Limits& limits) {
  auto failed = tests_where(run, [&](std::size_t i) {
    return !passed(run, i) && run.outcomes[i].todo().empty();
  });
  auto second = run_all(distrust.binary, names(run, failed), 1, limits);
  for (std::size_t i = 0; i < failed.size(); ++i) {
    if (second[i].verdict != Verdict::kPass) continue;
    run.integrity.unsteady.push_back(run.tests[failed[i]].name);
    run.outcomes[failed[i]] = std::move(second[i]);
  }
}

// Whether all that passed fails when it has to.
bool canaries_fail(Run& run, const Distrust& distrust, const Limits& limits) {
  auto good = tests_where(run, [&](std::size_t i) { return passed(run, i); });
  auto outcomes = run_all(distrust.binary, names(run, good), kJobs, limits,
                          Ending::kCanary);
  for (std::size_t i = 0; i < good.size(); ++i) {
    if (outcomes[i].verdict != Verdict::kPass) continue;
    run.integrity.forged = run.tests[good[i]].name;
    return false;
  }
  return true;
}

// What fails is run again, alone.
std::vector<Outcome> run_patiently(const std::string& program,
                                   const std::vector<std::string>& tests,
                                   const Limits& limits) {
  auto outcomes = run_all(program, tests, kJobs, limits);
  for (std::size_t i = 0; i < tests.size(); ++i)
    if (outcomes[i].verdict != Verdict::kPass)
      outcomes[i] = run_all(program, {tests[i]}, 1, limits)[0];
  return outcomes;
}

// Those that pass, and that a driver has, too.
std::vector<std::size_t> to_be_seen(const Run& run) {
  return tests_where(run, [&](std::size_t i) {
    return passed(run, i) && run.rubric.confirmations.count(run.tests[i].name);
  });
}

void confirm(Run& run, const Distrust& distrust, const Limits& limits) {
  auto seen = to_be_seen(run);
  auto outcomes = run_patiently(distrust.driver, names(run, seen), limits);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (outcomes[i].verdict == Verdict::kPass) {
      run.integrity.confirmed.push_back(run.tests[seen[i]].name);
      continue;
    }
    outcomes[i].verdict = Verdict::kUnconfirmed;
    outcomes[i].why = "seen from outside: " + outcomes[i].why;
    run.outcomes[seen[i]] = std::move(outcomes[i]);
  }
}

// Only that it failed: what happened would tell the data.
void take_back(Run& run, std::size_t test) {
  Outcome& outcome = run.outcomes[test] = Outcome{};
  outcome.verdict = Verdict::kFail;
  outcome.why =
      "it passes with the data and the amounts that you know, and "
      "fails with others";
  run.integrity.guessed.insert(run.tests[test].name);
  std::erase(run.integrity.confirmed, run.tests[test].name);
}

void try_the_hidden_seed(Run& run, const Distrust& distrust,
                         const Limits& limits) {
  ::setenv("GRADED_SEED", run.hidden_seed.c_str(), 1);
  auto try_again = [&](const std::string& program,
                       const std::vector<std::size_t>& tests) {
    auto outcomes = run_patiently(program, names(run, tests), limits);
    for (std::size_t i = 0; i < tests.size(); ++i)
      if (outcomes[i].verdict != Verdict::kPass) take_back(run, tests[i]);
  };
  try_again(distrust.binary,
            tests_where(run, [&](std::size_t i) { return passed(run, i); }));
  if (!distrust.driver.empty()) try_again(distrust.driver, to_be_seen(run));
  ::setenv("GRADED_SEED", run.seed.c_str(), 1);
}

}  // namespace

void run_distrusted(Run& run, const Distrust& distrust, const Limits& limits) {
  run.integrity.checked = true;
  read_vetting(distrust.vetting, run.integrity);
  if (!run.integrity.refused.empty())
    return make_void(run, "not run: " + run.integrity.refused[0]);
  std::vector<std::string> all;
  for (const Test& test : run.tests) all.push_back(test.name);
  run.outcomes = run_all(distrust.binary, all, kJobs, limits);
  try_again_alone(run, distrust, limits);
  if (!canaries_fail(run, distrust, limits))
    return make_void(run, run.integrity.forged +
                              " passes although a failure was added after its "
                              "body: the code forges verdicts");
  if (!distrust.driver.empty()) confirm(run, distrust, limits);
  if (!run.hidden_seed.empty()) try_the_hidden_seed(run, distrust, limits);
}

}  // namespace graded
