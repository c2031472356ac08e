#include "chapters/07_event_loop/event_loop.h"

#include <poll.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "chapters/05_unix_sockets/fd.h"
#include "common/todo.h"

namespace net {

// What the loop remembers. Yours to fill; State may have functions, too.
struct EventLoop::State {
  std::unique_ptr<Poller> poller;
  Clock clock;
};

EventLoop::EventLoop() : EventLoop(std::make_unique<PollPoller>()) {}

EventLoop::EventLoop(std::unique_ptr<Poller> poller, Clock clock)
    : state_(std::make_unique<State>()) {
  state_->poller = std::move(poller);
  state_->clock = clock ? std::move(clock) : std::chrono::steady_clock::now;
}

EventLoop::~EventLoop() = default;

// --- 07.2 run, and what it waits for ---

void EventLoop::run() {
  TODO("07.2", "turn after turn, as long as anything is watched");
}

bool EventLoop::run_once(std::chrono::milliseconds) {
  TODO("07.2", "one turn: wait, look at the clock, call who is ready");
}

void EventLoop::stop() {
  TODO("07.8", "no further callback; what is due waits for the next run()");
}

EventLoop::TimePoint EventLoop::now() const {
  TODO("07.2", "the clock, as the turn saw it");
}

void EventLoop::watch(int, short, ReadyCallback) {
  TODO("07.2", "remember the callback, tell the poller");
}

void EventLoop::unwatch(int) {
  TODO("07.2", "forget the callback, tell the poller");
}

// --- 07.3 update, and what an old report still means ---

void EventLoop::update(int, short) {
  TODO("07.3", "other events, from now on");
}

// --- 07.4 defer ---

void EventLoop::defer(Task) {
  TODO("07.4", "put the task aside for the end of this callback");
}

// --- 07.5 timers ---

TimerId EventLoop::set_timeout(std::chrono::milliseconds, Task) {
  TODO("07.5", "remember the task and its deadline");
}

TimerId EventLoop::set_interval(std::chrono::milliseconds, Task) {
  TODO("07.5", "as set_timeout(), again and again");
}

void EventLoop::clear_timer(TimerId) {
  TODO("07.5", "forget it, if it is not over");
}

// --- 07.6 ref and unref ---

void EventLoop::ref(int) {
  TODO("07.6", "this watch keeps run() going");
}
void EventLoop::unref(int) {
  TODO("07.6", "this watch does not");
}
void EventLoop::ref(TimerId) {
  TODO("07.6", "this timer keeps run() going");
}
void EventLoop::unref(TimerId) {
  TODO("07.6", "this timer does not");
}

// --- 07.7 post, poster, hold ---

void EventLoop::post(Task) {
  TODO("07.7", "put the task where the loop finds it, and wake the loop");
}

EventLoop::Poster EventLoop::poster() {
  TODO("07.7", "post(), for somebody who may outlive the loop");
}

void EventLoop::hold() {
  TODO("07.7", "run() goes on until release()");
}
void EventLoop::release() {
  TODO("07.7", "one hold() less");
}

}  // namespace net
