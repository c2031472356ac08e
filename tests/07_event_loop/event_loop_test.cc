#include "chapters/07_event_loop/event_loop.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/todo.h"
#include "tests/07_event_loop/pair.h"
#include "tests/07_event_loop/scripted.h"

using namespace graded;
using namespace std::chrono_literals;

namespace {

// "refused", if `call` throws a std::logic_error.
template <typename Call>
std::string answer_to(Call call) {
  try {
    call();
  } catch (const todo::NotYet&) {
    throw;
  } catch (const std::logic_error&) {
    return "refused";
  }
  return "taken";
}

// run(), and what came out of it, as an event.
void run_and_note(World& world) {
  try {
    world.loop.run();
    world.trace.add("run() returns");
  } catch (const std::runtime_error& error) {
    world.trace.add("run() throws ", error.what());
  }
}

// Two descriptors that are ready at once. Which comes first is open.
struct TwoReady : World {
  TwoReady() {
    script.ready(kFirst, POLLIN);
    script.ready(kSecond, POLLIN);
  }
  static int other(int fd) { return fd == kFirst ? kSecond : kFirst; }
};

}  // namespace

TEST(Run, CallsBackWhoIsReady) {
  RULE("LOOP-1");
  World world;
  int calls = 0;
  world.loop.watch(kFirst, POLLIN, [&](short) {
    world.note("first");
    if (++calls == 2) world.script.quiet(kFirst);
    if (calls == 3) world.loop.unwatch(kFirst);
  });
  world.loop.watch(kSecond, POLLOUT, [&](short revents) {
    world.note(revents == POLLOUT ? "second, POLLOUT" : "second, not POLLOUT");
    world.loop.unwatch(kSecond);
  });
  world.script.at(10ms, [&] { world.script.ready(kFirst, POLLIN); });
  world.script.at(20ms, [&] { world.script.ready(kSecond, POLLOUT); });
  world.script.at(30ms, [&] { world.script.ready(kFirst, POLLIN); });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"first at 10 ms", "first at 10 ms",
                              "second, POLLOUT at 20 ms", "first at 30 ms"}))
      << "The callback of a descriptor runs in each turn in which wait() "
         "reports it: the first one stays ready for two turns at 10 ms.";
}

TEST(Run, CallsNothingInsideAnotherCall) {
  RULE("LOOP-1");
  World world;
  world.script.ready(kFirst, POLLIN);
  world.script.ready(kSecond, POLLIN);
  world.loop.watch(kFirst, POLLIN, [&](short) {
    world.loop.unwatch(kFirst);
    world.loop.watch(kSecond, POLLIN, [&](short) {
      world.trace.add("second");
      world.loop.unwatch(kSecond);
    });
    world.trace.add("first");
  });
  world.trace.add("main() calls run()");

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"main() calls run()", "first", "second"}))
      << "watch() only remembers the callback, also of a descriptor that is "
         "ready: it runs in run(), and when no other one is running.";
}

TEST(Run, WaitsForTheKernelWithoutBeingToldHow) {
  RULE("LOOP-1");
  Pair pair;
  net::EventLoop loop;
  Trace trace;
  loop.watch(pair.theirs(), POLLIN, [&](short revents) {
    trace.add(revents & POLLIN ? "readable" : "something else");
    loop.unwatch(pair.theirs());
  });
  pair.send("x");

  loop.run();

  EXPECT_TRUE(trace.is({"readable"}))
      << "An EventLoop that is made without arguments has a PollPoller.";
}

TEST(Run, GoesOnWhileAnythingIsLeft) {
  RULE("LOOP-2");
  World world;
  world.loop.watch(kFirst, POLLIN, [&](short) {
    world.note("first");
    world.loop.unwatch(kFirst);
    world.loop.watch(kSecond, POLLIN, [&](short) {
      world.note("second");
      world.loop.unwatch(kSecond);
    });
  });
  world.script.at(10ms, [&] { world.script.ready(kFirst, POLLIN); });
  world.script.at(20ms, [&] { world.script.ready(kSecond, POLLIN); });

  run_and_note(world);
  run_and_note(world);

  EXPECT_TRUE(world.trace.is(
      {"first at 10 ms", "second at 20 ms", "run() returns", "run() returns"}))
      << "run() goes on while a descriptor is watched. When none is left, it "
         "returns, and it does so at once when there never was one.";
}

