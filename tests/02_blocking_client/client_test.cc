#include "chapters/02_blocking_client/client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"

using namespace graded;
using std::chrono::milliseconds;

namespace {

net::Endpoint at(std::uint16_t port) {
  return net::Endpoint::parse("127.0.0.1:" + std::to_string(port));
}

// "connected", or "-1 and ECONNREFUSED": what the call returned.
std::string outcome(int fd) {
  std::string reason = errno_name(errno);
  if (fd < 0) return "-1 and " + reason;
  sockaddr_storage peer;
  socklen_t size = sizeof peer;
  bool connected =
      ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
  return connected ? "connected" : "a descriptor without a connection";
}

std::string outcome(bool done) {
  std::string reason = errno_name(errno);
  return done ? "true" : "false and " + reason;
}

// What the first connection hears; a peer that says its own name.
Peer::Script says(std::string name) {
  return [name](Connection& client) {
    client.send(name);
    client.finish();
  };
}

// What comes through `fd` until its end; closes it.
std::string hear(int fd) {
  Unwatched ours;
  ::fcntl(fd, F_SETFL, 0);  // CONNECT-4 is another test's
  return Connection(fd, "test").receive_all();
}

// Closes it on the test's account.
void drop(int fd) {
  Unwatched ours;
  ::close(fd);
}

// A listening unix socket, at a name of the abstract namespace that the kernel
// chooses (unix(7)).
OwnFd named_listener() {
  Unwatched ours;
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr name{};
  name.sa_family = AF_UNIX;
  EXPECT_EQ(::bind(fd, &name, sizeof name.sa_family), 0);
  EXPECT_EQ(::listen(fd, 1), 0);
  return OwnFd(fd);
}

net::Endpoint name_of(const OwnFd& listener) {
  sockaddr_storage name;
  socklen_t size = sizeof name;
  auto* address = reinterpret_cast<sockaddr*>(&name);
  EXPECT_EQ(::getsockname(listener.get(), address, &size), 0);
  return net::Endpoint::from(address, size);
}

int plain_connection(std::uint16_t port) {
  Unwatched ours;
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::connect(fd, at(port).address(), at(port).size());
  return fd;
}

}  // namespace

TEST(Client, TriesEachEndpointInOrder) {
  RULE("CONNECT-1");
  RefusedPort refused;
  Peer first({says("first")}, {}), second({}, {});

  int fd = net::connect_any(
      {at(refused.port()), at(first.port()), at(second.port())});

  ASSERT_IS(outcome(fd), "connected")
      << "The first endpoint refuses, but the second one accepts.";
  EXPECT_IS(hear(fd), "first")
      << "The second endpoint accepts, so the third is not needed.";
}

TEST(Client, ReportsWhyTheLastEndpointFailed) {
  RULE("CONNECT-2");
  RefusedPort refused;
  Fault no_route(Call::kConnect, {fails(ENETUNREACH)});

  int fd = net::connect_any({at(refused.port()), at(refused.port())});
  std::string two_failed = outcome(fd);
  errno = ENOENT;
  fd = net::connect_any({});
  std::string none = outcome(fd);

  EXPECT_IS(two_failed, "-1 and ECONNREFUSED")
      << "There was no route to the first endpoint (ENETUNREACH), and the last "
         "one refused.";
  EXPECT_IS(none, "-1 and EINVAL")
      << "The list of endpoints is empty, so no call can have set errno.";
}

TEST(Client, LeavesNoDescriptorOfAFailedAttempt) {
  RULE("CONNECT-3");
  RefusedPort refused;
  DescriptorCheck descriptors;

  net::Endpoint nobody = at(refused.port());
  int fd = net::connect_any({nobody, nobody, nobody});

  EXPECT_IS(fd, -1) << "All three endpoints refuse.";
  EXPECT_IS(descriptors.left_open(), std::vector<std::string>())
      << "All three attempts failed; none of them may leave a descriptor open.";
}

