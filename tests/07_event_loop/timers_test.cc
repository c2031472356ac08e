#include <poll.h>
#include <time.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "chapters/07_event_loop/event_loop.h"
#include "common/testing/graded.h"
#include "tests/07_event_loop/scripted.h"

using namespace graded;
using namespace std::chrono_literals;

TEST(Timers, RunInTheOrderOfTheirDeadlines) {
  RULE("TIMER-1");
  World world;
  int n = 0;
  for (auto delay : {30ms, 10ms, 20ms, 10ms, 0ms, -5ms})
    world.loop.set_timeout(
        delay, [&world, n = ++n] { world.note("timer " + std::to_string(n)); });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"timer 5 at 0 ms", "timer 6 at 0 ms",
                              "timer 2 at 10 ms", "timer 4 at 10 ms",
                              "timer 3 at 20 ms", "timer 1 at 30 ms"}))
      << "They were made with delays of 30, 10, 20, 10, 0 and -5 ms. The one "
         "that is due first runs first, whichever was made first; a delay "
         "below 0 is 0.";
}

TEST(Timers, KeepTheOrderOfEqualDeadlines) {
  RULE("TIMER-1");
  World world;
  std::vector<std::string> expected;
  auto make = [&](int from, std::chrono::milliseconds delay) {
    for (int i = from; i < from + 10; ++i)
      world.loop.set_timeout(delay, [&world, i] { world.trace.add(i); });
  };
  for (int i = 0; i < 20; ++i) expected.push_back(std::to_string(i));
  world.loop.set_timeout(40ms, [&] { make(10, 60ms); });
  make(0, 100ms);

  world.loop.run();

  EXPECT_TRUE(world.trace.is(expected))
      << "All 20 are due at 100 ms: 10 made at 0 ms, the others at 40 ms. The "
         "one that was made first runs first.";
}

TEST(Timers, AreNeverEarly) {
  RULE("TIMER-2");
  World world;
  auto since = [&world] {
    return std::to_string((world.script.now()) / 1us) + " us";
  };
  world.script.advance(700us);
  world.loop.set_timeout(10ms, [&] {
    world.trace.add(world.script.now() < 10700us ? "early: " + since()
                                                 : "not early");
  });
  // Something else ends the wait a moment before that is due.
  world.loop.watch(kFirst, POLLIN, [&](short) {
    world.trace.add("woken");
    world.loop.unwatch(kFirst);
  });
  world.script.at(10500us, [&] { world.script.ready(kFirst, POLLIN); });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"woken", "not early"}))
      << "Made at 0.7 ms with a delay of 10 ms, and the loop is woken for "
         "something else at 10.5 ms: the timer is due at 10.7 ms, not before.";
  EXPECT_IS(world.script.waits().size() <= 3, true)
      << "wait() knows whole milliseconds. Round the rest of the time up: with "
         "0.2 ms rounded down to \"no wait\" the loop spins until the "
         "deadline. It called wait() "
      << world.script.waits().size() << " times.";
}

TEST(Timers, LetTheLoopSleepUntilTheNextOne) {
  RULE("TIMER-2");
  World world;
  for (auto delay : {10ms, 20ms, 3600000ms})
    world.loop.set_timeout(delay, [&] { world.note("timer"); });
  auto cleared = world.loop.set_timeout(5ms, [] {});
  world.loop.clear_timer(cleared);

  world.loop.run();

  EXPECT_TRUE(world.trace.is(
      {"timer at 10 ms", "timer at 20 ms", "timer at 3600000 ms"}))
      << "Nothing but the time wakes this loop.";
  EXPECT_IS(world.script.waits().size() <= 6, true)
      << "Three deadlines are three wake-ups. More than 6 waits mean that the "
         "loop looks at the clock again and again. It called wait() "
      << world.script.waits().size() << " times.";
}

TEST(Timers, CountTheTimeThatCallbacksTake) {
  RULE("TIMER-2");
  World world;
  world.loop.set_timeout(10ms, [&] {
    world.note("busy");
    world.script.advance(50ms);
  });
  world.loop.set_timeout(30ms, [&] { world.note("late"); });
  world.loop.set_timeout(100ms, [&] { world.note("in time"); });

  world.loop.run();

  EXPECT_TRUE(
      world.trace.is({"busy at 10 ms", "late at 60 ms", "in time at 100 ms"}))
      << "A callback takes 50 ms. A timer that was due meanwhile runs after "
         "it, at once; one that is due later is not put off.";
}

