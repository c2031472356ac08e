// The other end of the wire: plain blocking sockets that follow a script. They
// never sleep; they wait for what the code under test does.
//
//   Peer peer([](Connection& client) {
//     client.expect("GET\n");
//     client.send("hello");
//     client.finish();
//   });
//   ... connect to 127.0.0.1, peer.port() ...
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace graded {

// A call of the test's own cannot fail: it throws if it did.
int checked(int result, const char* call);

// One end of a stream that belongs to the test. Every call blocks until it is
// done; what cannot be done fails the test and ends the script.
class Connection {
 public:
  Connection(int fd, std::string name);  // takes the descriptor
  ~Connection();                         // closes it
  Connection(Connection&& other) noexcept;
  Connection(const Connection&) = delete;

  // Connects to a server on this machine. `name` is how the time line calls it.
  static Connection to_port(std::uint16_t port, std::string name = "peer");
  static Connection to_path(const std::string& path, std::string name = "peer");

  void send(std::string_view bytes);    // all of them
  void finish();                        // FIN: no more will come from here
  void reset();                         // RST, and closed
  void close();                         // FIN both ways, or RST if unread
  std::string receive(std::size_t n);   // exactly n bytes
  std::string receive_all();            // until the other end's FIN
  void expect(std::string_view bytes);  // receives as many, and compares
  void expect_end();                    // FIN, and not a byte before it
  void wait_until_reset();              // the other end has sent a RST
  bool at_end();  // waits; true for FIN or RST, false when a byte is there
  // Sends what fits until the other end stops reading; the number of bytes.
  std::size_t fill();

  int fd() const { return fd_; }

 private:
  friend class Peer;
  std::string receive_up_to(std::size_t n, bool* ended);
  [[noreturn]] void give_up(const std::string& what);
  int fd_;
  std::string name_;
};

// A descriptor of the test's own: closed at the end, never counted as a leak.
class OwnFd {
 public:
  explicit OwnFd(int fd);
  ~OwnFd();
  OwnFd(OwnFd&& other) noexcept;
  OwnFd(const OwnFd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// A stop_fd: one end of a pipe.
class Stop {
 public:
  Stop();
  int fd() const { return read_.get(); }
  void now();  // makes it readable

 private:
  static std::pair<int, int> make();
  explicit Stop(std::pair<int, int> fds);
  OwnFd read_, write_;
};

// A server on 127.0.0.1 (or ::1), at a port that the system chose, which runs
// one script per connection, one after the other, in a thread of its own.
class Peer {
 public:
  using Script = std::function<void(Connection&)>;
  struct Options {
    const char* address = "127.0.0.1";
    int receive_buffer = 0;  // SO_RCVBUF of the connections; 0: as it is
    std::string name = "peer";
  };

  explicit Peer(Script script);  // the same for each connection
  Peer(std::vector<Script> scripts, Options options);
  ~Peer();  // ends the scripts

  std::uint16_t port() const { return port_; }
  std::string address() const;  // "127.0.0.1:40001"
  void wait();                  // until every given script is done

 private:
  void serve(std::vector<Script> scripts, Options options, bool repeat);
  OwnFd listener_;
  std::uint16_t port_;
  std::atomic<int> current_{-1};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// A port of 127.0.0.1 on which nobody listens, and that stays so: it is bound.
class RefusedPort {
 public:
  RefusedPort();
  std::uint16_t port() const { return port_; }

 private:
  OwnFd fd_;
  std::uint16_t port_;
};

// A listening socket of 127.0.0.1 whose queue is full: connecting to it takes
// as long as the kernel goes on trying.
class SilentPort {
 public:
  SilentPort();
  std::uint16_t port() const { return port_; }

 private:
  OwnFd listener_;
  OwnFd client_;
  std::uint16_t port_;
};

// Two connected TCP sockets: `ours` for the test, `theirs` for the code under
// test, which owns it.
struct TcpPair {
  TcpPair();
  Connection ours;
  int theirs;

 private:
  explicit TcpPair(std::pair<int, int> fds);
};

bool ipv6_works();                        // whether ::1 can be bound
std::string random_bytes(std::size_t n);  // the same for the same seed
std::string random_text(std::size_t n);   // letters and digits of it
// A number from `least` to `most`, the same for the same seed.
std::size_t random_number(std::size_t least, std::size_t most);
std::uint32_t seed();  // of this run: GRADED_SEED, or 1

}  // namespace graded