TEST(Run, OnceIsOneTurn) {
  RULE("LOOP-2");
  World world;
  auto once = [&](std::chrono::milliseconds most) {
    world.note(world.loop.run_once(most) ? "more is left" : "nothing is left");
  };
  world.loop.watch(kFirst, POLLIN, [&](short) {
    world.note("ready");
    world.loop.unwatch(kFirst);
  });
  world.script.at(20ms, [&] { world.script.ready(kFirst, POLLIN); });

  once(0ms);
  once(5ms);
  once(-1ms);
  once(-1ms);

  EXPECT_TRUE(world.trace.is({"more is left at 0 ms", "more is left at 5 ms",
                              "ready at 20 ms", "nothing is left at 20 ms",
                              "nothing is left at 20 ms"}))
      << "run_once() waits no longer than it is told, without limit if that is "
         "negative, and says whether anything is left to wait for. If nothing "
         "is, it does not wait.";
}

TEST(Now, IsTheSameForAllCallbacksOfATurn) {
  RULE("LOOP-3");
  TwoReady world;
  auto begin = world.loop.now();
  auto note = [&](const std::string& what) {
    world.trace.add(what, ": ", (world.loop.now() - begin) / 1ms);
  };
  for (int fd : {kFirst, kSecond})
    world.loop.watch(fd, POLLIN, [&](short) {
      note("callback");
      world.script.advance(7ms);
      if (world.trace.events().size() < 3) return;
      world.loop.unwatch(kFirst);
      world.loop.unwatch(kSecond);
    });
  world.script.advance(3ms);

  world.loop.run();
  world.script.advance(100ms);
  note("outside");

  EXPECT_TRUE(world.trace.is(
      {"callback: 3", "callback: 3", "callback: 17", "outside: 124"}))
      << "Each callback takes 7 ms, and yet both of the first turn see the "
         "moment when wait() returned; the next turn has a new one. Outside of "
         "run() there is no turn: there now() asks the clock.";
}

TEST(Now, ComesFromTheSteadyClock) {
  RULE("LOOP-3");
  net::EventLoop loop;

  auto before = std::chrono::steady_clock::now();
  auto now = loop.now();
  auto after = std::chrono::steady_clock::now();

  EXPECT_IS(before <= now && now <= after, true)
      << "Unless the loop is given another clock, it has steady_clock: the one "
         "of the wall jumps when somebody sets it.";
}

TEST(Stop, LetsNoFurtherCallbackRun) {
  RULE("LOOP-4");
  TwoReady world;
  for (int fd : {kFirst, kSecond})
    world.loop.watch(fd, POLLIN, [&, fd](short) {
      world.trace.add("ready");
      world.loop.unwatch(fd);
      world.loop.defer([&] { world.trace.add("deferred"); });
      world.loop.stop();
    });

  run_and_note(world);
  run_and_note(world);
  run_and_note(world);

  EXPECT_TRUE(world.trace.is({"ready", "run() returns", "deferred", "ready",
                              "run() returns", "deferred", "run() returns"}))
      << "After stop() no callback runs, neither of another descriptor that is "
         "ready nor a deferred one. What was due comes with the next run(), "
         "deferred tasks first.";
}

TEST(Stop, KeepsTimersAndPostedTasks) {
  RULE("LOOP-4");
  World world;
  for (int n : {1, 2}) {
    world.loop.set_timeout(10ms, [&, n] {
      world.trace.add("timer ", n);
      world.loop.stop();
    });
    world.loop.post([&, n] {
      world.trace.add("posted ", n);
      world.loop.stop();
    });
  }

  for (int i = 0; i < 5; ++i) run_and_note(world);

  EXPECT_TRUE(world.trace.is({"posted 1", "run() returns", "posted 2",
                              "run() returns", "timer 1", "run() returns",
                              "timer 2", "run() returns", "run() returns"}))
      << "Each of the four stops the loop. The next one waits for the next "
         "run(), and none is lost.";
}

TEST(Stop, BeforeRunIsForgotten) {
  RULE("LOOP-4");
  World world;
  world.loop.set_timeout(10ms, [&] { world.note("timer"); });

  world.loop.stop();
  world.loop.run();

  EXPECT_TRUE(world.trace.is({"timer at 10 ms"}))
      << "stop() ends the run() that is on. Nothing was running, so nothing "
         "was stopped.";
}

