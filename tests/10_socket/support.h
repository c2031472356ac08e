// What the tests of a Socket stand on: a loop, a list of what happened, and the
// raw other end of the wire. All in one thread; nothing waits but the loop.
//
//   Net net;
//   Ends ends = net.pair();  // `peer` is raw, `socket` is yours
//   net.record(*ends.socket);
//   net.read(*ends.socket);  // a data listener, too
//   ends.peer.send("hello");
//   ends.peer.finish();
//   net.run();
//   EXPECT_TRUE(net.saw({"data hello", "end", "finish", "close"}));
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/07_event_loop/event_loop.h"
#include "chapters/10_socket/socket.h"
#include "common/error.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/on_loop.h"
#include "common/testing/peer.h"

namespace graded {

using namespace std::chrono_literals;
using net::ConnectOptions;
using net::Error;
using net::Socket;
using SocketPtr = std::shared_ptr<Socket>;

// The raw end of a wire, and the socket at the other one.
struct Ends {
  Connection peer;
  SocketPtr socket;
};

// What has come to `peer` so far, without waiting: the bytes, and then "<FIN>",
// "<ECONNRESET>" if that is what came last.
std::string arrived(Connection& peer);

class Net {
 public:
  Net();
  explicit Net(std::unique_ptr<net::EventLoop> loop);

  net::EventLoop& loop() { return *loop_; }
  std::vector<std::string> events;

  // Over a unix socketpair, where what is sent has arrived at once; over TCP.
  Ends pair(ConnectOptions options = {});
  Ends tcp_pair(ConnectOptions options = {});
  // A socket that takes over the descriptor, which must not block.
  SocketPtr adopt(int fd, ConnectOptions options = {});

  // Every event but lookup and data goes into `events`, as "connect", "end",
  // "error ECONNRESET", "close", "close after an error"; `name` before it.
  void record(Socket& socket, std::string name = "");
  // A data listener: what comes in a row is one "data ..." of `events`.
  void read(Socket& socket, std::string name = "");
  void add(std::string event);
  void data(const std::string& name, std::string_view bytes);

  // Until nothing is left to wait for. A loop that waits in vain is stopped
  // when the test's time is over: "(nothing more happens)".
  void run();
  // Some turns of the loop: whatever is ready by now is done then.
  void settle();
  // Destroys the loop: with it goes whatever it holds.
  void end_loop() { loop_.reset(); }

  ::testing::AssertionResult saw(std::vector<std::string> expected) const;

 private:
  std::unique_ptr<net::EventLoop> loop_;
};

// Reads the raw end in the loop, until it ends.
class Reader {
 public:
  Reader(Net& net, Connection& peer);
  ~Reader();
  Reader(const Reader&) = delete;
  std::string got;
  std::string end = "not yet";  // "FIN", "ECONNRESET"
  bool over() const { return end != "not yet"; }

 private:
  void ready();
  net::EventLoop& loop_;
  Connection& peer_;
};

// A raw listening socket of 127.0.0.1, or at a path.
class Listener {
 public:
  Listener();
  explicit Listener(const std::string& path);
  int port() const { return port_; }
  bool somebody_waits() const;
  Connection accept() const;  // waits

 private:
  std::optional<OwnFd> fd_;
  int port_ = 0;
};

// A folder under /tmp, as a path of a socket is short.
class Folder {
 public:
  Folder();
  ~Folder();
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// What getaddrinfo() answers for names, while one of these lives.
class Names {
 public:
  Names();
  ~Names();
  // Numeric addresses, in the order of the answer.
  void knows(std::string host, std::vector<std::string> addresses);
  void fails(std::string host, int code);  // EAI_NONAME
  // Called in getaddrinfo(), before it answers.
  void before(std::function<void()> call);
};

}  // namespace graded
