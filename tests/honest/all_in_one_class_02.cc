// One class that does everything, globals, and a log on the standard error.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <memory>
#include <stdexcept>

#include "client.h"

static int attempts = 0;
static const std::string kName = "client";

class Client {
 public:
  explicit Client(int number) : number_(number) {}

  void connect_to(const net::Endpoint& endpoint, int limit) {
    ++attempts;
    errno = 0;
    if (::connect(number_, endpoint.address(), endpoint.size()) == 0) return;
    if (errno != EINPROGRESS && errno != EINTR)
      throw std::runtime_error("connect");
    wait(limit);
  }

 private:
  void wait(int limit) {
    auto end = std::chrono::steady_clock::now() +
               std::chrono::milliseconds(limit < 0 ? 0 : limit);
    for (;;) {
      int left = -1;
      if (limit >= 0) {
        auto rest = std::chrono::ceil<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        left = rest.count() > 0 ? static_cast<int>(rest.count()) : 0;
      }
      pollfd one = {number_, POLLOUT, 0};
      int n = ::poll(&one, 1, left);
      if (n < 0 && errno == EINTR) continue;
      if (n == 0) errno = ETIMEDOUT;
      if (n <= 0) throw std::runtime_error("poll");
      break;
    }
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(number_, SOL_SOCKET, SO_ERROR, &error, &size);
    errno = error;
    if (error) throw std::runtime_error("outcome");
  }

  int number_;
};

namespace net {

int connect_any(const std::vector<Endpoint>& endpoints,
                std::chrono::milliseconds timeout) {
  int reason = EINVAL;
  for (const auto& endpoint : endpoints) {
    int fd = ::socket(endpoint.family(),
                      SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1) {
      reason = errno;
      continue;
    }
    try {
      auto client = std::make_unique<Client>(fd);
      client->connect_to(endpoint, static_cast<int>(timeout.count()));
      ::fcntl(fd, F_SETFL, 0);
      return fd;
    } catch (const std::exception& error) {
      reason = errno;
      std::cerr << kName << ": " << error.what() << ", attempt " << attempts
                << std::endl;
      ::close(fd);
    }
  }
  errno = reason;
  return -1;
}

bool send_all(int fd, std::string_view bytes) {
  std::size_t sent = 0;
  do {
    ssize_t n =
        ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n >= 0)
      sent += static_cast<std::size_t>(n);
    else if (errno != EINTR)
      return false;
  } while (sent < bytes.size());
  return true;
}

ssize_t receive_some(int fd, void* buffer, std::size_t size) {
  ssize_t n;
  do {
    n = ::read(fd, buffer, size);
  } while (n == -1 && errno == EINTR);
  if (n == -1 && errno == EAGAIN) errno = ETIMEDOUT;
  return n;
}

bool receive_all(int fd, std::string& reply) {
  std::vector<char> buffer(100);
  for (ssize_t n; (n = receive_some(fd, buffer.data(), buffer.size())) != 0;) {
    if (n < 0) return false;
    reply.insert(reply.end(), buffer.begin(), buffer.begin() + n);
  }
  return true;
}

bool shutdown_write(int fd) {
  return ::shutdown(fd, SHUT_WR) != -1;
}

bool set_receive_timeout(int fd, std::chrono::milliseconds timeout) {
  using namespace std::chrono;
  auto whole = duration_cast<seconds>(timeout.count() > 0 ? timeout : 0ms);
  timeval value;
  value.tv_sec = whole.count();
  value.tv_usec = timeout.count() > 0
                      ? duration_cast<microseconds>(timeout - whole).count()
                      : 0;
  return ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value) == 0;
}

}  // namespace net
