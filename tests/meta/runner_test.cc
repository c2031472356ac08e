// What the runner makes of tests that go wrong: each costs itself alone, and
// says what happened.
#include <sys/wait.h>

#include <map>

#include "common/testing/runner/report.h"
#include "common/testing/runner/supervise.h"
#include "gtest/gtest.h"

using namespace graded;

namespace {

constexpr char kBinary[] = "tests/meta/misbehave";

// All of them at once, so that those that hang hang together.
const std::map<std::string, Outcome>& outcomes() {
  static const std::map<std::string, Outcome> all = [] {
    std::vector<std::string> names;
    for (const char* name : {"Passes",
                             "FailsOneCheck",
                             "FindsSomethingFalse",
                             "ThrowsATodo",
                             "Crashes",
                             "IsEndedBySigpipe",
                             "WaitsForEver",
                             "RunsForEver",
                             "ExitsWithZero",
                             "ExitsAtOnceWithZero",
                             "ClosesEveryDescriptor",
                             "LeavesAChildRunning",
                             "PrintsWithoutEnd",
                             "TakesAllMemory",
                             "IsSkipped",
                             "PrintsAPassedVerdict",
                             "FailsThenCrashes",
                             "GivesUpInTime",
                             "CallsAnEmptyFunction",
                             "NoSuchTest"})
      names.push_back(std::string("Misbehave.") + name);
    Limits limits;
    limits.deadline = std::chrono::seconds(3);
    std::vector<Outcome> found = run_all(kBinary, names, 8, limits);
    std::map<std::string, Outcome> by_name;
    for (std::size_t i = 0; i < names.size(); ++i)
      by_name[names[i].substr(10)] = found[i];
    return by_name;
  }();
  return all;
}

std::string verdict(const std::string& name) {
  return verdict_name(outcomes().at(name).verdict);
}

bool says(const std::string& name, const std::string& words) {
  const std::string& why = outcomes().at(name).why;
  if (why.find(words) != std::string::npos) return true;
  ADD_FAILURE() << name << " says: " << why;
  return false;
}

}  // namespace

TEST(Runner, PassesWhatPasses) {
  EXPECT_EQ(verdict("Passes"), "PASS");
  ASSERT_EQ(outcomes().at("Passes").steps.size(), 1u);
  EXPECT_EQ(outcomes().at("Passes").steps[0].what, "says hello");
}

TEST(Runner, KeepsBothSidesOfAFailedCheck) {
  EXPECT_EQ(verdict("FailsOneCheck"), "FAIL");
  const Failure& failure = outcomes().at("FailsOneCheck").failures.at(0);
  EXPECT_EQ(failure.expected, std::vector<std::string>{"42"});
  EXPECT_EQ(failure.actual, std::vector<std::string>{"41"});
}

TEST(Runner, TakesTheTestsWordsForWhatIsFalse) {
  EXPECT_EQ(outcomes().at("FindsSomethingFalse").why,
            "The answer did not come.");
}

TEST(Runner, NamesTheStepOfATodo) {
  EXPECT_EQ(verdict("ThrowsATodo"), "FAIL");
  EXPECT_EQ(outcomes().at("ThrowsATodo").todo(), "99.1");
}

TEST(Runner, SaysWhatAnExceptionMeans) {
  EXPECT_EQ(verdict("CallsAnEmptyFunction"), "FAIL");
  EXPECT_TRUE(
      says("CallsAnEmptyFunction", "an empty std::function was called"));
}

TEST(Runner, TellsACrashBySignal) {
  EXPECT_EQ(verdict("Crashes"), "CRASH");
  EXPECT_TRUE(says("Crashes", "SIGSEGV"));
  EXPECT_EQ(verdict("IsEndedBySigpipe"), "CRASH");
  EXPECT_TRUE(says("IsEndedBySigpipe", "SIGPIPE"));
}

TEST(Runner, KeepsAFailureThatCameBeforeACrash) {
  EXPECT_EQ(verdict("FailsThenCrashes"), "CRASH");
  EXPECT_EQ(outcomes().at("FailsThenCrashes").failures.size(), 1u);
}

