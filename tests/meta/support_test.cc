// The tools of graded tests: faults, peers, traces, the clock, leaks.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <span>
#include <thread>
#include <vector>

#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"
#include "gtest/gtest-spi.h"

using namespace graded;

TEST(Fault, AnswersInPlaceOfTheKernel) {
  TcpPair pair;
  Fault interrupted(Call::kSend, {fails(EINTR)});
  EXPECT_EQ(::send(pair.theirs, "hello", 5, 0), -1);
  EXPECT_EQ(errno, EINTR);
  EXPECT_EQ(::send(pair.theirs, "hello", 5, 0), 5);
  ::close(pair.theirs);
  EXPECT_EQ(pair.ours.receive_all(), "hello");
}

TEST(Fault, MeetsEveryMemberOfAFamily) {
  TcpPair pair;
  pair.ours.send("0123456789");
  Fault short_counts(Call::kReceive, {always(at_most(1))});
  char buffer[10];
  iovec parts[2] = {{buffer, 5}, {buffer + 5, 5}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  EXPECT_EQ(::recv(pair.theirs, buffer, 10, 0), 1);
  EXPECT_EQ(::read(pair.theirs, buffer, 10), 1);
  EXPECT_EQ(::readv(pair.theirs, parts, 2), 1);
  EXPECT_EQ(::recvmsg(pair.theirs, &message, 0), 1);
  EXPECT_EQ(::recvfrom(pair.theirs, buffer, 10, 0, nullptr, nullptr), 1);
  ::close(pair.theirs);
}

TEST(Fault, ShortensAVectorInItsMiddle) {
  TcpPair pair;
  Fault short_count(Call::kSend, {at_most(7)});
  char one[] = "12345", two[] = "67890";
  iovec parts[2] = {{one, 5}, {two, 5}};
  EXPECT_EQ(::writev(pair.theirs, parts, 2), 7);
  ::close(pair.theirs);
  EXPECT_EQ(pair.ours.receive_all(), "1234567");
}

TEST(Fault, EditsWhatPollReports) {
  TcpPair pair;
  pair.ours.send("x");
  Fault script(Call::kPoll, {reports([](std::span<pollfd> set) {
                 set[0].revents = POLLHUP;
                 set[1].revents = POLLIN;
               })});
  pollfd set[] = {{pair.theirs, POLLIN, 0}, {pair.ours.fd(), POLLOUT, 0}};
  EXPECT_EQ(::poll(set, 2, -1), 2);
  EXPECT_EQ(set[0].revents, POLLHUP);

  EXPECT_EQ(::poll(set, 1, -1), 1);
  EXPECT_EQ(set[0].revents, POLLIN);
  ::close(pair.theirs);

  std::vector<Record> polls = calls(Call::kPoll);
  ASSERT_GE(polls.size(), 2u);
  polls.erase(polls.begin(), polls.end() - 2);
  ASSERT_EQ(polls[0].set.size(), 2u);
  EXPECT_EQ(polls[0].set[1].events, POLLOUT);
  EXPECT_EQ(polls[0].set[1].revents, POLLIN);
}

TEST(Fault, FailsATestThatNeverReachedIt) {
  EXPECT_NONFATAL_FAILURE({ Fault never(Call::kAccept, {fails(EMFILE)}); },
                          "so it did not happen");
}

TEST(Fault, LeavesTheTestsOwnCallsAlone) {
  TcpPair pair;
  Fault interrupted(Call::kSend, {fails(EINTR)});
  pair.ours.send("hello");  // a peer's call: real
  EXPECT_EQ(::send(pair.theirs, "x", 1, 0), -1);
  ::close(pair.theirs);
}

TEST(Fault, RecordsCallsInTheirOrder) {
  TcpPair pair;
  std::size_t before = calls().size();
  int on = 1;
  ::setsockopt(pair.theirs, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::shutdown(pair.theirs, SHUT_WR);
  ::close(pair.theirs);
  std::vector<Record> all = calls();
  all.erase(all.begin(), all.begin() + static_cast<long>(before));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].args, (std::vector<long>{SOL_SOCKET, SO_REUSEADDR, 1}));
  EXPECT_EQ(all[1].name, "shutdown");
  EXPECT_EQ(all[2].fd, pair.theirs);
}

