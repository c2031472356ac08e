// An echo server over poll(2) and nothing else: what the reference is compared
// with. As fast as such a loop can be written: one list for poll() that is
// never made anew, one buffer for all connections, one recv() and one send()
// per message, no memory but for what a connection could not take.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

#include "bench/servers/options.h"

namespace {

// Bytes that the peer did not take yet. While there are some, nothing is read.
struct Rest {
  std::unique_ptr<char[]> bytes;
  std::size_t begin = 0, end = 0;
};

std::vector<pollfd> polled;  // the listener first
std::vector<Rest> rests;     // of the same index
char buffer[options::kReadBuffer];

void add(int fd) {
  polled.push_back({fd, POLLIN, 0});
  rests.emplace_back();
}

void remove(std::size_t i) {
  ::close(polled[i].fd);
  polled[i] = polled.back();
  rests[i] = std::move(rests.back());
  polled.pop_back();
  rests.pop_back();
}

void accept_all() {
  int fd;
  while ((fd = ::accept4(polled[0].fd, nullptr, nullptr,
                         SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
    add(fd);
}

bool may_go_on() {
  return errno == EAGAIN || errno == EINTR;
}

// False: the connection is over.
bool receive(std::size_t i) {
  ssize_t n = ::recv(polled[i].fd, buffer, sizeof buffer, 0);
  if (n <= 0) return n < 0 && may_go_on();
  ssize_t sent =
      ::send(polled[i].fd, buffer, static_cast<std::size_t>(n), MSG_NOSIGNAL);
  if (sent == n) return true;
  if (sent < 0 && !may_go_on()) return false;
  if (sent < 0) sent = 0;
  std::size_t left = static_cast<std::size_t>(n - sent);
  rests[i] = {std::make_unique_for_overwrite<char[]>(left), 0, left};
  std::memcpy(rests[i].bytes.get(), buffer + sent, left);
  polled[i].events = POLLOUT;
  return true;
}

bool send_rest(std::size_t i) {
  Rest& rest = rests[i];
  ssize_t n = ::send(polled[i].fd, rest.bytes.get() + rest.begin,
                     rest.end - rest.begin, MSG_NOSIGNAL);
  if (n < 0) return may_go_on();
  rest.begin += static_cast<std::size_t>(n);
  if (rest.begin < rest.end) return true;
  rest.bytes.reset();
  polled[i].events = POLLIN;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  add(options::listen_on(options::parse(argc, argv)));
  for (;;) {
    int ready = ::poll(polled.data(), polled.size(), -1);
    // From the end: what fills a gap has been looked at.
    for (std::size_t i = polled.size() - 1; ready > 0 && i > 0; --i) {
      if (polled[i].revents == 0) continue;
      --ready;
      bool alive = polled[i].events == POLLIN ? receive(i) : send_rest(i);
      if (!alive) remove(i);
    }
    if (ready > 0) accept_all();
  }
}