TEST(Stop, EndsRunWithoutAnotherWait) {
  RULE("LOOP-4");
  World world;
  world.loop.watch(kFirst, POLLIN, [](short) {});
  world.loop.set_timeout(10ms, [&] {
    world.note("stop");
    world.loop.stop();
  });
  world.script.at(1h, [&] { world.script.ready(kFirst, POLLIN); });

  world.loop.run();
  world.note("run() has returned");

  EXPECT_TRUE(world.trace.is({"stop at 10 ms", "run() has returned at 10 ms"}))
      << "run() returns after the callback that calls stop(), also when a "
         "descriptor is watched: it does not wait for that one first.";
}

TEST(Run, RefusesToRunInsideACallback) {
  RULE("LOOP-5");
  World world;
  world.loop.set_timeout(0ms, [&] {
    world.trace.add("run(): ", answer_to([&] { world.loop.run(); }));
    world.trace.add("run_once(): ",
                    answer_to([&] { world.loop.run_once(0ms); }));
  });
  world.loop.set_timeout(0ms, [&] { world.trace.add("the next one"); });

  world.loop.run();

  EXPECT_TRUE(
      world.trace.is({"run(): refused", "run_once(): refused", "the next one"}))
      << "A loop inside the loop would call callbacks while one is running: a "
         "std::logic_error says so, and the loop goes on.";
}

TEST(Exceptions, LeaveRunAndTheNextRunGoesOn) {
  RULE("LOOP-6");
  TwoReady world;
  for (int fd : {kFirst, kSecond})
    world.loop.watch(fd, POLLIN, [&, fd](short) {
      world.trace.add("ready");
      world.loop.unwatch(fd);
      throw std::runtime_error("thrown");
    });

  run_and_note(world);
  run_and_note(world);
  run_and_note(world);

  EXPECT_TRUE(world.trace.is({"ready", "run() throws thrown", "ready",
                              "run() throws thrown", "run() returns"}))
      << "What a callback throws comes out of run(). The loop is as usable as "
         "before: the other descriptor is called by the next run().";
}

TEST(Exceptions, DoNotHoldUpTheOthers) {
  RULE("LOOP-6");
  TwoReady world;
  int first = 0;
  for (int fd : {kFirst, kSecond})
    world.loop.watch(fd, POLLIN, [&, fd](short) {
      if (first == 0) first = fd;
      world.trace.add(fd == first ? "ready" : "the other one is ready");
      throw std::runtime_error("thrown");
    });

  run_and_note(world);
  run_and_note(world);
  run_and_note(world);

  EXPECT_TRUE(
      world.trace.is({"ready", "run() throws thrown", "the other one is ready",
                      "run() throws thrown", "ready", "run() throws thrown"}))
      << "Both descriptors were reported in one turn, and the callback of one "
         "has thrown. The loop goes on after it: the other one is next, or a "
         "callback that always throws would starve it. A callback that has "
         "thrown stays registered.";
}

TEST(Exceptions, LoseNoTaskThatIsDue) {
  RULE("LOOP-6");
  World world;
  world.loop.set_timeout(0ms, [&] {
    world.trace.add("timer");
    world.loop.defer([&] {
      world.trace.add("deferred 1");
      throw std::runtime_error("B");
    });
    world.loop.defer([&] { world.trace.add("deferred 2"); });
    throw std::runtime_error("A");
  });
  world.loop.set_timeout(0ms, [&] { world.trace.add("timer 2"); });
  world.loop.post([&] {
    world.trace.add("posted");
    throw std::runtime_error("C");
  });
  world.loop.post([&] { world.trace.add("posted 2"); });

  for (int i = 0; i < 4; ++i) run_and_note(world);

  EXPECT_TRUE(world.trace.is(
      {"timer", "run() throws A", "deferred 1", "run() throws B", "deferred 2",
       "timer 2", "posted", "run() throws C", "posted 2", "run() returns"}))
      << "Deferred tasks, timers and posted tasks that were due when a "
         "callback threw are due in the next run(), in their old order; the "
         "task that threw is done.";
}