TEST(Timers, CanBeAsFarAwayAsMillisecondsGo) {
  RULE("TIMER-2");
  World world;
  auto never = world.loop.set_timeout(std::chrono::milliseconds::max(), [&] {
    world.trace.add("for ever is over");
  });
  world.loop.set_timeout(50 * 24h, [&world, never] {
    world.trace.add("after 50 days");
    world.loop.clear_timer(never);
  });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"after 50 days"}))
      << "milliseconds::max() more than now() is no time_point any more. A "
         "deadline that does not fit is never, not at once.";
}

TEST(ClearTimer, SilencesOneThatIsDueInThisTurn) {
  RULE("TIMER-3");
  World world;
  net::TimerId second{};
  world.loop.set_timeout(10ms, [&] {
    world.note("the first clears the second");
    world.loop.clear_timer(second);
  });
  second = world.loop.set_timeout(10ms, [&] { world.note("the second"); });
  world.loop.set_timeout(10ms, [&] { world.note("the third"); });

  world.loop.run();

  EXPECT_TRUE(world.trace.is(
      {"the first clears the second at 10 ms", "the third at 10 ms"}))
      << "All three were due. Once clear_timer() has returned, the task does "
         "not run: what it would use may be gone.";
}

TEST(ClearTimer, IsHarmlessWhenTheTimerIsOver) {
  RULE("TIMER-3");
  World world;
  std::set<net::TimerId> ids{net::TimerId::kNone};
  auto over = world.loop.set_timeout(0ms, [&] { world.note("over"); });
  net::TimerId self{};
  self = world.loop.set_timeout(0ms, [&] {
    world.loop.clear_timer(self);
    world.note("cleared itself");
  });
  ids.insert({over, self});
  world.loop.set_timeout(1ms, [&] {
    for (int i = 0; i < 3; ++i)
      ids.insert(
          world.loop.set_timeout(10ms, [&] { world.note("somebody else's"); }));
    for (auto id : {over, self, net::TimerId::kNone, net::TimerId{12345}})
      world.loop.clear_timer(id);
  });

  world.loop.run();

  EXPECT_TRUE(world.trace.is(
      {"over at 0 ms", "cleared itself at 0 ms", "somebody else's at 11 ms",
       "somebody else's at 11 ms", "somebody else's at 11 ms"}))
      << "An id is never used twice. To clear one that is over, or that never "
         "was, must not hit a newer timer that has its place.";
  EXPECT_IS(ids.size(), 6u)
      << "Five timers have five ids, and none is TimerId::kNone.";
}

TEST(ClearTimer, LetsGoOfTheTaskAtOnce) {
  RULE("TIMER-3");
  World world;
  auto owned = std::make_shared<int>(1);
  std::weak_ptr<int> alive = owned;
  auto id = world.loop.set_timeout(1h, [owned] {});
  owned.reset();

  world.loop.clear_timer(id);

  EXPECT_IS(alive.expired(), true)
      << "What the task owns goes with clear_timer(), not an hour later when "
         "the timer would have been due.";
}

TEST(Timers, MadeByATimerWaitForTheNextTurn) {
  RULE("TIMER-4");
  World world;
  int left = 1000;
  std::function<void()> again = [&] {
    if (world.trace.events().size() < 3) world.trace.add("timer");
    if (--left > 0) world.loop.set_timeout(0ms, again);
  };
  world.script.ready(kFirst, POLLIN);
  world.loop.watch(kFirst, POLLIN, [&](short) {
    world.trace.add("ready");
    world.loop.unwatch(kFirst);
  });
  world.loop.set_timeout(0ms, again);

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"timer", "ready", "timer"}))
      << "A timer of no delay makes the next one, a thousand times. The "
         "descriptor that is ready gets its turn after the first one, and "
         "does not wait for all of them.";
}

