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

// Only that it failed: what happened would tell the data.
void try_the_hidden_seed(Run& run, const Distrust& distrust,
                         const Limits& limits) {
  ::setenv("GRADED_SEED", run.hidden_seed.c_str(), 1);
  auto good = tests_where(run, [&](std::size_t i) { return passed(run, i); });
  auto outcomes = run_all(distrust.binary, names(run, good), kJobs, limits);
  for (std::size_t i = 0; i < good.size(); ++i) {
    const std::string& name = run.tests[good[i]].name;
    if (outcomes[i].verdict != Verdict::kPass)
      outcomes[i] = run_all(distrust.binary, {name}, 1, limits)[0];
    if (outcomes[i].verdict == Verdict::kPass) continue;
    Outcome& outcome = run.outcomes[good[i]] = Outcome{};
    outcome.verdict = Verdict::kFail;
    outcome.why =
        "it passes with the data and the amounts that you know, and "
        "fails with others";
    run.integrity.guessed.insert(name);
  }
  ::setenv("GRADED_SEED", run.seed.c_str(), 1);
}

void confirm(Run& run, const Distrust& distrust, const Limits& limits) {
  auto seen = tests_where(run, [&](std::size_t i) {
    return passed(run, i) && run.rubric.confirmations.count(run.tests[i].name);
  });
  auto outcomes = run_all(distrust.driver, names(run, seen), kJobs, limits);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const std::string& name = run.tests[seen[i]].name;
    if (outcomes[i].verdict != Verdict::kPass)
      outcomes[i] = run_all(distrust.driver, {name}, 1, limits)[0];
    if (outcomes[i].verdict == Verdict::kPass) {
      run.integrity.confirmed.push_back(name);
      continue;
    }
    outcomes[i].verdict = Verdict::kUnconfirmed;
    outcomes[i].why = "seen from outside: " + outcomes[i].why;
    run.outcomes[seen[i]] = std::move(outcomes[i]);
  }
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
  if (!run.hidden_seed.empty()) try_the_hidden_seed(run, distrust, limits);
  if (!distrust.driver.empty()) confirm(run, distrust, limits);
}

}  // namespace graded