TEST(Fault, AnInterruptedConnectGoesOn) {
  Peer peer([](Connection& client) { client.expect_end(); });
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(peer.port());
  Fault interrupted(Call::kConnect, {fails_after(EINTR)});
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::connect(fd, plain, sizeof address), -1);
  EXPECT_EQ(errno, EINTR);
  pollfd waited{fd, POLLOUT, 0};
  EXPECT_EQ(::poll(&waited, 1, -1), 1);
  EXPECT_EQ(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  ::close(fd);
}

TEST(Calls, AreCountedByFamily) {
  TcpPair pair;
  std::size_t before = count_calls(Call::kSend);
  ::send(pair.theirs, "a", 1, 0);
  ::send(pair.theirs, "bc", 2, 0);
  ::close(pair.theirs);
  EXPECT_EQ(count_calls(Call::kSend), before + 2);
  EXPECT_TRUE(last_call(Call::kSend).returned);
  EXPECT_EQ(last_call(Call::kSend).result, 2);
}

TEST(Calls, CanBeWaitedFor) {
  TcpPair pair;
  std::size_t before = calls(Call::kReceive).size();
  std::thread reader([&] {
    char byte;
    EXPECT_EQ(::recv(pair.theirs, &byte, 1, 0), 1);
  });
  wait_for_calls(Call::kReceive, before + 1);
  pair.ours.send("x");
  reader.join();
  ::close(pair.theirs);
}

TEST(Descriptors, FindsALeakAndNotThePeersOwn) {
  DescriptorCheck check;
  TcpPair pair;
  EXPECT_EQ(check.left_open().size(), 1u);  // pair.theirs: nobody's own yet
  ::close(pair.theirs);
  EXPECT_TRUE(check.left_open().empty());
  int leak = ::dup(0);
  EXPECT_EQ(check.left_open().size(), 1u);
  ::close(leak);
}

TEST(Clock, LetsAnHourPassAtOnce) {
  VirtualClock clock;
  timespec before, after;
  ::clock_gettime(CLOCK_MONOTONIC, &before);
  EXPECT_EQ(::poll(nullptr, 0, 3600000), 0);
  ::clock_gettime(CLOCK_MONOTONIC, &after);
  EXPECT_EQ(after.tv_sec - before.tv_sec, 3600);
  EXPECT_EQ(clock.milliseconds(), 3600000);
}

TEST(Clock, ReportsWhatIsReadyWithoutMoving) {
  TcpPair pair;
  pair.ours.send("x");
  pollfd waited{pair.theirs, POLLIN, 0};
  {
    Unwatched ours;
    ::poll(&waited, 1, -1);
  }
  VirtualClock clock;
  EXPECT_EQ(::poll(&waited, 1, 1000), 1);
  EXPECT_EQ(clock.milliseconds(), 0);
  ::close(pair.theirs);
}

TEST(Clock, FailsWhereACodeWouldWaitForEver) {
  VirtualClock clock;
  EXPECT_THROW(::poll(nullptr, 0, -1), std::runtime_error);
}

TEST(Trace, ComparesOrder) {
  Trace trace;
  trace.add("connect");
  trace.add("data ", 5);
  EXPECT_TRUE(trace.is({"connect", "data 5"}));
  EXPECT_FALSE(trace.is({"data 5", "connect"}));
  EXPECT_FALSE(trace.is({"connect"}));
}

TEST(Compare, SaysWhereLongTextsDiffer) {
  std::string a(200, 'x'), b = a;
  b[150] = 'y';
  EXPECT_NE(first_difference(a, b).find("byte 150"), std::string::npos);
  EXPECT_EQ(in_quotes("a\n\"\x01"), "\"a\\n\\\"\\x01\"");
}

TEST(Peers, ASilentPortNeverAnswers) {
  SilentPort silent;
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(silent.port());
  ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  pollfd waited{fd, POLLOUT, 0};
  EXPECT_EQ(::poll(&waited, 1, 50), 0);
  ::close(fd);
}

TEST(Peers, AResetIsAReset) {
  TcpPair pair;
  pair.ours.reset();
  pollfd waited{pair.theirs, 0, 0};
  ::poll(&waited, 1, -1);
  char byte;
  EXPECT_EQ(::recv(pair.theirs, &byte, 1, 0), -1);
  EXPECT_EQ(errno_name(errno), "ECONNRESET");
  ::close(pair.theirs);
}

TEST(Peers, RandomBytesFollowTheSeed) {
  EXPECT_EQ(random_bytes(100).size(), 100u);
  EXPECT_EQ(seed(), 1u);
}
