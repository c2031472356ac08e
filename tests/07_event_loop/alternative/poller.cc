#include "chapters/07_event_loop/poller.h"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <system_error>
#include <unordered_map>
#include <utility>

namespace net {

// Silent descriptors are in no list; the others are in one for ppoll(), and
// found through a map.
struct PollPoller::State {
  std::vector<pollfd> list;
  std::unordered_map<int, std::size_t> index;  // in `list`
};

PollPoller::PollPoller() : state_(std::make_unique<State>()) {}
PollPoller::~PollPoller() = default;

void PollPoller::add(int fd, short events) {
  if (events == 0) return;
  state_->index[fd] = state_->list.size();
  state_->list.push_back({fd, events, 0});
}

void PollPoller::modify(int fd, short events) {
  remove(fd);
  add(fd, events);
}

void PollPoller::remove(int fd) {
  auto it = state_->index.find(fd);
  if (it == state_->index.end()) return;
  pollfd& gap = state_->list[it->second];
  std::swap(gap, state_->list.back());
  state_->index[gap.fd] = it->second;
  state_->index.erase(fd);
  state_->list.pop_back();
}

int PollPoller::wait(std::chrono::milliseconds most,
                     std::vector<Ready>& ready) {
  ready.clear();
  std::int64_t ms = std::min<std::int64_t>(most.count(), 2'000'000'000);
  timespec limit{static_cast<std::time_t>(ms / 1000),
                 static_cast<long>(ms % 1000 * 1'000'000)};
  int n = ::ppoll(state_->list.data(), state_->list.size(),
                  ms < 0 ? nullptr : &limit, nullptr);
  if (n < 0) {
    if (errno == EINTR) return 0;
    throw std::system_error(errno, std::generic_category(), "ppoll");
  }
  for (const pollfd& one : state_->list)
    if (one.revents) ready.push_back({one.fd, one.revents});
  return n;
}

}  // namespace net
