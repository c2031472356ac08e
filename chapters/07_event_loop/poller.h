// Poller: asks the kernel which descriptors are ready. An EventLoop has one.
//
//   net::PollPoller poller;
//   poller.add(fd, POLLIN);
//   std::vector<net::Ready> ready;
//   poller.wait(std::chrono::seconds(1), ready);
//   for (const net::Ready& it : ready) std::cout << it.fd << " is ready\n";
//
// Chapter 16 makes another one; the tests have one that follows a script.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

namespace net {

struct Ready {
  int fd;
  short events;  // as poll(2) reports them in revents; never 0
};

class Poller {
 public:
  virtual ~Poller() = default;  // closes none of the descriptors

  // Begins to watch `fd` for `events`, as in poll(2). With events 0 the
  // descriptor is known, but silent: not even POLLERR, POLLHUP and POLLNVAL
  // are reported then (POLLER-2).
  virtual void add(int fd, short events) = 0;
  virtual void modify(int fd, short events) = 0;  // watched for these now
  virtual void remove(int fd) = 0;                // and forgotten

  // Waits until at least one descriptor is ready, but no longer than `most`
  // (negative: for ever), and replaces `ready` by what is ready, each
  // descriptor once (POLLER-1). Returns how many: 0 also after a signal, and
  // for what is longer than a wait can be, some weeks later (POLLER-3).
  // std::system_error if the kernel refuses.
  virtual int wait(std::chrono::milliseconds most,
                   std::vector<Ready>& ready) = 0;
};

// With poll(2). A change costs the same however many descriptors are watched:
// the list that poll() gets is kept, not made anew for each wait.
class PollPoller : public Poller {
 public:
  PollPoller();
  ~PollPoller() override;
  void add(int fd, short events) override;
  void modify(int fd, short events) override;
  void remove(int fd) override;
  int wait(std::chrono::milliseconds most, std::vector<Ready>& ready) override;

 private:
  struct State;  // yours to design: see poller.cc
  std::unique_ptr<State> state_;
};

}  // namespace net
