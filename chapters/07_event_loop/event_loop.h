// EventLoop: waits for many things at once, and calls you back.
//
//   net::EventLoop loop;
//   loop.watch(fd, POLLIN, [&](short) {
//     read_some(fd);
//     loop.unwatch(fd);
//   });
//   loop.set_timeout(std::chrono::seconds(5), [&] { loop.stop(); });
//   loop.run();  // returns when nothing is left to wait for
//
// One turn of run(): poll(), then timers that are due, tasks that were posted,
// and a callback per ready descriptor. After each callback, and before the
// first one: the deferred tasks (DEFER-1).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "chapters/07_event_loop/poller.h"

namespace net {

enum class TimerId : std::uint64_t { kNone = 0 };  // never used twice

// One loop, one thread: only post() and a Poster may be called from others.
// Callbacks run only inside run() and run_once(), one at a time, so they never
// need a lock (LOOP-1). What a callback throws leaves run(); the loop can run
// again, and goes on after that callback (LOOP-6).
class EventLoop {
 public:
  using Task = std::function<void()>;
  using ReadyCallback = std::function<void(short revents)>;  // as in poll(2)
  using TimePoint = std::chrono::steady_clock::time_point;
  using Clock = std::function<TimePoint()>;

  EventLoop();  // PollPoller, std::chrono::steady_clock
  explicit EventLoop(std::unique_ptr<Poller> poller, Clock clock = {});
  // Forgets all without calling it; closes no fd of yours (LOOP-7).
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;

  // Runs until nothing referenced is left (LOOP-2), or until stop(): then no
  // further callback runs, a deferred task neither, and what was due waits for
  // the next run() (LOOP-4).
  // std::logic_error when called from a callback (LOOP-5).
  void run();
  // One turn, which waits at most `most` for something to do; negative: as
  // long as it takes. It does not wait if nothing referenced is left, and
  // returns whether anything is.
  bool run_once(std::chrono::milliseconds most);
  void stop();  // the run() that is on; otherwise nothing

  // When poll() returned in this turn, or when run() began, if it goes on with
  // what was left over: cheap, and the same for all callbacks of the turn
  // (LOOP-3). Outside of run(): what the clock says.
  TimePoint now() const;

  // Calls `ready` in each turn in which poll(2) reports one of `events`, or
  // POLLERR, POLLHUP, POLLNVAL, with these bits (WATCH-1). With events 0 it
  // keeps run() going and is never called. std::logic_error if `fd` is negative
  // or watched already. `fd` stays yours; unwatch it before you close it.
  void watch(int fd, short events, ReadyCallback ready);
  // From now on these, in this turn too (WATCH-3). std::logic_error if `fd` is
  // not watched.
  void update(int fd, short events);
  // Once it returns, the callback does not run again, even if poll() has
  // already reported `fd` in this turn; nor does one that is registered for
  // the same number before the next poll() (WATCH-2). Harmless if not watched.
  void unwatch(int fd);

  // Runs `task` after the current callback and before the next one; those
  // that it defers, too, first in, first out (DEFER-1). Until it has run, it
  // keeps run() going (LOOP-8).
  void defer(Task task);

  // Runs `task` once, when `delay` has passed since now() or later, never
  // earlier (TIMER-2); a delay below 0 is 0. Of those with the same deadline,
  // the one made first is first (TIMER-1). One that a timer makes waits for the
  // next turn, whatever its delay (TIMER-4). set_interval: again and again,
  // each time `delay` after now() of the last one (TIMER-5).
  TimerId set_timeout(std::chrono::milliseconds delay, Task task);
  TimerId set_interval(std::chrono::milliseconds delay, Task task);
  void clear_timer(TimerId id);  // harmless if it is over (TIMER-3)

  // Watches and timers keep run() going, unless they are unreferenced; that
  // does not change whether they are called (LOOP-8). Both are idempotent, and
  // harmless for what is over.
  void ref(int fd);
  void unref(int fd);
  void ref(TimerId id);
  void unref(TimerId id);

  // From any thread: wakes the loop, which runs `task` in its thread once
  // poll() has returned; from a callback, that is in the next turn (POST-1).
  // Never waits (POST-2). A task that is posted keeps run() going.
  void post(Task task);
  // post() for a thread that may outlive the loop: after that, it lets go of
  // the task and does nothing.
  using Poster = std::function<void(Task)>;
  Poster poster();
  // For work that another thread does: run() goes on until each hold() has its
  // release() (POST-3). From the loop's thread; std::logic_error if there are
  // more release() than hold().
  void hold();
  void release();

 private:
  struct State;  // yours to design: see event_loop.cc
  std::unique_ptr<State> state_;
};

}  // namespace net