TEST(Exceptions, DoNotEndAnInterval) {
  RULE("LOOP-6");
  World world;
  net::TimerId id{};
  int calls = 0;
  id = world.loop.set_interval(10ms, [&] {
    world.note("interval");
    if (++calls == 2) world.loop.clear_timer(id);
    throw std::runtime_error("thrown");
  });

  for (int i = 0; i < 3; ++i) run_and_note(world);

  EXPECT_TRUE(world.trace.is({"interval at 10 ms", "run() throws thrown",
                              "interval at 20 ms", "run() throws thrown",
                              "run() returns"}))
      << "An interval whose task throws comes again, until it is cleared.";
}

namespace {
// Belongs to a callback; when it goes, it does what an object with a
// descriptor and a timer does.
struct Owner {
  World& world;
  net::EventLoop& loop;
  net::TimerId timer;
  ~Owner() {
    loop.unwatch(kFirst);
    loop.clear_timer(timer);
    world.trace.add("destroyed");
  }
};
}  // namespace

TEST(Destructor, ForgetsAllWithoutCallingIt) {
  RULE("LOOP-7");
  World world;
  Pair pair;
  auto loop = std::make_unique<net::EventLoop>(world.script.poller(),
                                               world.script.clock());
  auto never = [&] { world.trace.add("called"); };
  auto timer = loop->set_interval(0ms, never);
  {
    std::shared_ptr<Owner> owner(new Owner{world, *loop, timer});
    auto owns = [never, owner] { never(); };
    loop->watch(kFirst, POLLIN, [owns](short) { owns(); });
    loop->watch(pair.theirs(), POLLIN, [owns](short) { owns(); });
    loop->set_timeout(0ms, owns);
    loop->defer(owns);
    loop->post(owns);
  }
  world.script.ready(kFirst, POLLIN);

  loop.reset();
  world.trace.add("the loop is gone");
  pair.send("x");

  EXPECT_TRUE(world.trace.is({"destroyed", "the loop is gone"}))
      << "~EventLoop() calls nobody, and lets go of every callback, with all "
         "that it owns. An object that goes in this way may call unwatch() and "
         "clear_timer().";
  EXPECT_IS(::fcntl(pair.theirs(), F_GETFD) >= 0, true)
      << "A watched descriptor is not the loop's: it stays open.";
}

TEST(Ref, EachOfThemAloneKeepsRunGoing) {
  RULE("LOOP-8");
  World world;
  world.script.ready(kFirst, POLLIN);
  world.loop.defer([&] {
    world.note("deferred");
    world.loop.set_timeout(10ms, [&] {
      world.note("timer");
      world.loop.watch(kFirst, POLLIN, [&](short) {
        world.note("ready");
        world.loop.unwatch(kFirst);
      });
    });
  });

  run_and_note(world);

  EXPECT_TRUE(world.trace.is({"deferred at 0 ms", "timer at 10 ms",
                              "ready at 10 ms", "run() returns"}))
      << "A deferred task, a timer and a watch: each alone is a reason to go "
         "on. When none is left, run() returns.";
}

TEST(Ref, UnreferencedOnesDoNotKeepRunGoing) {
  RULE("LOOP-8");
  World world;
  auto timer = world.loop.set_interval(10ms, [&] { world.note("interval"); });
  world.loop.watch(kFirst, POLLIN, [&](short) {
    world.note("ready");
    world.script.quiet(kFirst);
  });
  world.loop.set_timeout(25ms, [&] { world.note("timer"); });
  world.script.at(15ms, [&] { world.script.ready(kFirst, POLLIN); });
  world.loop.unref(timer);
  world.loop.unref(kFirst);

  world.loop.run();
  world.note("run() has returned");

  EXPECT_TRUE(world.trace.is({"interval at 10 ms", "ready at 15 ms",
                              "interval at 20 ms", "timer at 25 ms",
                              "run() has returned at 25 ms"}))
      << "An unreferenced watch or timer is called as any other while run() "
         "goes on for something else. When that is over, run() returns.";
}

TEST(Ref, TwiceIsOnce) {
  RULE("LOOP-8");
  World world;
  auto timer = world.loop.set_timeout(10ms, [&] { world.note("timer"); });
  world.loop.watch(kFirst, POLLIN, [&](short) {
    world.note("ready");
    world.loop.unwatch(kFirst);
  });
  world.loop.watch(kSecond, POLLIN, [](short) {});
  world.script.at(20ms, [&] { world.script.ready(kFirst, POLLIN); });
  for (int i = 0; i < 2; ++i) {
    world.loop.unref(timer);
    world.loop.unref(kFirst);
  }
  world.loop.ref(timer);
  world.loop.ref(kFirst);
  for (int i = 0; i < 2; ++i) world.loop.ref(kSecond);
  world.loop.unref(kSecond);

  world.loop.run();
  world.note("run() has returned");

  EXPECT_TRUE(world.trace.is(
      {"timer at 10 ms", "ready at 20 ms", "run() has returned at 20 ms"}))
      << "Two unref() and one ref() make a referenced one, two ref() and one "
         "unref() an unreferenced one: it is a state, not a count.";
}