TEST(Client, ReturnsABlockingCloseOnExecDescriptor) {
  RULE("CONNECT-4");
  Peer peer({says("")}, {});
  OwnFd listener = named_listener();

  int fd = net::connect_any({at(peer.port())}, milliseconds(5000));
  // A unix socket is connected as soon as connect() returns.
  int at_once = net::connect_any({name_of(listener)}, milliseconds(5000));

  ASSERT_IS(outcome(fd), "connected") << "The peer accepts.";
  bool close_on_exec = ::fcntl(fd, F_GETFD) & FD_CLOEXEC;
  bool blocking = !(::fcntl(fd, F_GETFL) & O_NONBLOCK) &&
                  !(at_once >= 0 && ::fcntl(at_once, F_GETFL) & O_NONBLOCK);
  EXPECT_IS(close_on_exec, true)
      << "A program started with exec() inherits the connection: the peer "
         "sees no end until that program ends too.";
  EXPECT_IS(blocking, true)
      << "The caller is promised a blocking descriptor, also where connect() "
         "was done at once.";
  drop(fd);
  drop(at_once);
}

TEST(Client, KeepsErrnoWhileItCleansUp) {
  RULE("CONNECT-5");
  RefusedPort refused;
  Fault close_says_eio(Call::kClose, {fails_after(EIO)});

  int fd = net::connect_any({at(refused.port())});

  EXPECT_IS(outcome(fd), "-1 and ECONNREFUSED")
      << "The connection was refused. That close() then set errno too is "
         "nothing the caller asked for.";
}

TEST(Client, GivesUpOnASilentEndpointAndTriesTheNext) {
  RULE("CONNECT-6");
  SilentPort silent;
  Peer peer({says("hello")}, {});

  int alone = net::connect_any({at(silent.port())}, milliseconds(50));
  std::string outcome_alone = outcome(alone);
  int fd =
      net::connect_any({at(silent.port()), at(peer.port())}, milliseconds(50));

  EXPECT_IS(outcome_alone, "-1 and ETIMEDOUT")
      << "The endpoint never answers; the time-out was 50 ms.";
  ASSERT_IS(outcome(fd), "connected")
      << "The first endpoint never answers, but the second one accepts. An "
         "attempt "
         "with a limit starts without waiting: step 02.3.";
  EXPECT_IS(hear(fd), "hello") << "This is what the second endpoint sends.";
}

TEST(Client, GoesOnWithAConnectThatASignalInterrupted) {
  RULE("CONNECT-7");
  Peer peer({says("hello")}, {});
  Fault interrupted(Call::kConnect, {fails_after(EINTR)});

  int fd = net::connect_any({at(peer.port())});

  ASSERT_IS(outcome(fd), "connected")
      << "A signal interrupted connect(); the attempt goes on all the same.";
  EXPECT_IS(hear(fd), "hello") << "This is what the peer sends.";
}

TEST(Client, UsesTheEndpointsOwnFamilyAndSize) {
  RULE("CONNECT-8");
  OwnFd listener = named_listener();
  net::Endpoint endpoint = name_of(listener);

  int fd = net::connect_any({endpoint});

  EXPECT_IS(outcome(fd), "connected")
      << "This endpoint is no IPv4 address but " << endpoint.to_string()
      << ", whose structure has another family and another size.";
  drop(fd);
}

TEST(Client, SendsEveryByteHoweverFewACallTakes) {
  RULE("SEND-1");
  TcpPair pair;
  std::string request = random_text(random_number(80, 120));
  Fault short_count(Call::kSend, {always(at_most(7))});

  bool sent = net::send_all(pair.theirs, request);

  EXPECT_IS(outcome(sent), "true") << "Nothing went wrong.";
  drop(pair.theirs);
  std::string arrived = pair.ours.receive_all();
  EXPECT_IS(arrived, request)
      << "send() takes at most 7 bytes at a time here, and says so by its "
         "result.";
}

TEST(Client, SendsOnAfterASignal) {
  RULE("SEND-2");
  TcpPair pair;
  Fault interrupted(Call::kSend, {fails(EINTR)});

  bool sent = net::send_all(pair.theirs, "hello");

  EXPECT_IS(outcome(sent), "true")
      << "send() said EINTR: a signal came before the first byte.";
  drop(pair.theirs);
  std::string arrived = pair.ours.receive_all();
  EXPECT_IS(arrived, "hello") << "Each byte is sent once, none twice.";
}

