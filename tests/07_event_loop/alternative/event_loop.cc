#include "chapters/07_event_loop/event_loop.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

namespace net {
namespace {

using std::chrono::milliseconds;
using Time = EventLoop::TimePoint;

// Shared by the loop and its posters. A pipe with both ends non-blocking: a
// full one is as good a wake-up as one byte.
class Mail {
 public:
  Mail() {
    if (::pipe2(ends_, O_NONBLOCK | O_CLOEXEC) < 0)
      throw std::system_error(errno, std::generic_category(), "pipe2");
  }
  ~Mail() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Mail(const Mail&) = delete;

  int fd() const { return ends_[0]; }

  // False: nobody will ever run it.
  bool put(EventLoop::Task& task) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return false;
    tasks_.push_back(std::move(task));
    (void)!::write(ends_[1], "x", 1);
    return true;
  }

  std::deque<EventLoop::Task> take() {
    std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(tasks_, {});
  }

  bool empty() {
    std::lock_guard<std::mutex> lock(mutex_);
    return tasks_.empty();
  }

  void close() {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
  }

  void drain() {
    char buffer[4096];
    while (::read(ends_[0], buffer, sizeof buffer) > 0) {
    }
  }

 private:
  int ends_[2];
  std::mutex mutex_;
  std::deque<EventLoop::Task> tasks_;
  bool closed_ = false;
};

struct Watched {
  EventLoop::ReadyCallback call;
  short events;
  bool counts = true;
};
using WatchedPointer = std::shared_ptr<Watched>;

struct Timed {
  EventLoop::Task task;
  milliseconds period;  // negative: once
  std::multimap<Time, TimerId>::iterator place;
  bool counts = true;
};
using TimedPointer = std::shared_ptr<Timed>;

template <typename Map, typename Key>
typename Map::mapped_type lookup(const Map& map, const Key& key) {
  auto it = map.find(key);
  return it == map.end() ? nullptr : it->second;
}

}  // namespace

// Callbacks live in shared pointers: whoever calls one holds it meanwhile. A
// report keeps the very registration that it is about.
struct EventLoop::State {
  std::unique_ptr<Poller> poller;
  Clock clock;
  Time turn_time;
  bool inside = false, stop = false;
  std::unordered_map<int, WatchedPointer> watched;
  std::deque<std::pair<int, std::pair<std::weak_ptr<Watched>, short>>> reports;
  std::unordered_map<std::uint64_t, TimedPointer> timers;
  std::multimap<Time, TimerId> by_time;  // equal keys keep their order
  std::deque<TimerId> due;
  std::uint64_t last_id = 0;
  std::deque<Task> deferred, posted;
  std::shared_ptr<Mail> mail = std::make_shared<Mail>();
  std::size_t holds = 0;

  Time time() const { return inside ? turn_time : clock(); }

  bool anything_left() {
    if (holds || !deferred.empty() || !posted.empty() || !mail->empty())
      return true;
    for (auto& [fd, it] : watched)
      if (it->counts) return true;
    for (auto& [id, it] : timers)
      if (it->counts) return true;
    return false;
  }

  Time deadline(milliseconds delay) const {
    Time now = time();
    if (delay.count() < 0) delay = milliseconds(0);
    if (delay > std::chrono::duration_cast<milliseconds>(Time::max() - now))
      return Time::max();
    return now + delay;
  }

  TimerId make(milliseconds delay, milliseconds period, Task task) {
    TimerId id{++last_id};
    auto timed = std::make_shared<Timed>();
    timed->task = std::move(task);
    timed->period = period;
    timed->place = by_time.emplace(deadline(delay), id);
    timers[last_id] = std::move(timed);
    return id;
  }

  void after_callback() {
    while (!stop && !deferred.empty()) {
      Task task = std::move(deferred.front());
      deferred.pop_front();
      task();
    }
  }

  void turn(milliseconds most) {
    after_callback();
    if (stop) return;
    if (reports.empty() && due.empty() && posted.empty()) ask(most);
    turn_time = clock();
    collect();
    while (!stop && !due.empty()) {
      TimerId id = due.front();
      due.pop_front();
      fire(id);
      after_callback();
    }
    while (!stop && !posted.empty()) {
      Task task = std::move(posted.front());
      posted.pop_front();
      task();
      after_callback();
    }
    while (!stop && !reports.empty()) {
      auto [fd, what] = reports.front();
      reports.pop_front();
      deliver(fd, what.first.lock(), what.second);
      after_callback();
    }
  }

  void ask(milliseconds most) {
    if (!anything_left() || !mail->empty()) most = milliseconds(0);
    if (!by_time.empty() && most.count() != 0) {
      auto left = by_time.begin()->first - clock();
      auto whole = std::chrono::duration_cast<milliseconds>(left);
      if (whole < left) ++whole;
      if (whole.count() < 0) whole = milliseconds(0);
      most = most.count() < 0 ? whole : std::min(most, whole);
    }
    std::vector<Ready> ready;
    poller->wait(most, ready);
    for (const Ready& it : ready)
      reports.push_back({it.fd, {lookup(watched, it.fd), it.events}});
  }