TEST(Ref, WhatIsOverNoLongerCounts) {
  RULE("LOOP-8");
  World world;
  auto over = world.loop.set_timeout(0ms, [&] { world.note("over"); });
  auto cleared = world.loop.set_timeout(1h, [&] { world.note("cleared"); });
  world.loop.watch(kFirst, POLLIN, [](short) {});
  world.loop.watch(kSecond, POLLIN, [](short) {});
  world.loop.unref(kSecond);
  world.loop.set_timeout(10ms, [&] {
    world.loop.clear_timer(cleared);
    world.loop.unwatch(kFirst);
    world.loop.unwatch(kSecond);
    for (auto id : {over, cleared}) {
      world.loop.ref(id);
      world.loop.unref(id);
      world.loop.ref(id);
    }
    world.loop.unref(kFirst);
    world.loop.ref(kFirst);
    world.note("the last one");
  });

  world.loop.run();
  world.note("run() has returned");

  EXPECT_TRUE(world.trace.is(
      {"over at 0 ms", "the last one at 10 ms", "run() has returned at 10 ms"}))
      << "A timer that is over or cleared, and a descriptor that is not "
         "watched any more, count for nothing: ref() and unref() of them do "
         "nothing.";
}

TEST(Watch, ReportsWhatWasAskedForAndTrouble) {
  RULE("WATCH-1");
  World world;
  auto name = [](short revents) -> std::string {
    return revents == POLLOUT    ? "POLLOUT"
           : revents == POLLHUP  ? "POLLHUP"
           : revents == POLLERR  ? "POLLERR"
           : revents == POLLNVAL ? "POLLNVAL"
                                 : std::to_string(revents);
  };
  world.loop.watch(kFirst, POLLOUT, [&](short revents) {
    world.note(name(revents));
    world.script.quiet(kFirst);
    if (revents == POLLNVAL) world.loop.unwatch(kFirst);
  });
  world.script.at(10ms, [&] { world.script.ready(kFirst, POLLIN); });
  world.script.at(20ms, [&] { world.script.ready(kFirst, POLLOUT); });
  world.script.at(30ms, [&] { world.script.ready(kFirst, POLLHUP); });
  world.script.at(40ms, [&] { world.script.ready(kFirst, POLLERR); });
  world.script.at(50ms, [&] { world.script.ready(kFirst, POLLNVAL); });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"POLLOUT at 20 ms", "POLLHUP at 30 ms",
                              "POLLERR at 40 ms", "POLLNVAL at 50 ms"}))
      << "Watched for POLLOUT: it is called for that, and for POLLHUP, POLLERR "
         "and POLLNVAL, which nobody has to ask for, and with these bits.";
}

TEST(Watch, RefusesWhatMakesNoSense) {
  RULE("WATCH-1");
  World world;
  world.loop.watch(kFirst, POLLIN, [&](short) {
    world.trace.add("the first callback");
    world.loop.unwatch(kFirst);
  });
  world.script.ready(kFirst, POLLIN);

  world.trace.add("watched twice: ", answer_to([&] {
                    world.loop.watch(kFirst, POLLIN, [&](short) {
                      world.trace.add("the second callback");
                    });
                  }));
  world.trace.add("descriptor -1: ", answer_to([&] {
                    world.loop.watch(-1, POLLIN, [](short) {});
                  }));
  for (int fd : {-1, kSecond, kThird + 1000}) world.loop.unwatch(fd);
  world.loop.run();

  EXPECT_TRUE(world.trace.is({"watched twice: refused",
                              "descriptor -1: refused", "the first callback"}))
      << "A std::logic_error, and nothing has changed. unwatch() is harmless "
         "for any number.";
}

