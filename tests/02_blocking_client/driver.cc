// Chapter 02 from outside: the other end of the wire, and what the kernel says
// of the process that holds the code. Each test has the name of the one that it
// confirms.
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <utility>

#include "common/testing/graded.h"
#include "common/testing/peer.h"
#include "common/testing/subject.h"

using namespace graded;

namespace {

const std::string kForever = "-1", kSoon = "50";

// A word that nobody can know beforehand, and what a first connection hears.
struct Greeter {
  std::string word = random_text(random_number(5, 50));
  Peer peer{{[word = word](Connection& client) {
              client.send(word);
              client.finish();
            }},
            {}};
};

// A listening socket whose queue is full, until somebody is let in.
class FullListener {
 public:
  FullListener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = reinterpret_cast<sockaddr*>(&here);
    socklen_t size = sizeof here;
    if (::bind(fd_.get(), address, size) < 0 || ::listen(fd_.get(), 0) < 0 ||
        ::getsockname(fd_.get(), address, &size) < 0)
      throw std::runtime_error("the driver's own listen()");
    port = ntohs(here.sin_port);
    first_.emplace(Connection::to_port(port, "first"));
  }
  Connection accept() {
    return Connection(::accept(fd_.get(), nullptr, nullptr), "peer");
  }
  std::uint16_t port = 0;

 private:
  OwnFd fd_;
  std::optional<Connection> first_;
};

// A unix socket of the abstract namespace, with a name of any length.
struct NamedListener {
  std::string name = "@" + random_text(random_number(20, 90));
  OwnFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  NamedListener() {
    sockaddr_un here{};
    here.sun_family = AF_UNIX;
    name.copy(here.sun_path + 1, name.size() - 1, 1);
    socklen_t size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&here), size) < 0 ||
        ::listen(fd.get(), 4) < 0)
      throw std::runtime_error("the driver's own bind()");
  }
  std::string endpoint() const { return "unix:" + name; }
};

// What the code's process hears on the connection that it made.
std::string hear(Subject& subject, const Words& connected) {
  if (connected.at(0).find(' ') != std::string::npos) return connected[0];
  return subject.ask({"hear", connected[0]}).at(0);
}

void wait_until_taken(int fd) {
  for (int left = 1; left > 0; ::poll(nullptr, 0, 1))
    ::ioctl(fd, SIOCINQ, &left);
}

// A connection that is full soon.
void make_small(const TcpPair& pair) {
  int size = 8192;
  ::setsockopt(pair.theirs, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

struct UnixPair {
  UnixPair() : UnixPair(make()) {}
  Connection ours;
  int theirs;

 private:
  explicit UnixPair(std::pair<int, int> fds)
      : ours(fds.first, "peer"), theirs(fds.second) {}
  static std::pair<int, int> make() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
      throw std::runtime_error("the driver's own socketpair()");
    return {fds[0], fds[1]};
  }
};

// Sends until the kernel takes no more; what it took.
std::string fill(int fd) {
  std::string filled;
  std::string piece(1000, '.');
  for (ssize_t n; (n = ::send(fd, piece.data(), piece.size(),
                              MSG_DONTWAIT | MSG_NOSIGNAL)) > 0;)
    filled.append(static_cast<std::size_t>(n), '.');
  return filled;
}

}  // namespace

TEST(Client, TriesEachEndpointInOrder) {
  RULE("CONNECT-1");
  Subject subject;
  std::vector<RefusedPort> refused(random_number(1, 4));
  Greeter first, second;
  Words order{"connect", kForever};
  for (const RefusedPort& nobody : refused) order.push_back(at(nobody.port()));
  order.push_back(at(first.peer.port()));
  order.push_back(at(second.peer.port()));

  Words connected = subject.ask(order);

  EXPECT_IS(hear(subject, connected), first.word)
      << "This is what the first endpoint that accepts says.";
}

