#include "chapters/07_event_loop/poller.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <limits>
#include <string>
#include <system_error>
#include <vector>

#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "tests/07_event_loop/pair.h"

using namespace graded;
using namespace std::chrono_literals;

namespace {

// What one wait() reports: "first POLLIN", sorted, and last the number that it
// returned.
class Waiting {
 public:
  net::PollPoller poller;

  void name(int fd, const std::string& name) { names_.push_back({fd, name}); }

  std::vector<std::string> wait(std::chrono::milliseconds most = 0ms) {
    int n = poller.wait(most, ready_);
    std::vector<std::string> lines;
    for (const net::Ready& it : ready_)
      lines.push_back(name_of(it.fd) + events_text(it.events));
    std::sort(lines.begin(), lines.end());
    lines.push_back("returned " + std::to_string(n));
    return lines;
  }

 private:
  std::string name_of(int fd) const {
    for (const auto& [number, name] : names_)
      if (number == fd) return name;
    return "a descriptor that nobody added: " + std::to_string(fd);
  }
  static std::string events_text(short events) {
    std::string text;
    if (events & POLLIN) text += " POLLIN";
    if (events & POLLOUT) text += " POLLOUT";
    if (events & POLLHUP) text += " POLLHUP";
    return text;
  }
  std::vector<std::pair<int, std::string>> names_;
  std::vector<net::Ready> ready_;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST(PollPoller, ReportsEachReadyDescriptorOnce) {
  RULE("POLLER-1");
  Pair first, second, third;
  Waiting it;
  it.name(first.theirs(), "first");
  it.name(second.theirs(), "second");
  it.name(third.theirs(), "third");
  it.poller.add(first.theirs(), POLLIN);
  it.poller.add(second.theirs(), POLLIN | POLLOUT);
  it.poller.add(third.theirs(), POLLIN);
  second.send("x");
  third.send("x");

  Lines both = it.wait();
  third.take();
  Lines one = it.wait();
  it.poller.modify(second.theirs(), POLLIN);
  second.take();
  Lines none = it.wait();
  first.close();
  Lines ended = it.wait();

  EXPECT_IS(both,
            (Lines{"second POLLIN POLLOUT", "third POLLIN", "returned 2"}))
      << "Two of three are ready; both bits of one are one entry.";
  EXPECT_IS(one, (Lines{"second POLLIN POLLOUT", "returned 1"}))
      << "The third one has been read. `ready` is replaced, not added to.";
  EXPECT_IS(none, (Lines{"returned 0"}))
      << "After modify() to POLLIN alone, POLLOUT is not reported.";
  EXPECT_IS(ended, (Lines{"first POLLIN POLLHUP", "returned 1"}))
      << "POLLHUP is reported without being asked for.";
}

TEST(PollPoller, ForgetsWhatIsRemoved) {
  RULE("POLLER-1");
  Pair pairs[5];
  Waiting it;
  for (int i = 0; i < 5; ++i) {
    it.name(pairs[i].theirs(), std::to_string(i));
    it.poller.add(pairs[i].theirs(), POLLIN);
    pairs[i].send("x");
  }

  it.poller.remove(pairs[1].theirs());
  Lines without_one = it.wait();
  it.poller.modify(pairs[4].theirs(), 0);
  it.poller.remove(pairs[0].theirs());
  it.poller.modify(pairs[4].theirs(), POLLIN);
  it.poller.remove(pairs[3].theirs());
  Lines two = it.wait();
  it.poller.add(pairs[1].theirs(), POLLIN);
  it.poller.remove(pairs[4].theirs());
  Lines others = it.wait();
  it.poller.remove(pairs[2].theirs());
  it.poller.remove(pairs[1].theirs());
  Lines none = it.wait();

  EXPECT_IS(without_one, (Lines{"0 POLLIN", "2 POLLIN", "3 POLLIN", "4 POLLIN",
                                "returned 4"}))
      << "All five are readable; 1 was removed.";
  EXPECT_IS(two, (Lines{"2 POLLIN", "4 POLLIN", "returned 2"}))
      << "0 and 3 were removed, and 4 was silenced and asked again in between: "
         "an entry that took the place of another one is still found.";
  EXPECT_IS(others, (Lines{"1 POLLIN", "2 POLLIN", "returned 2"}))
      << "1 was added again, 4 was removed.";
  EXPECT_IS(none, (Lines{"returned 0"})) << "All were removed.";
}

TEST(PollPoller, IsSilentForNoEvents) {
  RULE("POLLER-2");
  Pair gone, also_gone;
  Waiting it;
  {
    Unwatched ours;
    ::dup2(also_gone.theirs(), 0);
  }
  it.name(gone.theirs(), "gone");
  it.name(0, "descriptor 0");
  it.poller.add(gone.theirs(), 0);
  it.poller.add(0, POLLIN);
  it.poller.modify(0, 0);
  gone.close();
  also_gone.close();

  Lines silent = it.wait();
  it.poller.modify(gone.theirs(), POLLIN);
  it.poller.modify(0, POLLIN);
  Lines both = it.wait();

  EXPECT_IS(silent, (Lines{"returned 0"}))
      << "Both peers are gone, but events is 0: not even POLLHUP is reported, "
         "or a loop that does not care would spin. (0 is a descriptor, too, "
         "and -0 is no negative number.)";
  EXPECT_IS(both, (Lines{"descriptor 0 POLLIN POLLHUP", "gone POLLIN POLLHUP",
                         "returned 2"}))
      << "Asked for POLLIN again, both are reported.";
}

TEST(PollPoller, WaitsAsLongAsItIsTold) {
  RULE("POLLER-3");
  Pair pair;
  VirtualClock clock;
  Waiting it;
  it.name(pair.theirs(), "pair");
  it.poller.add(pair.theirs(), POLLIN);
  std::vector<std::string> waits;
  auto wait = [&](std::chrono::milliseconds most) {
    long long before = clock.milliseconds();
    it.wait(most);
    waits.push_back(std::to_string(clock.milliseconds() - before) + " ms");
  };

  wait(0ms);
  wait(250ms);
  wait(48h);
  pair.send("x");
  Lines ready = it.wait(-1ms);
  wait(std::chrono::milliseconds::min());
  wait(1h);

  EXPECT_IS(waits, (Lines{"0 ms", "250 ms", "172800000 ms", "0 ms", "0 ms"}))
      << "Nothing is ready in the first three: they last as long as they may. "
         "In the last two a byte is there.";
  EXPECT_IS(ready, (Lines{"pair POLLIN", "returned 1"}))
      << "A negative time is no limit: the byte ends the wait.";
}

TEST(PollPoller, CutsAWaitThatIsTooLongForAnInt) {
  RULE("POLLER-3");
  Pair pair;
  VirtualClock clock;
  Waiting it;
  it.poller.add(pair.theirs(), POLLIN);
  std::vector<std::string> lengths;

  for (auto days : {25, 50, 1000}) {
    long long before = clock.milliseconds();
    it.wait(days * 24h);
    bool long_enough = clock.milliseconds() - before > 20LL * 24 * 3600 * 1000;
    lengths.push_back(long_enough ? "weeks" : "too short");
  }

  EXPECT_IS(lengths, (Lines{"weeks", "weeks", "weeks"}))
      << "poll() takes the milliseconds as an int, which ends after 24 days. "
         "Converted as it is, 25 days become a negative number (for ever), "
         "and 50 days become 7 hours.";
}

TEST(PollPoller, TakesASignalForNothing) {
  RULE("POLLER-3");
  Pair pair;
  Waiting it;
  it.name(pair.theirs(), "pair");
  it.poller.add(pair.theirs(), POLLIN);
  pair.send("x");
  Lines before = it.wait();
  Fault signal(Call::kPoll, {fails(EINTR), fails(ENOMEM)});

  Lines interrupted = it.wait(1h);
  std::string refused = "nothing";
  try {
    it.wait();
  } catch (const std::system_error& error) {
    refused = errno_name(error.code().value());
  }

  EXPECT_IS(interrupted, (Lines{"returned 0"}))
      << "A signal ends the wait: 0, and nothing of the last time is left in "
         "`ready`. The loop looks at the time and waits again.";
  EXPECT_IS(refused, "ENOMEM")
      << "Other errors of poll() are a std::system_error with their errno.";
}
