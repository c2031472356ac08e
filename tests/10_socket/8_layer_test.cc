// Part 8: a transport that has to talk to its peer first, or by the way; and a
// connection that is given away.
#include <poll.h>

#include <deque>
#include <span>
#include <string>
#include <utility>

#include "chapters/09_streams/transport.h"
#include "tests/10_socket/support.h"

using namespace graded;
using net::IoResult;

namespace {

using Answers = std::deque<IoResult::Kind>;

// A plain transport, some of whose calls are answered by a script; and what it
// has received it gives away two bytes at a time.
class Scripted : public net::FdTransport {
 public:
  Scripted(Net& net, int fd) : net::FdTransport(net::Fd(fd)), net_(net) {}
  Answers handshakes, reads, writes;
  bool two_at_a_time = false;
  int attempts = 0;  // to write

  bool needs_handshake() const override { return !handshakes.empty(); }
  IoResult handshake() override { return answer("handshake", handshakes); }
  IoResult read(std::span<char> into) override {
    if (!reads.empty()) return answer("read", reads);
    if (!two_at_a_time) return net::FdTransport::read(into);
    char buffer[100];
    if (ahead_.empty()) {
      IoResult result = net::FdTransport::read(buffer);
      if (result.kind != IoResult::kBytes) return result;
      ahead_.assign(buffer, result.bytes);
    }
    std::size_t n = ahead_.copy(into.data(), 2);
    ahead_.erase(0, n);
    return {.bytes = n};
  }
  bool has_pending() const override { return !ahead_.empty(); }
  IoResult write(std::span<const std::string_view> pieces) override {
    ++attempts;
    if (!writes.empty()) return answer("write", writes);
    return net::FdTransport::write(pieces);
  }

 private:
  IoResult answer(const std::string& call, Answers& answers) {
    IoResult result{.kind = answers.front()};
    // The last one holds for further calls.
    if (answers.size() > 1 || result.kind == IoResult::kEnd)
      answers.pop_front();
    if (result.kind == IoResult::kFailed)
      result.error = Error::from_errno(ECONNRESET, "read");
    net_.add(call + ": " + in_words(result));
    return result;
  }
  Net& net_;
  std::string ahead_;
};

struct Layered : Socket {
  Layered(Net& net) : Socket(net.loop(), {}), net(net) {}
  using Socket::adopt;
  using Socket::try_again;
  void agreed() override { net.add("agreed"); }
  Net& net;
};

// The other end, and the transport of this one.
struct Wire {
  explicit Wire(Net& net)
      : peer(unix_pair(fd)), made(std::make_unique<Scripted>(net, fd)) {}
  int fd = -1;
  Connection peer;
  std::unique_ptr<Scripted> made;
  Scripted& transport = *made;
};

// What poll() was asked for, the last time.
std::string asked_for(int fd) {
  for (const pollfd& it : last_call(Call::kPoll).set)
    if (it.fd == fd)
      return std::string(it.events & POLLIN ? "POLLIN" : "") +
             (it.events & POLLOUT ? "POLLOUT" : "");
  return "nothing";
}

}  // namespace

TEST(Handshake, ComesBeforeAllElse) {
  RULE("LAYER-1");
  Net net;
  Wire wire(net);
  wire.transport.handshakes = {IoResult::kWantsRead, IoResult::kWantsWrite,
                               IoResult::kEnd};
  SocketPtr socket = Socket::adopt(net.loop(), std::move(wire.made));
  net.read(*socket);

  socket->write("hello");
  net.settle();
  net.add("asks for " + asked_for(wire.fd) + ", sends \"" + arrived(wire.peer) +
          "\"");
  wire.peer.send("go");
  net.settle();

  EXPECT_TRUE(net.saw({"handshake: wants read", "asks for POLLIN, sends \"\"",
                       "handshake: wants write", "handshake: end", "data go"}))
      << "As long as the two have not agreed, nothing is read or written, and "
         "poll() is asked for what the handshake needs.";
  EXPECT_IS(arrived(wire.peer), "hello") << "Then what waits is sent.";
}

