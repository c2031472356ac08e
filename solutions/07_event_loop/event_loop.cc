#include "chapters/07_event_loop/event_loop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "chapters/05_unix_sockets/fd.h"

namespace net {
namespace {

using Task = EventLoop::Task;
using TimePoint = EventLoop::TimePoint;
using std::chrono::milliseconds;

// Runs `then` when the scope ends, also by an exception.
template <typename Then>
struct AtEnd {
  Then then;
  ~AtEnd() { then(); }
};
template <typename Then>
AtEnd(Then) -> AtEnd<Then>;

// Tasks, first in, first out. What is left over when a task throws, or when
// the loop is stopped, stays. It keeps its memory: no allocation per task.
class TaskQueue {
 public:
  bool empty() const { return next_ == tasks_.size(); }
  void push(Task task) { tasks_.push_back(std::move(task)); }
  Task pop() {
    Task task = std::move(tasks_[next_++]);
    if (empty()) clear();
    return task;
  }
  // `other` gets the memory.
  void swap_when_empty(std::vector<Task>& other) {
    if (empty()) tasks_.swap(other);
  }

 private:
  void clear() {
    tasks_.clear();
    next_ = 0;
  }
  std::vector<Task> tasks_;
  std::size_t next_ = 0;
};

// 07.7: all that other threads touch. It outlives the loop if a Poster does.
struct Mailbox {
  std::mutex mutex;
  std::vector<Task> tasks;
  Fd wakeup;            // an eventfd; none once the loop is gone
  bool asleep = false;  // the loop is in poll(), or on its way there

  Mailbox() : wakeup(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!wakeup)
      throw std::system_error(errno, std::generic_category(), "eventfd");
  }

  // The loop looks for tasks and says that it is asleep under one lock, so a
  // task is either seen by it, or sees it asleep. One write per sleep, and
  // none from the loop's own callbacks.
  void post(Task task) {
    std::lock_guard<std::mutex> lock(mutex);
    if (!wakeup) return;
    tasks.push_back(std::move(task));
    if (!std::exchange(asleep, false)) return;
    std::uint64_t one = 1;
    if (::write(wakeup.get(), &one, sizeof one) < 0)
      throw std::system_error(errno, std::generic_category(), "write eventfd");
  }

  // Without this, the eventfd stays readable, and the loop spins.
  void drain() {
    std::uint64_t count;
    [[maybe_unused]] ssize_t n = ::read(wakeup.get(), &count, sizeof count);
  }

  // Only if `into` is empty: order is kept. Whoever asks is awake.
  void take(TaskQueue& into) {
    std::lock_guard<std::mutex> lock(mutex);
    asleep = false;
    into.swap_when_empty(tasks);
  }

  bool empty() {
    std::lock_guard<std::mutex> lock(mutex);
    return tasks.empty();
  }

  bool fall_asleep() {
    std::lock_guard<std::mutex> lock(mutex);
    asleep = tasks.empty();
    return asleep;
  }
};

// 07.2: what a callback that unwatches its own descriptor must not lose while
// it runs is itself. So it is moved out, called, and put back if it is still
// wanted.
struct Watch {
  EventLoop::ReadyCallback ready;
  short events = 0;
  bool watched = false;
  bool referenced = false;
  std::uint64_t since = 0;  // how many polls there had been
};

struct Timer {
  Task task;
  milliseconds period{0};
  bool repeats = false;
  bool referenced = false;
  bool alive = false;
  std::uint32_t generation = 1;
};

// 07.5: an entry of the heap. That of a cleared timer stays in it until it
// comes up, or until the heap is swept.
struct Due {
  TimePoint deadline;
  std::uint64_t made;  // the how manyth: equal deadlines keep this order
  TimerId id;
};
bool later(const Due& a, const Due& b) {
  return a.deadline != b.deadline ? a.deadline > b.deadline : a.made > b.made;
}

TimePoint after(TimePoint now, milliseconds delay) {
  // 07.5: milliseconds::max() as nanoseconds does not fit: for ever, instead.
  auto room = std::chrono::duration_cast<milliseconds>(TimePoint::max() - now);
  return delay > room ? TimePoint::max()
                      : now + std::max(delay, milliseconds::zero());
}

// 07.5: a TimerId is a place and the how manyth timer there it is, so finding
// one needs no search, and the id of a timer that is over finds nothing.
TimerId id_of(std::size_t place, std::uint32_t generation) {
  return TimerId{std::uint64_t{generation} << 32 | place};
}
std::size_t place_of(TimerId id) {
  return static_cast<std::uint64_t>(id) & 0xffffffff;
}
std::uint32_t generation_of(TimerId id) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) >> 32);
}

}  // namespace

