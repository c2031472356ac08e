// The socket calls of the code under test, seen and, where a test asks for it,
// answered in place of the kernel: an interrupted call, a short count, no
// descriptor left. Every call is also a line of the time line.
//
//   Fault interrupted(Call::kReceive, {fails(EINTR)});
//   net::receive_all(fd, got);  // the first recv(): EINTR; the next: real
//
// A Fault that the code never met fails the test: it proved nothing. Calls of
// the test's own are left alone: peers and Unwatched see the kernel as it is.
// So are those of a child that the code forks.
#pragma once

#include <poll.h>

#include <cerrno>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace graded {

// A script meets every member of a family, so that it does not matter which
// of them your code calls.
enum class Call {
  kSocket,   // socket, socketpair
  kConnect,  // connect
  kBind,     // bind
  kListen,   // listen
  kAccept,   // accept, accept4
  kSend,     // send, sendto, sendmsg, write, writev
  kReceive,  // recv, recvfrom, recvmsg, read, readv
  kPoll,     // poll, ppoll, select, epoll_wait, nanosleep, usleep
  kShutdown,
  kOption,  // setsockopt
  kClose,
  kOther,  // unlink, chmod, umask, fcntl: seen, never changed
};

struct Action {
  enum Kind { kReal, kFails, kFailsAfter, kAtMost } kind = kReal;
  int error = 0;          // kFails, kFailsAfter
  std::size_t bytes = 0;  // kAtMost
  int times = 1;          // -1: every further call
  std::function<void()> before = {};
  std::function<void(std::span<pollfd>)> edit = {};  // poll, ppoll
};

Action fails(int error);        // -1 and errno, and nothing was done
Action fails_after(int error);  // it is done, or has begun, and yet -1
Action at_most(std::size_t n);  // a short count
Action real();
Action always(Action action);             // this and every further call
Action first(std::function<void()> run);  // runs it, then calls the kernel
// poll(), ppoll(): what the kernel reports, as `edit` leaves the revents.
Action reports(std::function<void(std::span<pollfd>)> edit);

class Fault {
 public:
  enum Reach { kMust, kMay };
  Fault(Call family, std::vector<Action> actions, Reach reach = kMust);
  ~Fault();  // fails the test if an action was not reached, but for kMay
  Fault(const Fault&) = delete;

 private:
  Call family_;
  Reach reach_;
};

// One call that the code under test made.
struct Record {
  Call family;
  std::string name;        // "accept4"
  int fd = -1;             // its descriptor argument
  std::vector<long> args;  // the other numbers, in the call's order
  std::string text;        // "accept4(3, SOCK_CLOEXEC)"
  bool returned = false;   // false: it waits, or is about to return
  long result = 0;
  int error = 0;
  std::vector<pollfd> set = {};  // poll, ppoll: asked, and once back reported
};

std::vector<Record> calls();             // all, in the order they began
std::vector<Record> calls(Call family);  // of one family
std::size_t count_calls(Call family);
Record last_call(Call family);  // one without a name if there was none
void wait_for_calls(Call family, std::size_t n);  // until n have begun

// While one lives, the calls of this thread belong to the test.
class Unwatched {
 public:
  Unwatched();
  ~Unwatched();
  Unwatched(const Unwatched&) = delete;
};

// Descriptors that were opened since, and are open still. Those that belong to
// the test's own peers do not count.
class DescriptorCheck {
 public:
  DescriptorCheck();
  std::vector<std::string> left_open() const;  // "5: socket:[1234]"

 private:
  std::vector<int> before_;
};

// A descriptor of the test's own, from here to forget_descriptor().
void own_descriptor(int fd);
void forget_descriptor(int fd);

// The clock of poll() and clock_gettime() stands still, but for what poll()
// would have waited: an hour passes at once. Where nothing could ever end the
// wait, the test fails instead of hanging.
class VirtualClock {
 public:
  VirtualClock();
  ~VirtualClock();
  VirtualClock(const VirtualClock&) = delete;
  long long milliseconds() const;  // passed since it was made
};

}  // namespace graded
