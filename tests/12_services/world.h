// What the tests of chapter 12 stand in: a server with one service, or a client
// of the code under test; peers made of raw calls; and a loop that the test
// turns. All in one thread, so every run is the same.
#pragma once

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/10_socket/socket.h"
#include "chapters/11_server/server.h"
#include "chapters/12_services/services.h"
#include "common/testing/fault.h"
#include "common/testing/folder.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"

namespace graded {

using Lines = std::vector<std::string>;
enum class Over { kTcp, kPath };

// A raw client (or, accepted by the test, a server). It sends and receives when
// the world turns, as far as that goes without waiting.
class Person {
 public:
  Person(Connection wire, std::string name)
      : wire_(std::move(wire)), name_(std::move(name)) {}

  void say(const std::string& text) {
    step(name_, "says " + in_quotes(text));
    unsent_ += text;
  }
  void stop_reading() {
    step(name_, "reads no more");
    reads_ = false;
  }
  void read_on() {
    step(name_, "reads again");
    reads_ = true;
  }
  // Once all is out that it has said.
  void finish() {
    finishing_ = true;
    turn();
  }
  void reset() { wire_.reset(); }
  void close() { wire_.close(); }

  bool has_sent_all() const { return unsent_.empty() || broken_; }
  bool over() const { return over_; }
  const std::string& got() const { return got_; }
  int fd() const { return wire_.fd(); }

  // The lines that have come since the last call. How it ended is one, too.
  Lines take_lines() {
    Lines lines;
    for (std::size_t end; (end = got_.find('\n')) != got_.npos;) {
      lines.push_back(got_.substr(0, end));
      got_.erase(0, end + 1);
    }
    if (over_ && !got_.empty()) lines.push_back(std::exchange(got_, ""));
    if (over_) lines.push_back(broken_ ? "(broken off)" : "(end)");
    if (lines.size() < 10)
      for (const std::string& line : lines) step(name_, "has read " + line);
    return lines;
  }
  std::size_t line_count() const {
    return static_cast<std::size_t>(
               std::count(got_.begin(), got_.end(), '\n')) +
           over_;
  }

  // Whether any byte moved.
  bool turn() {
    Unwatched ours;
    if (wire_.fd() < 0) return false;
    bool moved = send_some();
    if (has_sent_all() && std::exchange(finishing_, false)) wire_.finish();
    while (reads_ && !over_ && receive_some()) moved = true;
    return moved;
  }

