#include "tests/07_event_loop/scripted.h"

#include <poll.h>

#include <algorithm>
#include <stdexcept>

#include "common/testing/fault.h"
#include "common/testing/graded.h"

namespace graded {
namespace {

// No test has as many turns: more are a loop that spins.
constexpr std::size_t kMostWaits = 10000;

std::string milliseconds_text(Script::Duration duration) {
  std::string text =
      std::to_string(duration / std::chrono::milliseconds(1)) + " ms";
  long rest =
      duration % std::chrono::milliseconds(1) / std::chrono::microseconds(1);
  return rest == 0 ? text : text + " " + std::to_string(rest) + " us";
}

std::string wait_text(std::chrono::milliseconds most) {
  if (most.count() == 0) return "no wait";
  return most.count() < 0 ? "for ever" : milliseconds_text(most);
}

std::string events_text(short events) {
  std::string text;
  for (auto [bit, name] : {std::pair<short, const char*>{POLLIN, "POLLIN"},
                           {POLLOUT, "POLLOUT"},
                           {POLLERR, "POLLERR"},
                           {POLLHUP, "POLLHUP"},
                           {POLLNVAL, "POLLNVAL"}})
    if (events & bit) text += (text.empty() ? "" : "|") + std::string(name);
  return text.empty() ? "nothing" : text;
}

short reportable(short events) {
  return static_cast<short>(
      events == 0 ? 0 : events | POLLERR | POLLHUP | POLLNVAL);
}

}  // namespace

class ScriptedPoller : public net::Poller {
 public:
  explicit ScriptedPoller(Script& script) : script_(script) {}
  void add(int fd, short events) override {
    if (!script_.watched_.emplace(fd, events).second)
      throw std::logic_error("add() of a descriptor that the poller knows");
  }
  void modify(int fd, short events) override {
    known(fd);
    script_.watched_[fd] = events;
  }
  void remove(int fd) override {
    known(fd);
    script_.watched_.erase(fd);
  }
  int wait(std::chrono::milliseconds most,
           std::vector<net::Ready>& ready) override {
    return script_.wait(most, ready);
  }

 private:
  void known(int fd) {
    if (script_.watched_.count(fd) == 0)
      throw std::logic_error("a change of a descriptor that was not add()ed");
  }
  Script& script_;
};

std::unique_ptr<net::Poller> Script::poller() {
  return std::make_unique<ScriptedPoller>(*this);
}

net::EventLoop::Clock Script::clock() {
  return [this] {
    ++clock_reads_;
    // Not 0: a loop must not take the first moment for none.
    return net::EventLoop::TimePoint(std::chrono::hours(1) + now_);
  };
}

void Script::ready(int fd, short revents) {
  quiet(fd);
  ready_.emplace_back(fd, revents);
}

void Script::quiet(int fd) {
  std::erase_if(ready_, [fd](const auto& it) { return it.first == fd; });
}

void Script::at(Duration when, std::function<void()> action) {
  actions_.emplace(when, std::move(action));
}

std::string Script::time() const {
  return milliseconds_text(now_);
}

std::vector<std::string> Script::watched() const {
  std::vector<std::string> lines;
  for (auto [fd, events] : watched_)
    if (fd >= kFirst)
      lines.push_back(std::to_string(fd) + ": " + events_text(events));
  return lines;
}

void Script::collect(std::vector<net::Ready>& ready) const {
  ready.clear();
  for (auto [fd, revents] : ready_) {
    auto it = watched_.find(fd);
    if (it == watched_.end()) continue;
    revents &= reportable(it->second);
    if (revents != 0) ready.push_back({fd, revents});
  }
  Unwatched ours;
  for (auto [fd, events] : watched_) {
    pollfd one{fd, events, 0};
    if (fd < kFirst && events != 0 && ::poll(&one, 1, 0) > 0)
      ready.push_back({fd, one.revents});
  }
}

int Script::wait(std::chrono::milliseconds most,
                 std::vector<net::Ready>& ready) {
  waits_.push_back(wait_text(most));
  if (waits_.size() <= 20) step("loop", "waits: " + waits_.back());
  if (waits_.size() > kMostWaits)
    throw std::runtime_error("the loop spins: it has called wait() " +
                             std::to_string(kMostWaits) + " times, and it is " +
                             time() +
                             ". The last time it asked for: " + waits_.back());
  Duration until =
      now_ + std::min(most, std::chrono::milliseconds(std::chrono::years(100)));
  while (true) {
    collect(ready);
    if (!ready.empty()) return static_cast<int>(ready.size());
    auto next = actions_.begin();
    bool acts =
        next != actions_.end() && (most.count() < 0 || next->first <= until);
    if (!acts) break;
    now_ = std::max(now_, next->first);
    auto action = std::move(next->second);
    actions_.erase(next);
    action();
  }
  if (most.count() < 0)
    throw std::runtime_error(
        "the loop would sleep for ever: it waits without a limit, and nothing "
        "that it watches will ever be ready");
  now_ = std::max(now_, until);
  return 0;
}

}  // namespace graded