TEST(Client, ReportsWhyTheLastEndpointFailed) {
  RULE("CONNECT-2");
  Subject subject;
  RefusedPort refused;
  std::string nowhere = "unix:/" + random_text(30);

  Words at_a_port =
      subject.ask({"connect", kForever, nowhere, at(refused.port())});
  Words at_a_path =
      subject.ask({"connect", kForever, at(refused.port()), nowhere});
  Words without = subject.ask({"connect", kForever});

  EXPECT_IS(at_a_port, Words{"-1 and ECONNREFUSED"}) << "The last one refuses.";
  EXPECT_IS(at_a_path, Words{"-1 and ENOENT"}) << "There is no such path.";
  EXPECT_IS(without, Words{"-1 and EINVAL"}) << "There was no endpoint.";
}

TEST(Client, LeavesNoDescriptorOfAFailedAttempt) {
  RULE("CONNECT-3");
  Subject subject;
  RefusedPort refused;
  Words order{"connect", kForever};
  order.resize(random_number(3, 12), at(refused.port()));
  subject.ask({"connect", kForever});  // it has begun
  Words before = subject.descriptors();

  Words failed = subject.ask(order);

  EXPECT_IS(failed, Words{"-1 and ECONNREFUSED"}) << "All of them refuse.";
  EXPECT_IS(subject.descriptors(), before)
      << "The process has the descriptors that it had before.";
}

TEST(Client, ReturnsABlockingCloseOnExecDescriptor) {
  RULE("CONNECT-4");
  Subject subject;
  Greeter greeter;
  NamedListener listener;

  for (const std::string& endpoint :
       {at(greeter.peer.port()), listener.endpoint()}) {
    Words connected = subject.ask({"connect", "5000", endpoint});
    ASSERT_EQ(connected[0].find(' '), std::string::npos) << connected[0];
    int flags = subject.flags(std::stoi(connected[0]));
    EXPECT_IS((flags & O_CLOEXEC) != 0, true)
        << "The kernel does not close it on exec.";
    EXPECT_IS((flags & O_NONBLOCK) != 0, false)
        << "The kernel has it as non-blocking.";
  }
}

TEST(Client, GivesUpOnASilentEndpointAndTriesTheNext) {
  RULE("CONNECT-6");
  Subject subject;
  SilentPort silent;
  Greeter greeter;

  Words alone = subject.ask({"connect", kSoon, at(silent.port())});
  Words both = subject.ask(
      {"connect", kSoon, at(silent.port()), at(greeter.peer.port())});

  EXPECT_IS(alone, Words{"-1 and ETIMEDOUT"}) << "Nobody answers there.";
  EXPECT_IS(hear(subject, both), greeter.word)
      << "This is what the second endpoint says.";
}

TEST(Client, GoesOnWithAConnectThatASignalInterrupted) {
  RULE("CONNECT-7");
  Subject subject;
  FullListener listener;
  std::string word = random_text(20);

  subject.begin({"connect", kForever, at(listener.port)});
  subject.wait_until_it_waits();
  subject.interrupt();
  Connection first = listener.accept();  // now there is room
  Connection peer = listener.accept();
  peer.send(word);
  peer.finish();

  EXPECT_IS(hear(subject, subject.answer()), word)
      << "The attempt goes on after the signal, and the peer says this.";
}

TEST(Client, UsesTheEndpointsOwnFamilyAndSize) {
  RULE("CONNECT-8");
  Subject subject;
  NamedListener listener;
  std::string word = random_text(20);

  Words connected = subject.ask({"connect", kForever, listener.endpoint()});
  ASSERT_EQ(connected[0].find(' '), std::string::npos) << connected[0];
  Connection peer(::accept(listener.fd.get(), nullptr, nullptr), "peer");
  peer.send(word);
  peer.finish();

  EXPECT_IS(hear(subject, connected), word)
      << "This is what is said at " << listener.endpoint() << ".";
}

TEST(Client, SendsEveryByteHoweverFewACallTakes) {
  RULE("SEND-1");
  Subject subject;
  TcpPair pair;
  make_small(pair);
  std::string piece = random_text(random_number(3000, 5000)), all;
  for (int i = 0; i < 300; ++i) all += piece;

  // A signal in the middle of a send makes it return what it has taken so far.
  subject.begin({"send", piece, "300"}, {pair.theirs});
  subject.wait_until_it_waits();
  subject.interrupt();
  ::close(pair.theirs);
  std::string arrived = pair.ours.receive_all();

  EXPECT_IS(arrived, all) << "This is what was to be sent.";
  EXPECT_IS(subject.answer(), Words{"true"}) << "Nothing went wrong.";
}

