// Chapter 10 from outside: the other end of the wire, in a process of its own.
// Each test has the name of the one that it confirms.
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <future>

#include "common/testing/folder.h"
#include "common/testing/graded.h"
#include "common/testing/on_loop.h"
#include "common/testing/peer.h"
#include "common/testing/subject.h"

using namespace graded;

namespace {

std::string word() {
  return random_text(random_number(5, 50));
}

// More than a kernel takes at once, as a text that is written many times.
struct Bulk {
  std::string text = random_text(random_number(3000, 5000));
  std::size_t times = random_number(200, 300);
  std::string all() const {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
  }
  std::string written() const {
    return "now write " + text + " " + std::to_string(times);
  }
};

// A server of the driver's own.
class Server {
 public:
  Server() {
    sockaddr_in here{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
    auto* address = reinterpret_cast<sockaddr*>(&here);
    socklen_t size = sizeof here;
    checked(::bind(fd_.get(), address, size), "bind()");
    checked(::listen(fd_.get(), 16), "listen()");
    checked(::getsockname(fd_.get(), address, &size), "getsockname()");
    port_ = ntohs(here.sin_port);
  }
  std::string connect() const { return "now connect " + std::to_string(port_); }
  Connection accept(sockaddr_in* from = nullptr) const {
    socklen_t size = sizeof *from;
    int fd = ::accept4(fd_.get(), reinterpret_cast<sockaddr*>(from),
                       from ? &size : nullptr, SOCK_CLOEXEC);
    return Connection(checked(fd, "accept()"), "peer");
  }

 private:
  OwnFd fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::uint16_t port_;
};

OwnFd listening_at(const std::string& path) {
  OwnFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un here{};
  here.sun_family = AF_UNIX;
  path.copy(here.sun_path, sizeof here.sun_path - 1);
  checked(::bind(fd.get(), reinterpret_cast<sockaddr*>(&here), sizeof here),
          "bind()");
  checked(::listen(fd.get(), 4), "listen()");
  return fd;
}

// A socket that is connected: `peer` is here, the other end is there alone.
class Wire {
 public:
  explicit Wire(Words steps) : Wire(std::move(steps), unix_ends()) {}
  Wire(Words steps, TcpPair pair)
      : Wire(std::move(steps), {std::move(pair.ours), pair.theirs}) {}

  Connection peer;
  Subject subject;

  void then(const std::string& step) { subject.begin({"do", step}); }
  Words events() { return subject.answer(); }
  void settle() { subject.wait_until_it_waits(); }