TEST(Handshake, ThatWaitsIsTriedAgainWhenItIsSaid) {
  RULE("LAYER-1");
  Net net;
  Wire wire(net);
  wire.transport.handshakes = {IoResult::kWaits, IoResult::kEnd};
  auto socket = std::make_shared<Layered>(net);
  socket->adopt(std::move(wire.made));
  net.read(*socket);

  wire.peer.send("hello");
  net.settle();
  net.add("try again");
  socket->try_again();
  net.settle();

  EXPECT_TRUE(net.saw({"handshake: waits", "try again", "handshake: end",
                       "agreed", "data hello"}))
      << "It waits for somebody here, and not for the peer.";
}

TEST(Handshake, ThatFailsDestroys) {
  RULE("LAYER-1");
  Net net;
  Wire wire(net);
  wire.transport.handshakes = {IoResult::kFailed};
  SocketPtr socket = Socket::adopt(net.loop(), std::move(wire.made));
  socket->on_error([&](const Error& error) { net.add("error " + error.code); });

  net.settle();

  EXPECT_TRUE(
      net.saw({"handshake: failed: read ECONNRESET", "error ECONNRESET"}))
      << "Unless disagreed() is overridden it is an error as any other.";
}

TEST(Needs, AReadMayHaveToWrite) {
  RULE("LAYER-2");
  Net net;
  Wire wire(net);
  wire.transport.reads = {IoResult::kWantsWrite};
  SocketPtr socket = Socket::adopt(net.loop(), std::move(wire.made));
  net.read(*socket);

  wire.peer.send("hello");
  for (int i = 0; i < 20 && net.events.empty(); ++i) net.loop().run_once(0ms);
  net.loop().run_once(0ms);

  EXPECT_IS(asked_for(wire.fd), "POLLOUT")
      << "read() said that it wants to write: to ask for POLLIN would be to go "
         "round and round.";
}

TEST(Needs, AWriteMayHaveToRead) {
  RULE("LAYER-2");
  Net net;
  Wire wire(net);
  wire.transport.writes = {IoResult::kWantsRead};
  SocketPtr socket = Socket::adopt(net.loop(), std::move(wire.made));
  socket->pause();
  net.settle();

  socket->write("hello");
  net.settle();
  int before = wire.transport.attempts;
  net.settle();
  int after = wire.transport.attempts;
  wire.transport.writes.clear();
  wire.peer.send("x");
  net.settle();

  EXPECT_IS(after - before, 0)
      << "write() said that it wants to read. There is room all the time, so "
         "to wait for POLLOUT is not to wait.";
  EXPECT_IS(arrived(wire.peer), "hello") << "Something has come: again.";
}

TEST(Needs, WhatPollDoesNotSeeIsRead) {
  RULE("LAYER-2");
  Net net;
  Wire wire(net);
  wire.transport.two_at_a_time = true;
  SocketPtr socket = Socket::adopt(net.loop(), std::move(wire.made));
  net.read(*socket);

  wire.peer.send("abcdef");
  net.settle();

  EXPECT_TRUE(net.saw({"data abcdef"}))
      << "The transport gives two bytes at a time, and has read all: the "
         "kernel has nothing more that poll() could report.";
}

TEST(HandOver, GivesAwayWhatIsThere) {
  RULE("LAYER-3");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  std::string sent = random_text(1'000'000);
  ends.peer.send("unread");
  ends.socket->write(sent);
  net.settle();

  Socket::Connection given = ends.socket->hand_over();
  // It has read the bytes, or has left them where they were.
  char buffer[100];
  if (given.unread.empty())
    given.unread.assign(buffer, given.transport->read(buffer).bytes);
  ends.peer.send("more");
  net.settle();
  net.add("destroy");
  ends.socket->destroy();
  net.run();
  std::string late = usage_error([&] { ends.socket->hand_over(); });

  EXPECT_IS(given.unread, "unread") << "It was read, and nobody wanted it yet.";
  EXPECT_IS(arrived(ends.peer) + given.unsent, sent)
      << "What was written, and is not out, is for the new owner to send.";
  EXPECT_TRUE(net.saw({"destroy", "close"}))
      << "Nothing comes and nothing goes here any more. It lives until it is "
         "destroyed, and the connection outlives it.";
  EXPECT_IS(late, "ERR_SOCKET_CLOSED") << "There is nothing left to give.";
}