TEST(Client, SendsOnAfterASignal) {
  RULE("SEND-2");
  Subject subject;
  UnixPair pair;  // full is full: no buffer of a network has room later on
  std::string before = fill(pair.theirs);
  std::string word = random_text(random_number(5, 50));

  subject.begin({"send", word, "1"}, {pair.theirs});
  subject.wait_until_it_waits();
  subject.interrupt();
  ::close(pair.theirs);
  std::string arrived = pair.ours.receive_all();

  EXPECT_IS(arrived, before + word) << "The connection was full when the "
                                       "signal came. Each byte is sent once.";
  EXPECT_IS(subject.answer(), Words{"true"}) << "A signal is no failure.";
}

TEST(Client, SurvivesAPeerThatIsGone) {
  RULE("SEND-3");
  Subject subject;
  TcpPair pair;
  pair.ours.reset();
  pollfd gone{pair.theirs, 0, 0};
  ::poll(&gone, 1, -1);

  Words first = subject.ask({"send", "hello", "1"}, {pair.theirs});
  Words second = subject.ask({"send", "hello", "1"}, {pair.theirs});

  EXPECT_IS(first, Words{"false and ECONNRESET"}) << "The peer has reset it.";
  EXPECT_IS(second, Words{"false and EPIPE"}) << "It is gone for good.";
}

TEST(Client, ReceivesUntilTheEnd) {
  RULE("RECV-1");
  Subject subject;
  TcpPair pair;
  std::string all;

  subject.begin({"receive_all"}, {pair.theirs});
  for (std::size_t n = random_number(3, 10); n > 0; --n) {
    std::string piece = random_text(random_number(1, 3000));
    all += piece;
    pair.ours.send(piece);
    wait_until_taken(pair.theirs);
  }
  pair.ours.finish();

  EXPECT_IS(subject.answer(), (Words{"true", all}))
      << "This is what the peer sent, and then it ended in order.";
}

TEST(Client, TellsAResetFromTheEnd) {
  RULE("RECV-2");
  Subject subject;
  TcpPair pair;
  std::string word = random_text(random_number(5, 50));

  subject.begin({"receive_all"}, {pair.theirs});
  pair.ours.send(word);
  wait_until_taken(pair.theirs);
  pair.ours.reset();

  EXPECT_IS(subject.answer(), (Words{"false and ECONNRESET", word}))
      << "The peer sent this, and then reset the connection.";
}

TEST(Client, ReceivesOnAfterASignal) {
  RULE("RECV-3");
  Subject subject;
  TcpPair pair;
  std::string word = random_text(random_number(5, 50));

  subject.begin({"receive_all"}, {pair.theirs});
  subject.wait_until_it_waits();
  subject.interrupt();
  pair.ours.send(word);
  pair.ours.finish();

  EXPECT_IS(subject.answer(), (Words{"true", word}))
      << "A signal came before the first byte, and then the peer sent this.";
}

TEST(Client, GivesUpOnASilentPeer) {
  RULE("RECV-4");
  Subject subject;
  TcpPair pair;

  for (const char* milliseconds : {"1500", "-1", "20"})
    EXPECT_IS(subject.ask({"set_receive_timeout", milliseconds}, {pair.theirs}),
              Words{"true"})
        << "A time-out of " << milliseconds << " ms.";
  Words late = subject.ask({"receive_some"}, {pair.theirs});

  EXPECT_IS(late, Words{"-1 and ETIMEDOUT"}) << "The peer sends nothing.";
}

TEST(Client, EndsItsHalfOnly) {
  RULE("FIN-1");
  Subject subject;
  TcpPair pair;
  std::string word = random_text(random_number(5, 50));

  Words finished = subject.ask({"shutdown_write"}, {pair.theirs});
  pair.ours.expect_end();
  pair.ours.send(word);
  pair.ours.finish();

  EXPECT_IS(finished, Words{"true"}) << "The connection is open.";
  EXPECT_IS(subject.ask({"receive_all"}, {pair.theirs}), (Words{"true", word}))
      << "The way back is still open, and the peer says this.";
}
