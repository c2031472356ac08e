#include <poll.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "chapters/07_event_loop/event_loop.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "tests/07_event_loop/scripted.h"

using namespace graded;
using namespace std::chrono_literals;

namespace {

// In a thread of its own, from beginning to end.
void elsewhere(const std::function<void()>& run) {
  std::thread(run).join();
}

}  // namespace

TEST(Post, WakesTheLoop) {
  RULE("POST-1");
  World world;
  auto loop_thread = std::this_thread::get_id();
  world.loop.set_timeout(1h, [&] { world.note("timer"); });
  world.script.at(10ms, [&] {
    elsewhere([&] {
      for (int n : {1, 2})
        world.loop.post([&, n] {
          bool here = std::this_thread::get_id() == loop_thread;
          world.note("task " + std::to_string(n) +
                     (here ? "" : ", in the wrong thread,"));
        });
    });
  });

  world.loop.run();

  EXPECT_TRUE(world.trace.is(
      {"task 1 at 10 ms", "task 2 at 10 ms", "timer at 3600000 ms"}))
      << "Another thread posts two tasks while the loop sleeps. They wake it, "
         "and run in its thread, in their order, once; the timer alone would "
         "have let it sleep for an hour.";
}

TEST(Post, RunsInTheNextTurn) {
  RULE("POST-1");
  World world;
  int left = 3;
  std::function<void()> again = [&] {
    world.trace.add("posted");
    if (--left > 0) world.loop.post(again);
  };
  world.script.ready(kFirst, POLLIN);
  world.loop.watch(kFirst, POLLIN, [&](short) {
    world.trace.add("ready");
    if (left == 0) world.loop.unwatch(kFirst);
  });
  world.loop.set_timeout(0ms, [&] {
    world.trace.add("timer");
    world.loop.post([&] { world.trace.add("posted by the timer"); });
  });
  world.loop.post(again);

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"timer", "posted", "ready", "posted by the timer",
                              "posted", "ready", "posted", "ready"}))
      << "A turn is: timers, tasks that were posted before it, descriptors. A "
         "task that posts itself runs once per turn: it does not keep the "
         "descriptors from theirs.";
}

TEST(Post, LosesNoTaskAndNoWakeUp) {
  RULE("POST-1");
  constexpr int kRounds = 500, kThreads = 3;
  net::EventLoop loop;
  // Only the loop's thread touches these.
  std::vector<int> next(kThreads, 0);
  int out_of_order = 0, threads_left = kThreads;
  loop.hold();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        std::promise<void> done;
        loop.post([&, i, t] {
          if (next[t]++ != i) ++out_of_order;
          done.set_value();
        });
        // Every other time: nothing else comes, and the loop falls asleep.
        if (i % 2 == 0) loop.post([] {});
        done.get_future().wait();
      }
      loop.post([&] {
        if (--threads_left == 0) loop.release();
      });
    });

  loop.run();
  for (std::thread& thread : threads) thread.join();

  EXPECT_IS(next, std::vector<int>(kThreads, kRounds))
      << "Three threads post a task, wait until it has run, and post the next "
         "one, 500 times. If the wake-up of one is lost, nothing comes any "
         "more.";
  EXPECT_IS(out_of_order, 0)
      << "Each task runs once, and those of a thread in its order.";
}

TEST(Post, TakesTasksBeforeTheLoopRuns) {
  RULE("POST-2");
  constexpr int kTasks = 100000;
  World world;
  int calls = 0;
  bool in_order = true;
  step("test", "posts 100000 tasks before it calls run()");
  for (int i = 0; i < kTasks; ++i)
    world.loop.post([&, i] { in_order = in_order && calls++ == i; });
  step("test", "calls run()");

  world.loop.run();

  EXPECT_IS(calls, kTasks)
      << "However many tasks are posted before run(), post() does not wait "
         "(for room in a pipe, say), and each task runs.";
  EXPECT_IS(in_order, true) << "First in, first out.";
}

TEST(Post, LeavesTheLoopQuietAfterwards) {
  RULE("POST-2");
  World world;
  world.loop.set_timeout(1h, [&] { world.note("timer"); });
  world.script.at(10ms, [&] {
    elsewhere([&] { world.loop.post([&] { world.note("task"); }); });
  });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"task at 10 ms", "timer at 3600000 ms"}))
      << "The task runs once, and the loop goes back to sleep.";
  EXPECT_IS(world.script.waits().size() <= 5, true)
      << "Two wake-ups are two or three waits. If what wakes the loop is not "
         "read, it stays readable, and every wait() returns at once. wait() "
         "was called "
      << world.script.waits().size() << " times.";
}

TEST(Post, IsNoReasonToStay) {
  RULE("POST-2");
  World world;
  elsewhere([&] { world.loop.post([&] { world.note("task"); }); });

  world.loop.run();
  world.note("run() returns");
  world.loop.run();
  world.note("run() returns");

  EXPECT_TRUE(world.trace.is(
      {"task at 0 ms", "run() returns at 0 ms", "run() returns at 0 ms"}))
      << "That somebody could post a task keeps nobody waiting: the wake-up is "
         "an unreferenced watch.";
}

TEST(Poster, OutlivesTheLoop) {
  RULE("POST-3");
  Trace trace;
  net::EventLoop::Poster poster;
  auto owned = std::make_shared<int>(1);
  std::weak_ptr<int> alive = owned;
  {
    net::EventLoop loop;
    poster = loop.poster();
    elsewhere([&] { poster([&] { trace.add("the loop runs"); }); });
    loop.run();
    poster([&trace, owned] { trace.add("too late"); });
  }
  owned.reset();
  bool gone = alive.expired();
  auto dropped = std::make_shared<int>(1);
  std::weak_ptr<int> kept = dropped;
  elsewhere([&] { poster([&trace, dropped] { trace.add("too late"); }); });
  dropped.reset();
  trace.add("harmless");

  EXPECT_TRUE(trace.is({"the loop runs", "harmless"}))
      << "A poster() posts like post(). When the loop is gone, it does "
         "nothing.";
  EXPECT_IS(gone, true)
      << "A task that was posted too late goes with the loop, with all that it "
         "owns, even though the poster lives on.";
  EXPECT_IS(kept.expired(), true)
      << "Nobody will ever run a task that is posted after the loop is gone. "
         "The poster lets go of it, with all that it owns, and keeps none.";
}

TEST(Hold, KeepsRunGoingUntilItsRelease) {
  RULE("POST-3");
  World world;
  world.loop.hold();
  world.loop.hold();
  auto release = [&] {
    world.loop.post([&] {
      world.note("release");
      world.loop.release();
    });
  };
  world.script.at(10ms, [&] { elsewhere(release); });
  world.script.at(20ms, [&] { elsewhere(release); });
  world.script.at(30ms, [&] { elsewhere(release); });

  world.loop.run();
  world.note("run() returns");
  std::string third = "taken";
  try {
    world.loop.release();
  } catch (const std::logic_error&) {
    third = "refused";
  }

  EXPECT_TRUE(world.trace.is(
      {"release at 10 ms", "release at 20 ms", "run() returns at 20 ms"}))
      << "Two threads work for this loop. It watches nothing and has no timer, "
         "and goes on until both have had their release().";
  EXPECT_IS(third, "refused")
      << "A release() without a hold() is a mistake: std::logic_error.";
}