  // What this turn runs, from before any of it runs.
  void collect() {
    if (due.empty())
      for (auto it = by_time.begin();
           it != by_time.end() && it->first <= turn_time; ++it)
        due.push_back(it->second);
    if (posted.empty()) posted = mail->take();
  }

  void fire(TimerId id) {
    TimedPointer it = lookup(timers, static_cast<std::uint64_t>(id));
    if (!it) return;
    by_time.erase(it->place);
    if (it->period.count() < 0)
      timers.erase(static_cast<std::uint64_t>(id));
    else
      it->place = by_time.emplace(deadline(it->period), id);
    it->task();
  }

  void deliver(int fd, WatchedPointer it, short events) {
    if (!it || lookup(watched, fd) != it || it->events == 0) return;
    events &= it->events | POLLERR | POLLHUP | POLLNVAL;
    if (events) it->call(events);
  }

  struct Inside {
    State& state;
    explicit Inside(State& state) : state(state) {
      if (state.inside) throw std::logic_error("LOOP-5: run() in a callback");
      state.turn_time = state.clock();
      state.inside = true;
      state.stop = false;
    }
    ~Inside() { state.inside = false; }
  };
};

EventLoop::EventLoop() : EventLoop(std::make_unique<PollPoller>()) {}

EventLoop::EventLoop(std::unique_ptr<Poller> poller, Clock clock)
    : state_(std::make_unique<State>()) {
  state_->poller = std::move(poller);
  state_->clock = std::move(clock);
  if (!state_->clock) state_->clock = [] { return Time::clock::now(); };
  watch(state_->mail->fd(), POLLIN,
        [mail = state_->mail.get()](short) { mail->drain(); });
  unref(state_->mail->fd());
}

EventLoop::~EventLoop() {
  state_->mail->close();
  while (true) {
    auto watched = std::exchange(state_->watched, {});
    auto timers = std::exchange(state_->timers, {});
    auto deferred = std::exchange(state_->deferred, {});
    auto posted = std::exchange(state_->posted, {});
    auto mail = state_->mail->take();
    state_->by_time.clear();
    if (watched.empty() && timers.empty() && deferred.empty() &&
        posted.empty() && mail.empty())
      return;
  }
}

void EventLoop::run() {
  State::Inside inside(*state_);
  while (!state_->stop && state_->anything_left())
    state_->turn(milliseconds(-1));
}

bool EventLoop::run_once(milliseconds most) {
  State::Inside inside(*state_);
  state_->turn(most);
  return state_->anything_left();
}

void EventLoop::stop() {
  state_->stop = true;
}

Time EventLoop::now() const {
  return state_->time();
}

void EventLoop::watch(int fd, short events, ReadyCallback ready) {
  if (fd < 0 || state_->watched.count(fd))
    throw std::logic_error("WATCH-1: a bad descriptor, or one watched already");
  auto it = std::make_shared<Watched>();
  it->call = std::move(ready);
  it->events = events;
  state_->poller->add(fd, events);
  state_->watched[fd] = std::move(it);
}

void EventLoop::update(int fd, short events) {
  WatchedPointer it = lookup(state_->watched, fd);
  if (!it) throw std::logic_error("WATCH-1: not watched");
  state_->poller->modify(fd, events);
  it->events = events;
}

void EventLoop::unwatch(int fd) {
  WatchedPointer it = lookup(state_->watched, fd);
  if (!it) return;
  state_->poller->remove(fd);
  state_->watched.erase(fd);
}

void EventLoop::defer(Task task) {
  state_->deferred.push_back(std::move(task));
}

TimerId EventLoop::set_timeout(milliseconds delay, Task task) {
  return state_->make(delay, milliseconds(-1), std::move(task));
}

TimerId EventLoop::set_interval(milliseconds delay, Task task) {
  delay = std::max(delay, milliseconds(0));
  return state_->make(delay, delay, std::move(task));
}

void EventLoop::clear_timer(TimerId id) {
  TimedPointer it = lookup(state_->timers, static_cast<std::uint64_t>(id));
  if (!it) return;
  state_->by_time.erase(it->place);
  state_->timers.erase(static_cast<std::uint64_t>(id));
}

void EventLoop::ref(int fd) {
  if (auto it = lookup(state_->watched, fd)) it->counts = true;
}

void EventLoop::unref(int fd) {
  if (auto it = lookup(state_->watched, fd)) it->counts = false;
}

void EventLoop::ref(TimerId id) {
  if (auto it = lookup(state_->timers, static_cast<std::uint64_t>(id)))
    it->counts = true;
}

void EventLoop::unref(TimerId id) {
  if (auto it = lookup(state_->timers, static_cast<std::uint64_t>(id)))
    it->counts = false;
}

void EventLoop::post(Task task) {
  state_->mail->put(task);
}

EventLoop::Poster EventLoop::poster() {
  return [mail = state_->mail](Task task) { mail->put(task); };
}

void EventLoop::hold() {
  ++state_->holds;
}

void EventLoop::release() {
  if (state_->holds == 0) throw std::logic_error("release() without hold()");
  --state_->holds;
}

}  // namespace net