struct EventLoop::State {
  std::unique_ptr<Poller> poller;
  Clock clock;
  TimePoint now;
  bool running = false;
  bool stopped = false;
  std::size_t referenced = 0;  // watches, timers and holds

  std::vector<Watch> watches;  // by descriptor
  std::vector<Ready> ready;    // as poll() reported it,
  std::size_t next_ready = 0;  // and how much of it is done
  std::uint64_t polls = 0;

  std::vector<Timer> timers;
  std::vector<std::size_t> free_timers;  // places in `timers`
  std::vector<Due> heap;                 // the earliest first, see later()
  std::uint64_t timers_made = 0;

  TaskQueue deferred;
  TaskQueue posted;  // what this turn runs
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
  std::size_t holds = 0;

  Watch* find(int fd);
  Timer* find(TimerId id);
  void set_referenced(bool& flag, bool value);

  TimePoint time();
  bool alive();
  void begin();
  void turn(milliseconds most);
  void wait(milliseconds most);
  milliseconds time_to_sleep(milliseconds most);

  void run_ready();
  void call_ready(const Ready& it);
  void run_deferred();
  void run_posted();

  TimerId make_timer(milliseconds delay, Task task, bool repeats);
  void schedule(TimerId id, milliseconds delay);
  void retire(TimerId id);
  Due pop_due();
  void drop_cleared();
  void sweep();
  void run_timers();
  void call_timer(TimerId id);
};

EventLoop::EventLoop() : EventLoop(std::make_unique<PollPoller>()) {}

EventLoop::EventLoop(std::unique_ptr<Poller> poller, Clock clock)
    : state_(std::make_unique<State>()) {
  state_->poller = std::move(poller);
  state_->clock = clock ? std::move(clock) : std::chrono::steady_clock::now;
  // 07.7: the wake-up is a watch like any other, but keeps nobody waiting.
  int fd = state_->mailbox->wakeup.get();
  watch(fd, POLLIN,
        [mailbox = state_->mailbox.get()](short) { mailbox->drain(); });
  unref(fd);
}

EventLoop::~EventLoop() {
  // 07.8: what the callbacks own goes with them, and may call the loop as it
  // goes. So all of them are taken out first: it finds a loop that is whole,
  // and empty.
  std::vector<Task> tasks;
  {
    std::lock_guard<std::mutex> lock(state_->mailbox->mutex);
    state_->mailbox->wakeup.reset();
    tasks.swap(state_->mailbox->tasks);
  }
  auto watches = std::exchange(state_->watches, {});
  auto timers = std::exchange(state_->timers, {});
  auto deferred = std::exchange(state_->deferred, {});
  auto posted = std::exchange(state_->posted, {});
}

// --- 07.2 run, and what it waits for ---

void EventLoop::run() {
  state_->begin();
  AtEnd end{[this] { state_->running = false; }};
  while (!state_->stopped && state_->alive()) state_->turn(milliseconds(-1));
}

bool EventLoop::run_once(milliseconds most) {
  state_->begin();
  AtEnd end{[this] { state_->running = false; }};
  state_->turn(most);
  return state_->alive();
}

void EventLoop::stop() {
  state_->stopped = true;
}

void EventLoop::State::begin() {
  if (running)
    throw std::logic_error("a callback runs the loop that runs it (LOOP-5)");
  now = clock();
  running = true;
  stopped = false;
}

TimePoint EventLoop::now() const {
  return state_->time();
}

TimePoint EventLoop::State::time() {
  // 07.2: one look at the clock per turn, not one per timer. Outside of run(),
  // what the last turn saw may be long ago.
  return running ? now : clock();
}

bool EventLoop::State::alive() {
  return referenced > 0 || holds > 0 || !deferred.empty() || !posted.empty() ||
         !mailbox->empty();
}

void EventLoop::State::turn(milliseconds most) {
  run_deferred();
  if (stopped) return;
  // 07.8: what an exception or stop() left over comes before a new wait.
  if (next_ready == ready.size()) wait(most);
  now = clock();
  mailbox->take(posted);
  run_timers();
  run_posted();
  run_ready();
}

