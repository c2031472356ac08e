#include "tests/11_server/support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "chapters/01_addresses/endpoint.h"

namespace graded {
namespace {

net::Endpoint endpoint(const std::string& host, std::uint16_t port) {
  std::string text = host.find(':') == host.npos ? host : "[" + host + "]";
  return net::Endpoint::parse(text + ":" + std::to_string(port));
}

void set_limit(std::size_t n) {
  rlimit limit;
  checked(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit()");
  limit.rlim_cur = n;
  checked(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit()");
}

}  // namespace

std::string try_connect(const std::string& host, std::uint16_t port) {
  Unwatched ours;
  net::Endpoint there = endpoint(host, port);
  OwnFd fd(checked(::socket(there.family(), SOCK_STREAM | SOCK_CLOEXEC, 0),
                   "socket()"));
  if (::connect(fd.get(), there.address(), there.size()) < 0)
    return errno_name(errno);
  return "connected";
}

namespace {
Connection unconnected() {
  Unwatched ours;
  return Connection(
      checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket()"),
      "late");
}
}  // namespace

LateClient::LateClient() : wire_(unconnected()) {}

void LateClient::connect(std::uint16_t port) {
  Unwatched ours;
  step("late", "connects");
  net::Endpoint there = endpoint("127.0.0.1", port);
  checked(::connect(wire_.fd(), there.address(), there.size()), "connect()");
}

int bound_socket() {
  Unwatched ours;
  net::Endpoint here = endpoint("127.0.0.1", 0);
  int fd = checked(::socket(AF_INET, SOCK_STREAM, 0), "socket()");
  checked(::bind(fd, here.address(), here.size()), "bind()");
  return fd;
}

void write_file(const std::string& path, const std::string& text) {
  Unwatched ours;
  std::ofstream(path) << text;
}

int number_option(int fd, int level, int name) {
  Unwatched ours;
  int value = -1;
  socklen_t size = sizeof value;
  checked(::getsockopt(fd, level, name, &value, &size), "getsockopt()");
  return value;
}

std::string arrived(const Connection& peer) {
  Unwatched ours;
  std::string got;
  char buffer[4096];
  while (true) {
    ssize_t n = ::recv(peer.fd(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n == 0) return got + "<FIN>";
    if (n < 0) return errno == EAGAIN ? got : got + "<RST>";
    got.append(buffer, static_cast<std::size_t>(n));
  }
}

FullTable::FullTable(std::size_t n) {
  Unwatched ours;
  rlimit limit;
  checked(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit()");
  limit_ = limit.rlim_cur;
  int next = checked(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open()");
  fillers_.push_back(next);
  set_limit(64);
  while ((next = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
    fillers_.push_back(next);
  for (int fd : fillers_) own_descriptor(fd);
  for (; n > 0; --n) {
    forget_descriptor(fillers_.back());
    ::close(fillers_.back());
    fillers_.pop_back();
  }
  step("test", "uses up all descriptors");
}

FullTable::~FullTable() {
  Unwatched ours;
  set_limit(limit_);
  for (int fd : fillers_) {
    forget_descriptor(fd);
    ::close(fd);
  }
  step("test", "gives all descriptors back");
}

}  // namespace graded