TEST(Unwatch, SilencesOneThatIsReadyInThisTurn) {
  RULE("WATCH-2");
  TwoReady world;
  for (int fd : {kFirst, kSecond})
    world.loop.watch(fd, POLLIN, [&, fd](short) {
      world.trace.add("callback");
      world.loop.unwatch(TwoReady::other(fd));
      world.loop.unwatch(fd);
    });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"callback"}))
      << "wait() had reported both. The callback that ran first unwatched the "
         "other one: that one must not run any more, its object may be gone.";
}

TEST(Unwatch, KeepsAnOldReportFromTheNextOwnerOfTheNumber) {
  RULE("WATCH-2");
  TwoReady world;
  auto next_owner = [&](int fd) {
    return [&, fd](short) {
      world.note("next owner");
      world.loop.unwatch(fd);
    };
  };
  for (int fd : {kFirst, kSecond})
    world.loop.watch(fd, POLLIN, [&, fd](short) {
      int other = TwoReady::other(fd);
      world.note("callback");
      world.loop.unwatch(fd);
      world.loop.unwatch(other);
      // close(other), and the next accept() returns that number.
      world.loop.watch(other, POLLIN, next_owner(other));
      world.script.quiet(other);
      world.script.at(10ms, [&, other] { world.script.ready(other, POLLIN); });
    });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"callback at 0 ms", "next owner at 10 ms"}))
      << "The report of this turn was about the old file with that number. The "
         "new registration is called when a later wait() reports it: at 10 ms.";
}

TEST(Unwatch, AndWatchAgainInsideTheCallback) {
  RULE("WATCH-2");
  World world;
  world.script.ready(kFirst, POLLIN);
  world.loop.watch(kFirst, POLLIN, [&](short) {
    world.trace.add("old callback");
    world.loop.unwatch(kFirst);
    world.loop.watch(kFirst, POLLIN, [&](short) {
      world.trace.add("new callback");
      world.loop.unwatch(kFirst);
    });
  });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"old callback", "new callback"}))
      << "The old callback unwatches its number and gives it a new callback, "
         "which is called in the next turn. When the old one returns, it must "
         "not take the place of the new one.";
}

TEST(Unwatch, LetsGoOfTheCallbackOnceItHasReturned) {
  RULE("WATCH-2");
  World world;
  struct Noisy {
    Trace& trace;
    ~Noisy() { trace.add("destroyed"); }
  };
  std::shared_ptr<Noisy> noisy(new Noisy{world.trace});
  world.script.ready(kFirst, POLLIN);
  world.loop.watch(kFirst, POLLIN, [&world, noisy](short) {
    world.loop.unwatch(kFirst);
    // More than the old list had room for.
    world.loop.watch(kThird + 5000, 0, [](short) {});
    world.loop.unwatch(kThird + 5000);
    noisy->trace.add("still here");
  });
  noisy.reset();

  world.loop.run();
  world.trace.add("run() returns");

  EXPECT_TRUE(world.trace.is({"still here", "destroyed", "run() returns"}))
      << "A callback that unwatches its own descriptor uses what it owns until "
         "it returns; then that is let go.";
}

TEST(Update, HoldsFromNowOn) {
  RULE("WATCH-3");
  World world;
  world.loop.watch(kFirst, POLLIN, [&](short revents) {
    world.note(revents == POLLIN ? "in" : "out");
    if (revents == POLLIN)
      world.loop.update(kFirst, POLLOUT);
    else
      world.loop.unwatch(kFirst);
  });
  world.script.at(10ms, [&] { world.script.ready(kFirst, POLLIN | POLLOUT); });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"in at 10 ms", "out at 10 ms"}))
      << "Each callback is told only of the events that were asked for, and "
         "what a callback asks for itself is not lost when it returns.";
}

TEST(Update, RefusesOneThatIsNotWatched) {
  RULE("WATCH-3");
  World world;
  world.loop.watch(kSecond, POLLIN, [](short) {});
  world.loop.unwatch(kSecond);

  for (int fd : {-1, kFirst, kSecond})
    world.trace.add("update: ",
                    answer_to([&] { world.loop.update(fd, POLLIN); }));

  EXPECT_TRUE(
      world.trace.is({"update: refused", "update: refused", "update: refused"}))
      << "-1, one that was never watched, and one that was unwatched: there is "
         "no registration to change, and a std::logic_error says so.";
}