 private:
  using Ends = std::pair<Connection, int>;
  static Ends unix_ends() {
    int theirs;
    Connection ours = unix_pair(theirs);
    return {std::move(ours), theirs};
  }
  Wire(Words steps, Ends ends) : peer(std::move(ends.first)) {
    steps.insert(steps.begin(), "play");
    subject.begin(steps, {ends.second});
    ::close(ends.second);
  }
};

Words play(Subject& subject, Words steps) {
  steps.insert(steps.begin(), "play");
  return subject.ask(steps);
}

// Sends what the other end has room for, until it waits and there is no more.
std::size_t send_until_it_stops(Wire& wire, std::string_view bytes) {
  std::size_t sent = 0;
  for (ssize_t n = 1; n > 0 && sent < bytes.size();) {
    wire.settle();
    n = ::send(wire.peer.fd(), bytes.data() + sent,
               std::min<std::size_t>(bytes.size() - sent, 10'000),
               MSG_DONTWAIT | MSG_NOSIGNAL);
    sent += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
  }
  return sent;
}

// What the peer is told when it asks for more.
std::string told(const Connection& peer) {
  char byte;
  ssize_t n = ::recv(peer.fd(), &byte, 1, 0);
  return n > 0 ? "a byte" : n == 0 ? "FIN" : errno_name(errno);
}

bool something_came(const Connection& peer) {
  pollfd it{peer.fd(), POLLIN, 0};
  return ::poll(&it, 1, 0) > 0;
}

void wait_until_acknowledged(const Connection& peer) {
  for (int left = 1; left > 0; ::poll(nullptr, 0, 1))
    ::ioctl(peer.fd(), SIOCOUTQ, &left);
}

}  // namespace

TEST(Connect, RefusedIsOneErrorAndThenClose) {
  RULE("CONN-6");
  Subject subject;
  RefusedPort nobody;
  Server server;

  Words refused =
      play(subject, {"now connect " + std::to_string(nobody.port())});
  subject.begin({"play", server.connect()});
  server.accept().close();

  EXPECT_IS(refused, (Words{"error ECONNREFUSED", "close after an error"}))
      << "Nobody listens at this port.";
  EXPECT_IS(subject.answer(), (Words{"connect", "end", "finish", "close"}))
      << "At this one the driver does, accepts and closes.";
}

TEST(Connect, ReachesAPath) {
  RULE("UNIX-7");
  Folder folder;
  std::string path = folder.path(random_text(10)), says = word();
  OwnFd listener = listening_at(path);
  Subject subject;

  subject.begin({"play", "now path " + path, "on connect end " + says});
  Connection peer(::accept(listener.get(), nullptr, nullptr), "peer");

  EXPECT_IS(peer.receive_all(), says) << "This is what is sent to the path.";
}

TEST(LocalEnd, CanBeChosen) {
  RULE("CONN-11");
  Subject subject;
  Server server;
  std::uint32_t source =
      INADDR_LOOPBACK + static_cast<std::uint32_t>(random_number(1, 200));

  subject.begin(
      {"play", server.connect() + " 127.0.0." + std::to_string(source & 255)});
  sockaddr_in from{};
  server.accept(&from);

  EXPECT_IS(ntohl(from.sin_addr.s_addr), source)
      << "This is the end that was asked for, as the server sees it.";
}

TEST(Data, ArrivesWholeAndInOrder) {
  RULE("DATA-1");
  Wire wire({"now adopt", "on data echo"}, TcpPair());
  std::string all = random_bytes(random_number(300'000, 500'000));

  auto echo =
      std::async(std::launch::async, [&] { return wire.peer.receive_all(); });
  for (std::size_t at = 0, n; at < all.size(); at += n) {
    n = random_number(1, 30'000);
    wire.peer.send(std::string_view(all).substr(at, n));
  }
  wire.peer.finish();

  EXPECT_IS(echo.get(), all) << "Each piece of data is written back.";
}

TEST(Data, ComesAfterConnectEvenIfItWasThereFirst) {
  RULE("DATA-1");
  Subject subject;
  Server server;
  std::string says = word();

  subject.begin({"play", server.connect(), "on data hear"});
  server.accept().send(says);

  EXPECT_IS(subject.answer(),
            (Words{"connect", "data " + says, "end", "finish", "close"}))
      << "The peer sends this at once, and closes.";
}

TEST(Flow, DoesNotBeginWhenItWasPaused) {
  RULE("FLOW-2");
  Wire wire({"now adopt", "now pause", "on data echo"});
  std::string says = word();

  wire.settle();
  wire.peer.send(says);
  wire.settle();
  bool too_early = something_came(wire.peer);
  wire.then("resume");

  EXPECT_IS(wire.peer.receive(says.size()), says) << "It is resumed.";
  EXPECT_IS(too_early, false) << "It was paused, and has a data listener.";
}

TEST(Pause, PushesBackOnTheSender) {
  RULE("FLOW-8");
  Wire wire({"now adopt", "now pause", "on data hear"});

  std::size_t sent = send_until_it_stops(wire, std::string(1'500'000, 'x'));

  EXPECT_IS(sent < 1'500'000, true) << "A paused socket read all of that.";
}

TEST(NobodyReads, PushesBackOnTheSender) {
  RULE("FLOW-8");
  Wire wire({"now adopt"});

  std::size_t sent = send_until_it_stops(wire, std::string(1'500'000, 'x'));

  EXPECT_IS(sent < 1'500'000, true) << "Nobody has asked for all of that.";
}

TEST(Pause, LosesNothingWhenItPushedBack) {
  RULE("FLOW-8");
  Wire wire({"now adopt", "now pause", "on data echo"});
  std::string all = random_bytes(1'500'000);

  std::size_t sent = send_until_it_stops(wire, all);
  wire.then("resume");
  wire.peer.finish();

  EXPECT_IS(wire.peer.receive_all(), all.substr(0, sent))
      << "It was paused until the driver could send no more.";
}

TEST(Write, BeforeConnectIsSentInOrder) {
  RULE("WRITE-1");
  Subject subject;
  Server server;
  std::string first = word(), second = word(), last = word();

  subject.begin({"play", server.connect(), "now write " + first + " 1",
                 "now write " + second + " 2", "now end " + last});

  EXPECT_IS(server.accept().receive_all(), first + second + second + last)
      << "All of it is written before the connection is up.";
}

TEST(Drain, ComesOnceWhenTheQueueIsEmpty) {
  RULE("DRAIN-1");
  Bulk bulk;
  Wire wire({"now adopt", bulk.written(), "on drain end"});

  std::string got = wire.peer.receive_all();
  wire.peer.finish();

  EXPECT_IS(got, bulk.all()) << "This was written, and end() on drain.";
  EXPECT_IS(wire.events(), (Words{"drain", "finish", "end", "close"}))
      << "The peer has ended, too.";
}

TEST(OwnEnd, SendsItsBytesAndThenFIN) {
  RULE("END-1");
  std::string first = word(), last = word();
  Wire wire({"now adopt", "now write " + first + " 1", "now end " + last});

  EXPECT_IS(wire.peer.receive_all(), first + last) << "Then FIN came.";
}

TEST(OwnEnd, WaitsForEverythingThatIsQueued) {
  RULE("END-1");
  Bulk bulk;
  Wire wire({"now adopt", bulk.written(), "now end"});

  EXPECT_IS(wire.peer.receive_all(), bulk.all()) << "Then FIN came.";
}

TEST(PeersEnd, ComesOnceAfterAllItsData) {
  RULE("END-6");
  Wire wire({"now adopt", "on data hear"});
  std::string says = word();

  wire.peer.send(says);
  wire.peer.finish();

  EXPECT_IS(wire.events(), (Words{"data " + says, "end", "finish", "close"}))
      << "The peer sent this, and FIN.";
}

TEST(BothEnds, CloseTheSocketWhenThePeerIsFirst) {
  RULE("END-9");
  std::string last = word();
  Wire wire({"now adopt", "on end end " + last});

  wire.peer.finish();

  EXPECT_IS(wire.peer.receive_all(), last) << "It answers FIN with this.";
  EXPECT_IS(wire.events(), (Words{"end", "finish", "close"}))
      << "Both have ended.";
}

TEST(BothEnds, CloseTheSocketWhenWeAreFirst) {
  RULE("END-9");
  std::string last = word(), says = word();
  Wire wire({"now adopt", "now end " + last, "on data hear"});

  EXPECT_IS(wire.peer.receive_all(), last) << "Then FIN came.";
  wire.peer.send(says);
  wire.peer.finish();
  EXPECT_IS(wire.events(), (Words{"finish", "data " + says, "end", "close"}))
      << "Then the peer ended, too.";
}

TEST(HalfOpen, IsNotTheDefault) {
  RULE("HALF-1");
  Wire wire({"now adopt"});

  wire.peer.finish();

  wire.peer.expect_end();
}

TEST(HalfOpen, AutomaticEndSendsWhatIsQueued) {
  RULE("HALF-1");
  Bulk bulk;
  Wire wire({"now adopt", bulk.written()});

  wire.peer.finish();

  EXPECT_IS(wire.peer.receive_all(), bulk.all())
      << "It was queued when the peer ended.";
}

TEST(HalfOpen, StaysWritableAfterThePeersEnd) {
  RULE("HALF-2");
  std::string first = word(), last = word();
  Wire wire({"now adopt half-open", "on end write " + first + " 1"});

  wire.peer.finish();

  wire.peer.expect(first);
  wire.then("end " + last);
  EXPECT_IS(wire.peer.receive_all(), last) << "end() was called.";
}

TEST(HalfOpen, OwnEndLeavesTheOtherDirectionOpen) {
  RULE("HALF-2");
  Wire wire({"now adopt half-open", "now end", "on data hear"});
  std::string says = word();

  wire.peer.expect_end();
  wire.peer.send(says);
  wire.peer.finish();

  EXPECT_IS(wire.events(), (Words{"finish", "data " + says, "end", "close"}))
      << "It had ended, and the peer said this.";
}

TEST(Destroyed, IsAnOrdinaryEndForThePeer) {
  RULE("DEST-5");
  Wire wire({"now adopt", "on data destroy"}, TcpPair());
  std::string says = word();

  wire.peer.send(says);

  EXPECT_IS(told(wire.peer), "FIN") << "Every byte of the peer's was read.";
  EXPECT_IS(wire.events(), (Words{"data " + says, "close"}))
      << "A data listener destroys the socket.";
}

TEST(Destroyed, WithUnreadBytesIsAResetForThePeer) {
  RULE("DEST-5");
  Wire wire({"now adopt", "now pause"}, TcpPair());

  wire.peer.send(word());
  wait_until_acknowledged(wire.peer);
  wire.then("destroy");

  EXPECT_IS(told(wire.peer), "ECONNRESET") << "Nobody has read its bytes.";
}

TEST(DestroySoon, SendsWhatIsQueuedFirst) {
  RULE("DEST-7");
  Bulk bulk;
  Wire wire({"now adopt", bulk.written(), "now destroy-soon"});

  EXPECT_IS(wire.peer.receive_all(), bulk.all()) << "Then the end came.";
  EXPECT_IS(wire.events(), (Words{"finish", "close"}))
      << "The peer has not ended.";
}

TEST(Reset, IsSeenByThePeer) {
  RULE("DEST-9");
  Wire wire({"now adopt", "on data reset"}, TcpPair());
  std::string says = word();

  wire.peer.send(says);

  EXPECT_IS(told(wire.peer), "ECONNRESET") << "It resets the connection.";
  EXPECT_IS(wire.events(), (Words{"data " + says, "close"}))
      << "A data listener does it.";
}

TEST(ResetByThePeer, IsAnErrorAndNoEnd) {
  RULE("ERR-2");
  Wire wire({"now adopt", "on data echo"}, TcpPair());
  std::string says = word();

  wire.peer.send(says);
  wire.peer.expect(says);
  wire.peer.reset();

  EXPECT_IS(wire.events(),
            (Words{"data " + says, "error ECONNRESET", "close after an error"}))
      << "The peer reset the connection.";
}

TEST(DroppedWrites, AreNotSent) {
  RULE("WRITE-12");
  Bulk bulk;
  Wire wire({"now adopt", bulk.written(), "now destroy"});

  std::string got = wire.peer.receive_all(), all = bulk.all();

  EXPECT_IS(got.size() < all.size(), true) << "All of it was sent.";
  EXPECT_IS(got, all.substr(0, got.size())) << "It began with this.";
  EXPECT_IS(wire.events(), Words{"close"}) << "It was destroyed.";
}