 private:
  bool send_some() {
    if (has_sent_all()) return false;
    // Not all that fits: whoever reads it must have a chance to pass it on.
    std::size_t most = std::min<std::size_t>(unsent_.size(), 64 * 1024);
    ssize_t n =
        ::send(wire_.fd(), unsent_.data(), most, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) broken_ = true;
    if (n > 0) unsent_.erase(0, static_cast<std::size_t>(n));
    return n > 0;
  }
  bool receive_some() {
    char buffer[64 * 1024];
    ssize_t n = ::recv(wire_.fd(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return false;
    if (n > 0) got_.append(buffer, static_cast<std::size_t>(n));
    if (n < 0) broken_ = true;
    if (n <= 0) over_ = true;
    return true;
  }

  Connection wire_;
  std::string name_, unsent_, got_;
  bool finishing_ = false;
  bool reads_ = true, over_ = false, broken_ = false;
};

class World {
 public:
  ~World() {
    // Listeners may hold what the test has on its stack.
    for (const auto& weak : sockets_)
      if (auto socket = weak.lock()) socket->destroy();
    for (const auto& server : servers_)
      if (server->listening()) server->close();
    for (int i = 0; i < 3; ++i) run_once(std::chrono::milliseconds(0));
  }

  net::EventLoop loop;
  Trace log;
  net::Log logger() {
    return [this](const std::string& line) { log.add(line); };
  }
  const Folder& folder() const { return folder_; }

  // A server for `service`, made without net::serve(). What the kernel keeps
  // for its clients is little.
  void serve(Over over, net::Service service) {
    net::ListenOptions where;
    if (over == Over::kTcp)
      where.fd = small_listener();
    else
      where.path = folder_.path("service");
    net::ServerOptions options;
    options.allow_half_open = true;
    auto server = net::create_server(loop, options, seen(std::move(service)));
    server->listen(where);
    take(std::move(server));
  }
  // Notes each socket that the service gets.
  net::Service seen(net::Service service) {
    return [this, service](std::shared_ptr<net::Socket> socket) {
      sockets_.push_back(socket);
      service(std::move(socket));
    };
  }
  // Waits until it listens, or could not: then "error CODE" is in the log.
  void take(std::shared_ptr<net::Server> server) {
    servers_.push_back(server);
    bool failed = false;
    server->on_error([&](const net::Error& error) {
      log.add("error ", error.code);
      failed = true;
    });
    until([&] { return server->listening() || failed; });
  }

  // A client of the latest server. Once this returns, the service has it.
  Person& connect(const std::string& name) {
    std::size_t before = sockets_.size();
    auto where = servers_.back()->address();
    if (!where) throw std::runtime_error("the server does not listen");
    auto port = static_cast<std::uint16_t>(where->port);
    people_.emplace_back(port ? Connection::to_port(port, name)
                              : Connection::to_path(where->address, name),
                         name);
    until([&] { return sockets_.size() > before; });
    return people_.back();
  }
  // One that has said its name, and been answered.
  Person& named(const std::string& name) {
    Person& person = connect(name);
    person.say(name + "\n");
    hear(person, 1);
    return person;
  }

  // A server made of raw calls, and a socket of the code under test that has
  // connected to it. (The socket is the latest of socket().)
  Person& raw_server(Over over) {
    std::string path = folder_.path("raw");
    OwnFd listener(over == Over::kTcp ? small_listener() : bound_to(path));
    net::ConnectOptions where;
    if (over == Over::kTcp) {
      where.host = "127.0.0.1";
      where.port = port_of(listener.get());
    } else {
      where.path = path;
    }
    {
      Unwatched ours;
      ::listen(listener.get(), 1);
    }
    auto socket = net::connect(loop, where);
    sockets_.push_back(socket);
    until([&] { return !socket->connecting(); });
    Unwatched ours;
    int fd = ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
    people_.emplace_back(Connection(fd, "server"), "server");
    return people_.back();
  }

  // The next `n` lines that `person` reads, or fewer if no more come.
  Lines hear(Person& person, std::size_t n) {
    bool came =
        until([&] { return person.line_count() >= n || person.over(); });
    Lines lines = person.take_lines();
    if (!came) lines.push_back("(nothing more)");
    return lines;
  }

  // Turns until it is so. False: for some seconds not a byte has moved.
  bool until(const std::function<bool()>& done) {
    constexpr int kPatience = 150;
    for (int idle = 0; !done(); ++idle) {
      if (turn(std::chrono::milliseconds(10))) idle = 0;
      if (idle == kPatience) return false;
    }
    return true;
  }
  // Until the socket is over.
  bool until_closed(std::size_t i) {
    return until([&] {
      auto socket = sockets_.at(i).lock();
      return !socket || socket->destroyed();
    });
  }

  // One turn of everybody. Whether a byte moved.
  bool turn(std::chrono::milliseconds most) {
    bool moved = false;
    for (Person& person : people_) moved |= person.turn();
    if (moved) most = std::chrono::milliseconds(0);
    std::uint64_t before = traffic();
    run_once(most);
    for (const auto& weak : sockets_)
      if (auto socket = weak.lock())
        most_queued_ = std::max(most_queued_, socket->writable_length());
    return moved || traffic() != before;
  }
  // Turns until nobody can do anything more. For paths: what one end sends is
  // there for the other one at once.
  void settle() {
    for (int still = 0; still < 4;)
      still = turn(std::chrono::milliseconds(0)) ? 0 : still + 1;
  }
  // Virtual time goes on.
  void pass(const VirtualClock& clock, long long milliseconds) {
    step("test", std::to_string(milliseconds) + " ms pass");
    settle();
    long long then = clock.milliseconds() + milliseconds;
    while (clock.milliseconds() < then)
      turn(std::chrono::milliseconds(then - clock.milliseconds()));
    settle();
  }

  // The most that ever waited in one socket of the code under test.
  std::size_t most_queued() const { return most_queued_; }
  // The i-th that the code under test was given.
  std::shared_ptr<net::Socket> socket(std::size_t i) const {
    return sockets_.at(i).lock();
  }

 private:
  void run_once(std::chrono::milliseconds most) {
    try {
      loop.run_once(most);
    } catch (const net::Error& error) {
      ADD_FAILURE() << "An error left run(), and would have ended the program: "
                    << error.message
                    << ". Somebody must listen to the on_error of each socket.";
    }
  }

  std::uint64_t traffic() const {
    std::uint64_t bytes = 0;
    for (const auto& weak : sockets_)
      if (auto socket = weak.lock())
        bytes += socket->bytes_read() + socket->bytes_written() -
                 socket->writable_length();
    return bytes + sockets_.size();
  }

  static int small_listener() {
    Unwatched ours;
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int bytes = 32 * 1024;
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return bound(fd, reinterpret_cast<sockaddr*>(&any), sizeof any);
  }
  static int port_of(int fd) {
    Unwatched ours;
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

 public:
  // A raw unix socket, bound to `path`.
  static int bound_to(const std::string& path) {
    Unwatched ours;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return bound(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                 reinterpret_cast<sockaddr*>(&address), sizeof address);
  }

 private:
  static int bound(int fd, sockaddr* address, socklen_t size) {
    if (::bind(fd, address, size) < 0)
      throw std::runtime_error("the test's own bind(): " + errno_name(errno));
    return fd;
  }

  Folder folder_;
  std::vector<std::shared_ptr<net::Server>> servers_;
  std::vector<std::weak_ptr<net::Socket>> sockets_;
  std::deque<Person> people_;
  std::size_t most_queued_ = 0;
};

// A server at `path` that accepts nobody, and has no room for another client.
class Backlog {
 public:
  explicit Backlog(const std::string& path) : listener_(World::bound_to(path)) {
    Unwatched ours;
    ::listen(listener_.get(), 0);
    client_ = std::make_unique<Connection>(Connection::to_path(path, "client"));
  }

 private:
  OwnFd listener_;
  std::unique_ptr<Connection> client_;
};

// Lines that are numbered: "WORDS 1\n" to "WORDS n\n".
inline std::string numbered(const std::string& words, int n) {
  std::string text;
  for (int i = 1; i <= n; ++i) text += words + " " + std::to_string(i) + "\n";
  return text;
}

}  // namespace graded