void EventLoop::State::wait(milliseconds most) {
  most = time_to_sleep(most);
  if (most != milliseconds::zero() && !mailbox->fall_asleep())
    most = milliseconds::zero();
  next_ready = 0;
  ready.clear();
  ++polls;
  poller->wait(most, ready);
}

milliseconds EventLoop::State::time_to_sleep(milliseconds most) {
  if (!alive() || !posted.empty()) return milliseconds::zero();
  drop_cleared();
  if (heap.empty()) return most;
  // 07.5: since `now`, callbacks may have taken their time. Rounded up: a sleep
  // that ends a moment too early leads to another one, of no length at all.
  auto left = std::chrono::ceil<milliseconds>(heap.front().deadline - clock());
  left = std::max(left, milliseconds::zero());
  return most < milliseconds::zero() ? left : std::min(left, most);
}

Watch* EventLoop::State::find(int fd) {
  std::size_t number = static_cast<std::size_t>(fd);
  if (fd < 0 || number >= watches.size()) return nullptr;
  return watches[number].watched ? &watches[number] : nullptr;
}

void EventLoop::watch(int fd, short events, ReadyCallback ready) {
  if (fd < 0) throw std::logic_error("watch() of no descriptor");
  if (state_->find(fd))
    throw std::logic_error("watch() of a descriptor that is watched already");
  std::size_t number = static_cast<std::size_t>(fd);
  if (state_->watches.size() <= number) state_->watches.resize(number + 1);
  state_->poller->add(fd, events);
  Watch& watch = state_->watches[number];
  watch.ready = std::move(ready);
  watch.events = events;
  watch.watched = true;
  watch.since = state_->polls;
  state_->set_referenced(watch.referenced, true);
}

void EventLoop::unwatch(int fd) {
  Watch* watch = state_->find(fd);
  if (!watch) return;
  state_->poller->remove(fd);
  state_->set_referenced(watch->referenced, false);
  watch->watched = false;
  // Destroyed at the end of this scope, when the loop is done with the entry:
  // what it owns may call the loop as it goes.
  ReadyCallback gone = std::exchange(watch->ready, nullptr);
}

void EventLoop::State::run_ready() {
  while (!stopped && next_ready < ready.size()) {
    // Counted before the call: after an exception, the next one is next.
    call_ready(ready[next_ready++]);
    run_deferred();
  }
}

void EventLoop::State::call_ready(const Ready& it) {
  Watch* watch = find(it.fd);
  // 07.3: a number that was unwatched and watched again since the last poll
  // means another file now.
  if (!watch || watch->since == polls || watch->events == 0) return;
  short revents = it.events & (watch->events | POLLERR | POLLHUP | POLLNVAL);
  if (revents == 0) return;
  std::uint64_t since = watch->since;
  ReadyCallback call = std::move(watch->ready);
  int fd = it.fd;
  AtEnd back{[&] {
    Watch* still = find(fd);
    if (still && still->since == since) still->ready = std::move(call);
  }};
  call(revents);
}

// --- 07.3 update, and what an old report still means ---

void EventLoop::update(int fd, short events) {
  Watch* watch = state_->find(fd);
  if (!watch)
    throw std::logic_error("update() of a descriptor that is not watched");
  if (watch->events == events) return;
  state_->poller->modify(fd, events);
  watch->events = events;
}

// --- 07.4 defer ---

void EventLoop::defer(Task task) {
  state_->deferred.push(std::move(task));
}

void EventLoop::State::run_deferred() {
  while (!stopped && !deferred.empty()) deferred.pop()();
}

// --- 07.5 timers ---

TimerId EventLoop::set_timeout(milliseconds delay, Task task) {
  return state_->make_timer(delay, std::move(task), false);
}

TimerId EventLoop::set_interval(milliseconds delay, Task task) {
  return state_->make_timer(delay, std::move(task), true);
}

void EventLoop::clear_timer(TimerId id) {
  Timer* timer = state_->find(id);
  if (!timer) return;
  Task gone = std::exchange(timer->task, nullptr);
  state_->retire(id);
  state_->sweep();
}

TimerId EventLoop::State::make_timer(milliseconds delay, Task task,
                                     bool repeats) {
  if (free_timers.empty()) {
    free_timers.push_back(timers.size());
    timers.emplace_back();
  }
  std::size_t place = free_timers.back();
  free_timers.pop_back();
  Timer& timer = timers[place];
  timer.task = std::move(task);
  timer.period = delay;
  timer.repeats = repeats;
  timer.alive = true;
  set_referenced(timer.referenced, true);
  TimerId id = id_of(place, timer.generation);
  schedule(id, delay);
  return id;
}

