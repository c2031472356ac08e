// Tests that go wrong in every way a learner's code can: runner_test.cc looks
// at what the runner makes of them.
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>

#include "common/testing/graded.h"
#include "common/testing/peer.h"

TEST(Misbehave, Passes) {
  graded::step("peer", "says hello");
}

TEST(Misbehave, FailsOneCheck) {
  int answer = 41;
  EXPECT_IS(answer, 42) << "The answer is well known.";
}

TEST(Misbehave, FindsSomethingFalse) {
  bool answered = false;
  EXPECT_TRUE(answered) << "The answer did not come.";
}

TEST(Misbehave, ThrowsATodo) {
  throw std::logic_error("TODO 99.1: all of it  (misbehave.cc)");
}

TEST(Misbehave, CallsAnEmptyFunction) {
  std::function<void()> nobody;
  nobody();
}

TEST(Misbehave, Crashes) {
  ::raise(SIGSEGV);
}

TEST(Misbehave, IsEndedBySigpipe) {
  graded::TcpPair pair;
  pair.ours.reset();
  while (true) (void)!::write(pair.theirs, "x", 1);
}

TEST(Misbehave, WaitsForEver) {
  graded::TcpPair pair;
  char byte;
  (void)!::recv(pair.theirs, &byte, 1, 0);
}

TEST(Misbehave, GivesUpInTime) {
  while (graded::time_left().count() > 0) ::poll(nullptr, 0, 1);
  ADD_FAILURE() << "What it has waited for did not come.";
}

TEST(Misbehave, RunsForEver) {
  volatile bool on = true;
  while (on) {
  }
}

TEST(Misbehave, ExitsWithZero) {
  ::exit(0);
}

TEST(Misbehave, ExitsAtOnceWithZero) {
  ::_exit(0);
}

TEST(Misbehave, ClosesEveryDescriptor) {
  for (int fd = 0; fd < 4096; ++fd) ::close(fd);
}

TEST(Misbehave, LeavesAChildRunning) {
  if (::fork() == 0) {
    ::setsid();
    while (true) ::pause();
  }
}

TEST(Misbehave, PrintsWithoutEnd) {
  while (true) std::puts("still here");
}

TEST(Misbehave, TakesAllMemory) {
  for (std::size_t n = 0; n < 64; ++n)
    static_cast<char*>(std::malloc(std::size_t{1} << 30))[n] = 1;
}

TEST(Misbehave, IsSkipped) {
  GTEST_SKIP() << "no reason at all";
}

TEST(Misbehave, PrintsAPassedVerdict) {
  std::puts("end\tkey\tpassed\n[  PASSED  ] 1 test.");
  ::exit(0);
}

TEST(Misbehave, FailsThenCrashes) {
  EXPECT_IS(1, 2) << "Said before the crash.";
  ::abort();
}