TEST(Update, HoldsInThisTurnToo) {
  RULE("WATCH-3");
  TwoReady world;
  for (int fd : {kFirst, kSecond})
    world.loop.watch(fd, POLLIN, [&, fd](short) {
      world.note("callback");
      world.loop.unwatch(fd);
      if (world.trace.events().size() > 1) return;
      int other = TwoReady::other(fd);
      world.loop.update(other, POLLOUT);
      world.script.at(10ms, [&, other] { world.script.ready(other, POLLOUT); });
    });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"callback at 0 ms", "callback at 10 ms"}))
      << "wait() had reported POLLIN for both. The first callback asked for "
         "POLLOUT on the other one instead, so that one is called when POLLOUT "
         "comes, at 10 ms.";
}

TEST(Update, ZeroIsSilenceButKeepsRunGoing) {
  RULE("WATCH-3");
  World world;
  world.loop.watch(kFirst, 0, [&](short) {
    world.note("callback");
    world.loop.unwatch(kFirst);
  });
  world.script.ready(kFirst, POLLIN | POLLHUP);

  bool left = world.loop.run_once(5ms);
  world.note(left ? "something is left" : "nothing is left");
  world.loop.update(kFirst, POLLIN);
  world.loop.run();

  EXPECT_TRUE(world.trace.is({"something is left at 5 ms", "callback at 5 ms"}))
      << "With events 0 nothing is reported, not even POLLHUP; and yet the "
         "watch is a reason to go on. Asked for POLLIN, it is called.";
}

TEST(Defer, RunsBetweenTwoCallbacksOfATurn) {
  RULE("DEFER-1");
  TwoReady world;
  for (int fd : {kFirst, kSecond})
    world.loop.watch(fd, POLLIN, [&, fd](short) {
      world.trace.add("callback");
      world.loop.unwatch(fd);
      world.loop.defer([&] { world.trace.add("deferred"); });
    });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"callback", "deferred", "callback", "deferred"}))
      << "A deferred task runs after the callback that deferred it and before "
         "the next one, not at the end of the turn.";
}

TEST(Defer, RunsEarlyEnoughToUnwatchTheNextOne) {
  RULE("DEFER-1");
  TwoReady world;
  for (int fd : {kFirst, kSecond})
    world.loop.watch(fd, POLLIN, [&](short) {
      world.trace.add("callback");
      world.loop.defer([&] {
        world.trace.add("unwatches both");
        world.loop.unwatch(kFirst);
        world.loop.unwatch(kSecond);
      });
    });

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"callback", "unwatches both"}))
      << "The deferred task runs before the second callback of the turn, and "
         "unwatches its descriptor.";
}

TEST(Defer, RunsBetweenTimersAndBetweenPostedTasks) {
  RULE("DEFER-2");
  World world;
  auto callback = [&](const char* name) {
    return [&world, name] {
      world.trace.add(name);
      world.loop.defer([&world, name] { world.trace.add(name, " deferred"); });
    };
  };
  world.loop.set_timeout(0ms, callback("timer 1"));
  world.loop.set_timeout(0ms, callback("timer 2"));
  world.loop.post(callback("posted 1"));
  world.loop.post(callback("posted 2"));

  world.loop.run();

  EXPECT_TRUE(world.trace.is(
      {"timer 1", "timer 1 deferred", "timer 2", "timer 2 deferred", "posted 1",
       "posted 1 deferred", "posted 2", "posted 2 deferred"}))
      << "Timers and posted tasks are callbacks, too: after each of them come "
         "the tasks that it deferred.";
}

TEST(Defer, KeepsTheOrderAlsoOfTasksThatDefer) {
  RULE("DEFER-1");
  World world;
  auto say = [&](const char* what) {
    return [&world, what] { world.trace.add(what); };
  };
  world.script.ready(kFirst, POLLIN);
  world.loop.watch(kFirst, POLLIN, [&](short) {
    world.trace.add("callback");
    world.loop.unwatch(kFirst);
  });
  world.loop.defer([&] {
    world.trace.add("1");
    world.loop.defer([&] {
      world.trace.add("3");
      world.loop.defer(say("4"));
    });
  });
  world.loop.defer(say("2"));

  world.loop.run();

  EXPECT_TRUE(world.trace.is({"1", "2", "3", "4", "callback"}))
      << "First in, first out, and those that a deferred task defers come "
         "before the next callback, too. What was deferred before run() comes "
         "first of all.";
}
