// A world without time: a poller that reports what the test says, and a clock
// that only moves while the loop waits.
//
//   World world;
//   world.loop.watch(kFirst, POLLIN, [&](short) {
//     world.note("readable");
//     world.loop.unwatch(kFirst);
//   });
//   world.script.at(20ms, [&] { world.script.ready(kFirst, POLLIN); });
//   world.loop.run();  // takes no time
//   EXPECT_TRUE(world.trace.is({"readable at 20 ms"}));
//
// Numbers from kFirst on belong to the script, and no kernel knows them. Other
// descriptors (the loop's wake-up, a test's sockets) are the kernel's: they
// are looked at with poll(), which never waits.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/07_event_loop/poller.h"
#include "common/testing/graded.h"

namespace graded {

inline constexpr int kFirst = 2000;  // and kFirst + 1, ...
inline constexpr int kSecond = 2001;
inline constexpr int kThird = 2002;

class Script {
 public:
  using Duration = std::chrono::nanoseconds;

  // For one loop each. They may outlive the script's end, not be called then.
  std::unique_ptr<net::Poller> poller();
  net::EventLoop::Clock clock();

  // From now on wait() reports this, as poll() does: again and again, those
  // that were made ready first come first.
  void ready(int fd, short revents);
  void quiet(int fd);  // until now

  // Runs `action` when the clock gets there: always inside wait(), which means
  // while the loop sleeps.
  void at(Duration when, std::function<void()> action);
  // A callback takes its time.
  void advance(Duration duration) { now_ += duration; }

  Duration now() const { return now_; }  // since the beginning
  std::string time() const;              // "10 ms"

  // What wait() was asked for, a line per call: "10 ms", "no wait", "for ever".
  const std::vector<std::string>& waits() const { return waits_; }
  // What the poller watches, of the script's numbers: "2000: POLLIN".
  std::vector<std::string> watched() const;
  std::size_t clock_reads() const { return clock_reads_; }

 private:
  friend class ScriptedPoller;
  int wait(std::chrono::milliseconds most, std::vector<net::Ready>& ready);
  void collect(std::vector<net::Ready>& ready) const;

  Duration now_{0};
  std::vector<std::pair<int, short>> ready_;
  std::multimap<Duration, std::function<void()>> actions_;
  std::map<int, short> watched_;
  std::vector<std::string> waits_;
  std::size_t clock_reads_ = 0;
};

// The three that nearly every test of a loop needs.
struct World {
  Script script;
  net::EventLoop loop{script.poller(), script.clock()};
  Trace trace;

  // The event, and when it came: "read at 10 ms".
  void note(const std::string& event) {
    trace.add(event, " at ", script.time());
  }
};

}  // namespace graded