TEST(Runner, EndsAHangAndNamesTheCall) {
  EXPECT_EQ(verdict("WaitsForEver"), "TIMEOUT");
  EXPECT_TRUE(says("WaitsForEver", "recv("));
  EXPECT_TRUE(says("WaitsForEver", "never returned"));
  EXPECT_EQ(verdict("RunsForEver"), "TIMEOUT");
}

TEST(Runner, LeavesTimeToSayWhatWasWaitedFor) {
  EXPECT_EQ(verdict("GivesUpInTime"), "FAIL");
  EXPECT_TRUE(says("GivesUpInTime", "did not come"));
}

TEST(Runner, DoesNotTakeAnExitForAPass) {
  EXPECT_EQ(verdict("ExitsWithZero"), "EXIT");
  EXPECT_TRUE(says("ExitsWithZero", "does the code call exit()?"));
  EXPECT_EQ(verdict("ExitsAtOnceWithZero"), "EXIT");
}

TEST(Runner, DoesNotReadAVerdictFromOutput) {
  EXPECT_EQ(verdict("PrintsAPassedVerdict"), "EXIT");
}

TEST(Runner, SaysWhenEveryDescriptorWasClosed) {
  EXPECT_EQ(verdict("ClosesEveryDescriptor"), "EXIT");
  EXPECT_TRUE(says("ClosesEveryDescriptor", "descriptors"));
}

TEST(Runner, EndsWhatATestLeavesBehind) {
  EXPECT_EQ(verdict("LeavesAChildRunning"), "FAIL");
  EXPECT_TRUE(says("LeavesAChildRunning", "left a process running"));
  // Each supervisor has waited for all that was below it: so nothing is left.
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(Runner, StopsOutputWithoutEnd) {
  EXPECT_EQ(verdict("PrintsWithoutEnd"), "FAIL");
  EXPECT_TRUE(says("PrintsWithoutEnd", "printed without end"));
}

TEST(Runner, BoundsMemory) {
  EXPECT_EQ(verdict("TakesAllMemory"), "CRASH");
}

TEST(Runner, DoesNotPassASkippedTest) {
  EXPECT_EQ(verdict("IsSkipped"), "SKIP");
}

TEST(Runner, DoesNotPassAMissingTest) {
  EXPECT_NE(verdict("NoSuchTest"), "PASS");
}

TEST(Report, MakesForeignTextHarmless) {
  EXPECT_EQ(cleaned("a\x1b[31m\xff\n"), "a\\x1b[31m\\xff\n");
  EXPECT_LT(cleaned(std::string(100000, 'x')).size(), 20000u);
}

TEST(Report, WritesXmlAndJsonThatForeignTextCannotBreak) {
  Rubric rubric{"99_x", "X", {{"X-1", 100, "99.1", "7", "A rule."}}, {}};
  Outcome outcome;
  outcome.verdict = Verdict::kFail;
  outcome.why = "said ]]> </testcase> \"\\ \x01";
  outcome.failures.push_back({"f.cc", "1", outcome.why, {}, {}});
  graded::Run run{
      rubric, {{"X.Y", "X-1", "f.cc", "1"}}, {outcome}, "learner", "1"};
  std::string xml = junit_xml(run), json = graded_json(run);
  EXPECT_EQ(xml.find("]]>"), std::string::npos);
  EXPECT_EQ(xml.find("</testcase> "), std::string::npos);
  EXPECT_NE(json.find("\\\"\\\\ \\\\x01"), std::string::npos) << json;
}

TEST(Report, GivesNoPointsForARuleWithoutATest) {
  Rubric rubric{"99_x", "X", {{"X-1", 100, "99.1", "7", "A rule."}}, {}};
  EXPECT_EQ((graded::Run{rubric, {}, {}, "learner", "1"}).points(), 0);
}

TEST(Report, NeedsEveryTestOfARule) {
  Rubric rubric{"99_x", "X", {{"X-1", 100, "99.1", "7", "A rule."}}, {}};
  Outcome good, bad;
  good.verdict = Verdict::kPass;
  bad.verdict = Verdict::kTimeout;
  graded::Test test{"X.Y", "X-1", "f.cc", "1"};
  EXPECT_EQ(
      (graded::Run{rubric, {test, test}, {good, good}, "l", "1"}).points(),
      100);
  EXPECT_EQ((graded::Run{rubric, {test, test}, {good, bad}, "l", "1"}).points(),
            0);
}