TEST(Interval, BeginsEachDelayAfterItBegan) {
  RULE("TIMER-5");
  World world;
  net::TimerId id{};
  int calls = 0;
  id = world.loop.set_interval(10ms, [&] {
    world.note("interval");
    if (++calls == 1) world.script.advance(7ms);
    if (calls == 2) world.script.advance(25ms);
    if (calls == 4) world.loop.clear_timer(id);
  });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"interval at 10 ms", "interval at 20 ms",
                              "interval at 45 ms", "interval at 55 ms"}))
      << "The first call takes 7 ms: the next one is 10 ms after it began, not "
         "after it ended. The second takes 25 ms: the third is late, comes at "
         "once, and the fourth is 10 ms after that; none is made up for.";
}

TEST(Interval, EndsWhenItIsCleared) {
  RULE("TIMER-5");
  World world;
  net::TimerId self{}, other{};
  self = world.loop.set_interval(10ms, [&] {
    world.note("clears itself");
    world.loop.clear_timer(self);
  });
  other =
      world.loop.set_interval(10ms, [&] { world.note("cleared by a timer"); });
  world.loop.set_timeout(25ms, [&] { world.loop.clear_timer(other); });

  world.loop.run();

  EXPECT_TRUE(
      world.trace.is({"clears itself at 10 ms", "cleared by a timer at 10 ms",
                      "cleared by a timer at 20 ms"}))
      << "An interval that is cleared, also by its own task, does not come "
         "again.";
}

TEST(Interval, OfNoDelayRunsOncePerTurn) {
  RULE("TIMER-5");
  World world;
  net::TimerId id{};
  id = world.loop.set_interval(0ms, [&] {
    world.trace.add("interval");
    if (world.trace.events().size() > 3) world.loop.clear_timer(id);
  });
  world.script.ready(kFirst, POLLIN);
  world.loop.watch(kFirst, POLLIN, [&](short) {
    world.trace.add("ready");
    if (world.trace.events().size() > 3) world.loop.unwatch(kFirst);
  });

  world.loop.run();

  EXPECT_TRUE(
      world.trace.is({"interval", "ready", "interval", "ready", "interval"}))
      << "Each turn has one call of the interval, and the descriptor gets its "
         "turn.";
}

namespace {

double processor_milliseconds() {
  timespec used;
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e3 +
         static_cast<double>(used.tv_nsec) / 1e6;
}

// The same 40,000 delays each time, in no order: 1 to 400 ms.
std::vector<std::chrono::milliseconds> many_delays() {
  std::vector<std::chrono::milliseconds> delays;
  std::uint32_t random = 1;
  for (int i = 0; i < 40000; ++i) {
    random = random * 1664525 + 1013904223;
    delays.emplace_back(random / 65536 % 400 + 1);
  }
  return delays;
}

}  // namespace

TEST(Timers, ManyCostLittle) {
  RULE("TIMER-6");
  std::vector<std::chrono::milliseconds> delays = many_delays();
  // What it takes to put as many into a sorted tree, and to take them out.
  double start = processor_milliseconds();
  std::multimap<std::chrono::milliseconds, std::function<void()>> tree;
  std::size_t in_tree = 0;
  for (auto delay : delays) tree.emplace(delay, [&in_tree] { ++in_tree; });
  for (auto& [delay, task] : tree) task();
  double tree_time = processor_milliseconds() - start;
  World world;
  std::size_t called = 0;
  std::vector<net::TimerId> ids;
  step("test", "makes 40000 timers, clears every other one, and runs the loop");

  start = processor_milliseconds();
  for (auto delay : delays)
    ids.push_back(world.loop.set_timeout(delay, [&called] { ++called; }));
  for (std::size_t i = 0; i < ids.size(); i += 2)
    world.loop.clear_timer(ids[i]);
  world.loop.run();
  double time = processor_milliseconds() - start;

  EXPECT_IS(called, 20000u) << "40000 timers were made, every other one was "
                               "cleared.";
  EXPECT_IS(time < 40 * tree_time, true)
      << "To make, clear or find the next of n timers costs about as much as "
         "in a sorted tree, log n steps. This loop took "
      << time / tree_time << " times as long, more than 40: something in it "
      << "walks over all timers each time.";
}
