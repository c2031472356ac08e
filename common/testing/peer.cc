#include "common/testing/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "common/testing/fault.h"
#include "common/testing/graded.h"

namespace graded {

int checked(int result, const char* call) {
  if (result < 0)
    throw std::system_error(errno, std::generic_category(),
                            std::string("the test's own ") + call);
  return result;
}

namespace {

// Ends a peer's script, or the test that holds the peer. GoogleTest knows that
// this one has been reported.
struct GiveUp : ::testing::AssertionException {
  explicit GiveUp(const std::string& what)
      : AssertionException(
            ::testing::TestPartResult(::testing::TestPartResult::kFatalFailure,
                                      __FILE__, __LINE__, what.c_str())) {}
};

struct Address {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address inet(const char* host, std::uint16_t port) {
  Address address;
  if (auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
      ::inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof *v4;
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    ::inet_pton(AF_INET6, host, &v6->sin6_addr);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof *v6;
  }
  return address;
}

int new_socket(int family) {
  Unwatched ours;
  return checked(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket()");
}

int bound_socket(const char* host, int receive_buffer) {
  Unwatched ours;
  Address address = inet(host, 0);
  int fd = new_socket(address.storage.ss_family);
  if (receive_buffer)
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(int));
  checked(::bind(fd, address.get(), address.size), "bind()");
  return fd;
}

int listening_socket(const char* host, int receive_buffer, int backlog) {
  Unwatched ours;
  int fd = bound_socket(host, receive_buffer);
  checked(::listen(fd, backlog), "listen()");
  return fd;
}

std::uint16_t port_of(int fd) {
  Unwatched ours;
  Address address;
  checked(::getsockname(fd, address.get(), &address.size), "getsockname()");
  return ntohs(reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port);
}

std::string bytes(std::size_t n) {
  return std::to_string(n) + (n == 1 ? " byte" : " bytes");
}

std::pair<int, int> tcp_pair() {
  Unwatched ours;
  OwnFd listener(listening_socket("127.0.0.1", 0, 1));
  Address address = inet("127.0.0.1", port_of(listener.get()));
  int theirs = new_socket(AF_INET);
  checked(::connect(theirs, address.get(), address.size), "connect()");
  int ours_fd = ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
  return {checked(ours_fd, "accept()"), theirs};
}

}  // namespace

OwnFd::OwnFd(int fd) : fd_(fd) {
  own_descriptor(fd);
}
OwnFd::~OwnFd() {
  if (fd_ < 0) return;
  Unwatched ours;
  forget_descriptor(fd_);
  ::close(fd_);
}
OwnFd::OwnFd(OwnFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Connection::Connection(int fd, std::string name)
    : fd_(fd), name_(std::move(name)) {
  own_descriptor(fd);
}
Connection::~Connection() {
  if (fd_ < 0) return;
  Unwatched ours;
  forget_descriptor(fd_);
  ::close(fd_);
}
Connection::Connection(Connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), name_(std::move(other.name_)) {}

Connection Connection::to_port(std::uint16_t port, std::string name) {
  Unwatched ours;
  Address address = inet("127.0.0.1", port);
  Connection connection(new_socket(AF_INET), std::move(name));
  if (::connect(connection.fd_, address.get(), address.size) < 0)
    connection.give_up("cannot connect to port " + std::to_string(port) + ": " +
                       errno_name(errno));
  step(connection.name_, "connects");
  return connection;
}

Connection Connection::to_path(const std::string& path, std::string name) {
  Unwatched ours;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Connection connection(new_socket(AF_UNIX), std::move(name));
  if (::connect(connection.fd_, reinterpret_cast<sockaddr*>(&address),
                sizeof address) < 0)
    connection.give_up("cannot connect to " + path + ": " + errno_name(errno));
  step(connection.name_, "connects");
  return connection;
}

void Connection::give_up(const std::string& what) {
  step(name_, what);
  ADD_FAILURE() << "The " << name_ << " " << what << ".";
  throw GiveUp(what);
}

void Connection::send(std::string_view data) {
  Unwatched ours;
  step(name_, data.size() <= 24 ? "sends " + in_quotes(data)
                                : "sends " + bytes(data.size()));
  while (!data.empty()) {
    ssize_t n = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    if (n < 0) give_up("cannot send: " + errno_name(errno));
    data.remove_prefix(static_cast<std::size_t>(n));
  }
}

void Connection::finish() {
  Unwatched ours;
  step(name_, "sends FIN");
  ::shutdown(fd_, SHUT_WR);
}

void Connection::reset() {
  step(name_, "resets the connection");
  Unwatched ours;
  linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  forget_descriptor(fd_);
  ::close(std::exchange(fd_, -1));
}

void Connection::close() {
  step(name_, "closes");
  Unwatched ours;
  forget_descriptor(fd_);
  ::close(std::exchange(fd_, -1));
}

std::string Connection::receive_up_to(std::size_t n, bool* ended) {
  Unwatched ours;
  std::string got;
  char buffer[65536];
  *ended = false;
  while (got.size() < n) {
    ssize_t now =
        ::recv(fd_, buffer, std::min(n - got.size(), sizeof buffer), 0);
    if (now < 0)
      give_up("received " + bytes(got.size()) + ", then " + errno_name(errno));
    if (now == 0) {
      *ended = true;
      break;
    }
    got.append(buffer, static_cast<std::size_t>(now));
  }
  step(name_, (got.size() <= 24 ? "received " + in_quotes(got)
                                : "received " + bytes(got.size())) +
                  (*ended ? " and FIN" : ""));
  return got;
}

std::string Connection::receive(std::size_t n) {
  bool ended;
  std::string got = receive_up_to(n, &ended);
  if (ended)
    give_up("waited for " + bytes(n) + ", but received only " +
            bytes(got.size()) + " and the end");
  return got;
}

std::string Connection::receive_all() {
  bool ended;
  return receive_up_to(std::string().max_size(), &ended);
}

void Connection::expect(std::string_view data) {
  std::string got = receive(data.size());
  EXPECT_IS(got, data) << "This is what the " << name_ << " should receive.";
}

void Connection::expect_end() {
  EXPECT_IS(receive_all(), "")
      << "The " << name_ << " should receive FIN, and no byte before it.";
}

bool Connection::at_end() {
  Unwatched ours;
  char byte;
  return ::recv(fd_, &byte, 1, MSG_PEEK) <= 0;
}

void Connection::wait_until_reset() {
  Unwatched ours;
  pollfd waited{fd_, 0, 0};  // POLLERR and POLLHUP are always reported
  ::poll(&waited, 1, -1);
}

std::size_t Connection::fill() {
  Unwatched ours;
  std::string chunk(4096, 'x');
  std::size_t total = 0;
  int flags = ::fcntl(fd_, F_GETFL);
  ::fcntl(fd_, F_SETFL, flags | O_NONBLOCK);
  ssize_t n;
  while ((n = ::send(fd_, chunk.data(), chunk.size(), MSG_NOSIGNAL)) > 0)
    total += static_cast<std::size_t>(n);
  ::fcntl(fd_, F_SETFL, flags);
  step(name_, "sends as much as fits");
  return total;
}

Peer::Peer(Script script)
    : listener_(listening_socket("127.0.0.1", 0, 16)),
      port_(port_of(listener_.get())) {
  thread_ = std::thread(
      [this, script] { serve({script}, Options(), /*repeat=*/true); });
}

Peer::Peer(std::vector<Script> scripts, Options options)
    : listener_(listening_socket(options.address, options.receive_buffer, 16)),
      port_(port_of(listener_.get())) {
  thread_ = std::thread([this, scripts = std::move(scripts), options] {
    serve(scripts, options, /*repeat=*/false);
  });
}

void Peer::serve(std::vector<Script> scripts, Options options, bool repeat) {
  Unwatched ours;
  for (std::size_t i = 0; i < scripts.size(); i += repeat ? 0 : 1) {
    int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    // In this order: ~Peer() sees the descriptor, or we see that it has begun.
    current_ = fd;
    if (fd < 0 || stopping_) {
      if (fd >= 0) ::close(fd);
      return;
    }
    Connection connection(fd, options.name);
    step(options.name, "accepts");
    try {
      scripts[i](connection);
    } catch (const GiveUp&) {
    }
    current_ = -1;
  }
}

Peer::~Peer() {
  // Wakes a script that waits for what will never come.
  Unwatched ours;
  stopping_ = true;
  if (::testing::Test::HasFailure() || std::uncaught_exceptions() > 0) {
    int fd = current_;
    if (fd >= 0) ::shutdown(fd, SHUT_RDWR);
  }
  ::shutdown(listener_.get(), SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
}

void Peer::wait() {
  thread_.join();
}

std::string Peer::address() const {
  return "127.0.0.1:" + std::to_string(port_);
}

RefusedPort::RefusedPort()
    : fd_(bound_socket("127.0.0.1", 0)), port_(port_of(fd_.get())) {}

SilentPort::SilentPort()
    : listener_(listening_socket("127.0.0.1", 0, 0)),
      client_(new_socket(AF_INET)),
      port_(port_of(listener_.get())) {
  Unwatched ours;
  Address address = inet("127.0.0.1", port_);
  // Backlog 0 holds one connection; with it in the queue, Linux drops further
  // attempts without an answer.
  checked(::connect(client_.get(), address.get(), address.size), "connect()");
  pollfd queued{listener_.get(), POLLIN, 0};
  ::poll(&queued, 1, -1);
}

TcpPair::TcpPair() : TcpPair(tcp_pair()) {}
TcpPair::TcpPair(std::pair<int, int> fds)
    : ours(fds.first, "peer"), theirs(fds.second) {}

bool ipv6_works() {
  Unwatched ours;
  int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  Address address = inet("::1", 0);
  bool works = ::bind(fd, address.get(), address.size) == 0;
  ::close(fd);
  return works;
}

std::uint32_t seed() {
  const char* text = std::getenv("GRADED_SEED");
  return text ? static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10)) : 1;
}

std::string random_bytes(std::size_t n) {
  static std::mt19937 generator(seed());
  std::string out(n, '\0');
  for (char& c : out) c = static_cast<char>(generator());
  return out;
}

std::size_t random_number(std::size_t least, std::size_t most) {
  static std::mt19937 generator(seed());
  return least + generator() % (most - least + 1);
}

std::string random_text(std::size_t n) {
  std::string out = random_bytes(n);
  for (char& c : out)
    c = "abcdefghijklmnopqrstuvwxyz012345"[static_cast<unsigned char>(c) % 32];
  return out;
}

Stop::Stop() : Stop(make()) {}

Stop::Stop(std::pair<int, int> fds) : read_(fds.first), write_(fds.second) {}

void Stop::now() {
  step("test", "makes stop_fd readable");
  (void)!::write(write_.get(), "", 1);
}

std::pair<int, int> Stop::make() {
  int fds[2];
  checked(::pipe2(fds, O_CLOEXEC), "pipe2()");
  return {fds[0], fds[1]};
}

}  // namespace graded