void EventLoop::State::schedule(TimerId id, milliseconds delay) {
  heap.push_back({after(time(), delay), timers_made++, id});
  std::push_heap(heap.begin(), heap.end(), later);
}

Timer* EventLoop::State::find(TimerId id) {
  std::size_t place = place_of(id);
  if (place >= timers.size()) return nullptr;
  Timer& timer = timers[place];
  bool same = timer.alive && timer.generation == generation_of(id);
  return same ? &timer : nullptr;
}

void EventLoop::State::retire(TimerId id) {
  Timer& timer = timers[place_of(id)];
  set_referenced(timer.referenced, false);
  timer.alive = false;
  // 07.5: after 2^32 timers a place is given up, so that no id comes twice.
  if (++timer.generation != 0) free_timers.push_back(place_of(id));
}

Due EventLoop::State::pop_due() {
  std::pop_heap(heap.begin(), heap.end(), later);
  Due due = heap.back();
  heap.pop_back();
  return due;
}

void EventLoop::State::drop_cleared() {
  while (!heap.empty() && !find(heap.front().id)) pop_due();
}

void EventLoop::State::sweep() {
  // 07.5: a timeout that each byte of a connection sets anew leaves many
  // entries behind. Swept when they are the most, each has paid for itself.
  std::size_t alive_timers = timers.size() - free_timers.size();
  if (heap.size() <= 2 * alive_timers + 64) return;
  std::erase_if(heap, [this](const Due& due) { return !find(due.id); });
  std::make_heap(heap.begin(), heap.end(), later);
}

void EventLoop::State::run_timers() {
  // 07.5: what a timer makes is for the next turn: a timer that makes itself
  // anew with no delay must not keep the descriptors from their turn.
  std::uint64_t made_before = timers_made;
  while (!stopped) {
    drop_cleared();
    if (heap.empty() || heap.front().deadline > now) return;
    if (heap.front().made >= made_before) return;
    call_timer(pop_due().id);
    run_deferred();
  }
}

void EventLoop::State::call_timer(TimerId id) {
  Timer* timer = find(id);
  Task task = std::move(timer->task);
  if (!timer->repeats) {
    // 07.5: over before it is called: it may make the next one in its place.
    retire(id);
    task();
    return;
  }
  schedule(id, timer->period);
  AtEnd back{[&] {
    Timer* still = find(id);
    if (still) still->task = std::move(task);
  }};
  task();
}

// --- 07.6 ref and unref ---

void EventLoop::State::set_referenced(bool& flag, bool value) {
  // 07.6: counted only when it changes, so that two unref() are one.
  if (std::exchange(flag, value) == value) return;
  if (value)
    ++referenced;
  else
    --referenced;
}

void EventLoop::ref(int fd) {
  if (Watch* watch = state_->find(fd))
    state_->set_referenced(watch->referenced, true);
}

void EventLoop::unref(int fd) {
  if (Watch* watch = state_->find(fd))
    state_->set_referenced(watch->referenced, false);
}

void EventLoop::ref(TimerId id) {
  if (Timer* timer = state_->find(id))
    state_->set_referenced(timer->referenced, true);
}

void EventLoop::unref(TimerId id) {
  if (Timer* timer = state_->find(id))
    state_->set_referenced(timer->referenced, false);
}

// --- 07.7 post, poster, hold ---

void EventLoop::post(Task task) {
  state_->mailbox->post(std::move(task));
}

EventLoop::Poster EventLoop::poster() {
  return [mailbox = state_->mailbox](Task task) {
    mailbox->post(std::move(task));
  };
}

void EventLoop::State::run_posted() {
  while (!stopped && !posted.empty()) {
    posted.pop()();
    run_deferred();
  }
}

void EventLoop::hold() {
  ++state_->holds;
}

void EventLoop::release() {
  if (state_->holds == 0) throw std::logic_error("release() without a hold()");
  --state_->holds;
}

// Also right: a std::multimap by deadline for the timers, or an indexed heap,
// from which a cleared one is taken at once; std::unordered_map for the
// watches; callbacks in a shared_ptr that is copied before the call, instead of
// moved out and back; a pipe instead of the eventfd, both ends non-blocking, as
// a full pipe is as good a wake-up as one byte; a wake-up for each post, which
// is simpler and costs two system calls.

}  // namespace net
