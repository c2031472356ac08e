#include "chapters/07_event_loop/poller.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <system_error>

namespace net {
namespace {

// 07.1: poll() leaves entries with a negative descriptor alone. Not -fd, which
// would leave descriptor 0 as it is; ~fd is -fd - 1, and undoes itself.
int silent(int fd) {
  return ~fd;
}
int number_of(const pollfd& entry) {
  return entry.fd < 0 ? silent(entry.fd) : entry.fd;
}

int poll_timeout(std::chrono::milliseconds most) {
  if (most < std::chrono::milliseconds::zero()) return -1;
  // 07.1: an int ends after 24 days. Cut, not converted: a long wait must not
  // become a negative one. The caller looks at the time again anyway.
  constexpr std::chrono::milliseconds kMost(std::numeric_limits<int>::max());
  return static_cast<int>(std::min(most, kMost).count());
}

}  // namespace

struct PollPoller::State {
  std::vector<pollfd> entries;      // as poll() takes them, without gaps
  std::vector<std::size_t> places;  // by descriptor: where it is in `entries`
};

PollPoller::PollPoller() : state_(std::make_unique<State>()) {}
PollPoller::~PollPoller() = default;

void PollPoller::add(int fd, short events) {
  std::size_t number = static_cast<std::size_t>(fd);
  if (state_->places.size() <= number) state_->places.resize(number + 1);
  state_->places[number] = state_->entries.size();
  state_->entries.push_back({fd, 0, 0});
  modify(fd, events);
}

void PollPoller::modify(int fd, short events) {
  pollfd& entry = state_->entries[state_->places[fd]];
  entry.events = events;
  // 07.1: with events 0, poll() would still report POLLHUP, at once and for
  // ever: a loop that does not care would spin.
  entry.fd = events == 0 ? silent(fd) : fd;
}

void PollPoller::remove(int fd) {
  // 07.1: the last one fills the gap: nothing else has to move.
  std::vector<pollfd>& entries = state_->entries;
  std::size_t place = state_->places[fd];
  entries[place] = entries.back();
  state_->places[number_of(entries[place])] = place;
  entries.pop_back();
}

int PollPoller::wait(std::chrono::milliseconds most,
                     std::vector<Ready>& ready) {
  std::vector<pollfd>& entries = state_->entries;
  ready.clear();
  int n = ::poll(entries.data(), entries.size(), poll_timeout(most));
  if (n < 0 && errno == EINTR) return 0;
  if (n < 0) throw std::system_error(errno, std::generic_category(), "poll");

  // 07.1: poll() says how many there are: nothing is behind the last one.
  for (std::size_t i = 0; ready.size() < static_cast<std::size_t>(n); ++i)
    if (entries[i].revents != 0)
      ready.push_back({entries[i].fd, entries[i].revents});
  return n;
}

// Also right: leaving silent descriptors out of the list altogether, with a
// mark in `places`; poll() then has less to look at. An entry per number, gaps
// with -1, needs no `places`, but poll() walks over the gaps. ppoll() takes
// nanoseconds and cannot overflow. Chapter 16 replaces all of this by epoll.

}  // namespace net
