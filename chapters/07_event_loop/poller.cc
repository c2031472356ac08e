#include "chapters/07_event_loop/poller.h"

#include <poll.h>

#include <cerrno>
#include <system_error>

#include "common/todo.h"

namespace net {

// What the poller remembers. Yours to fill.
struct PollPoller::State {};

PollPoller::PollPoller() : state_(std::make_unique<State>()) {}
PollPoller::~PollPoller() = default;

void PollPoller::add(int, short) {
  TODO("07.1", "an entry for poll(); a silent one if events is 0");
}

void PollPoller::modify(int, short) {
  TODO("07.1", "change the entry of fd, without a search");
}

void PollPoller::remove(int) {
  TODO("07.1", "take the entry of fd out, without a search");
}

int PollPoller::wait(std::chrono::milliseconds, std::vector<Ready>&) {
  TODO("07.1", "call poll(), and say what is ready");
}

}  // namespace net