TEST(Client, SurvivesAPeerThatIsGone) {
  RULE("SEND-3");
  TcpPair pair;
  pair.ours.reset();
  pollfd gone{pair.theirs, 0, 0};
  {
    Unwatched ours;
    ::poll(&gone, 1, -1);
  }

  bool first = net::send_all(pair.theirs, "hello");
  bool second = net::send_all(pair.theirs, "hello");

  EXPECT_IS(first, false) << "The peer has reset the connection.";
  EXPECT_IS(outcome(second), "false and EPIPE")
      << "The connection is gone for good, and the caller is told so.";
}

TEST(Client, ReceivesUntilTheEnd) {
  RULE("RECV-1");
  TcpPair pair;
  pair.ours.send("hello, world");
  pair.ours.finish();
  Fault short_count(Call::kReceive, {always(at_most(3))});
  std::string reply;

  bool clean = net::receive_all(pair.theirs, reply);

  EXPECT_IS(reply, "hello, world")
      << "recv() gives at most 3 bytes at a time here: a stream comes in "
         "pieces that have nothing to do with what the peer sent at once.";
  EXPECT_IS(outcome(clean), "true") << "The peer ended in order, with FIN.";
}

TEST(Client, TellsAResetFromTheEnd) {
  RULE("RECV-2");
  TcpPair pair;
  pair.ours.send("hello");
  Fault reset(Call::kReceive, {at_most(5), fails(ECONNRESET)});
  std::string reply;

  bool clean = net::receive_all(pair.theirs, reply);

  EXPECT_IS(outcome(clean), "false and ECONNRESET")
      << "After 5 bytes the peer reset the connection. Whatever it still had "
         "to say is lost, and the caller must know.";
  EXPECT_IS(reply, "hello") << "What came before the reset is kept.";
}

TEST(Client, ReceivesOnAfterASignal) {
  RULE("RECV-3");
  TcpPair pair;
  pair.ours.send("hello");
  pair.ours.finish();
  Fault interrupted(Call::kReceive, {fails(EINTR)});
  std::string reply;

  bool clean = net::receive_all(pair.theirs, reply);

  EXPECT_IS(outcome(clean), "true")
      << "recv() said EINTR: a signal came before the first byte.";
  EXPECT_IS(reply, "hello") << "This is what the peer sent.";
}

TEST(Client, GivesUpOnASilentPeer) {
  RULE("RECV-4");
  TcpPair pair;
  char buffer[16];

  for (milliseconds timeout : {milliseconds(1500), net::kForever})
    EXPECT_IS(net::set_receive_timeout(pair.theirs, timeout), true)
        << "A timeval takes microseconds below one million, and nothing below "
           "zero; this time-out is "
        << timeout.count() << " ms.";
  ASSERT_IS(net::set_receive_timeout(pair.theirs, milliseconds(20)), true)
      << "Every socket takes a time-out.";
  ssize_t n = net::receive_some(pair.theirs, buffer, sizeof buffer);
  std::string reason = errno_name(errno);

  EXPECT_IS(n, -1) << "The peer is connected, but sends nothing.";
  EXPECT_IS(reason, "ETIMEDOUT")
      << "The time-out of 20 ms is over. A socket with SO_RCVTIMEO says "
         "EAGAIN then, which nobody would take for a time-out.";
}

TEST(Client, EndsItsHalfOnly) {
  RULE("FIN-1");
  Peer peer([](Connection& client) {
    client.expect_end();
    client.send("goodbye");
    client.finish();
  });
  int fd = plain_connection(peer.port());

  bool finished = net::shutdown_write(fd);

  EXPECT_IS(outcome(finished), "true") << "The connection is open.";
  EXPECT_IS(hear(fd), "goodbye")
      << "The peer answers when it has read the end of the request: it must "
         "see FIN, and the way back must stay open.";
}
