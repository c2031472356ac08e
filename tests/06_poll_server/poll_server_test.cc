#include "chapters/06_poll_server/poll_server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"

using namespace graded;

namespace {

constexpr std::size_t kPiece = net::PollServer::kPiece;

bool is_ready(int fd, short events) {
  Unwatched ours;
  pollfd waited{fd, events, 0};
  return ::poll(&waited, 1, 0) > 0;
}

void small_buffers(int fd) {
  int bytes = 32 * 1024;
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

enum class Buffers { kAsTheyAre, kSmall };

// A listening socket of 127.0.0.1, which the code under test takes over. (It is
// blocking, as listen_on() made it.)
int listening_socket(Buffers buffers = Buffers::kAsTheyAre) {
  Unwatched ours;
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (buffers == Buffers::kSmall) small_buffers(fd);  // the clients inherit it
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, any, sizeof address) < 0 || ::listen(fd, 1024) < 0)
    throw std::runtime_error("the test's own listen()");
  return fd;
}

std::uint16_t port_of(int fd) {
  Unwatched ours;
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// A client whose kernel keeps little for it.
Connection small_client(std::uint16_t port, std::string name) {
  Unwatched ours;
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  small_buffers(fd);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  auto* server = reinterpret_cast<sockaddr*>(&address);
  if (::connect(fd, server, sizeof address) < 0)
    throw std::runtime_error("the test cannot connect");
  step(name, "connects");
  return Connection(fd, name);
}

// What comes back for `text`: as many bytes, or how it ended before that.
std::string echo_of(Connection& client, const std::string& text) {
  Unwatched ours;
  ::send(client.fd(), text.data(), text.size(), MSG_NOSIGNAL);
  std::string got;
  char buffer[1000];
  while (got.size() < text.size()) {
    std::size_t most = std::min(sizeof buffer, text.size() - got.size());
    ssize_t n = ::recv(client.fd(), buffer, most, 0);
    if (n == 0) return got + " and then the end";
    if (n < 0) return got + " and then " + errno_name(errno);
    got.append(buffer, static_cast<std::size_t>(n));
  }
  return got;
}

// The descriptors that accept() gave to the code under test, in their order.
std::vector<int> accepted() {
  std::vector<int> fds;
  for (const Record& call : calls(Call::kAccept))
    if (call.returned && call.result >= 0)
      fds.push_back(static_cast<int>(call.result));
  return fds;
}

// Its entry in a poll set, or nothing.
std::optional<pollfd> entry_of(std::span<const pollfd> set, int fd) {
  for (const pollfd& one : set)
    if (one.fd == fd) return one;
  return std::nullopt;
}

// What the latest poll() asks for `fd`.
std::optional<pollfd> latest_entry(int fd) {
  return entry_of(last_call(Call::kPoll).set, fd);
}

std::string asked_text(short events) {
  std::string text = events & POLLIN ? "POLLIN" : "";
  if (events & POLLOUT) text += text.empty() ? "POLLOUT" : " and POLLOUT";
  return text.empty() ? "nothing" : text;
}

// What each poll() asked for `fd`, without repetitions.
std::vector<std::string> asked_for(int fd) {
  std::vector<std::string> asked;
  for (const Record& call : calls(Call::kPoll)) {
    auto entry = entry_of(call.set, fd);
    if (!entry) continue;
    std::string text = asked_text(entry->events);
    if (asked.empty() || asked.back() != text) asked.push_back(text);
  }
  return asked;
}

std::size_t moved(const Record& call) {
  return call.result > 0 ? static_cast<std::size_t>(call.result) : 0;
}

// All that came from `fd`.
std::size_t received_from(int fd) {
  std::size_t bytes = 0;
  for (const Record& call : calls(Call::kReceive))
    if (call.fd == fd) bytes += moved(call);
  return bytes;
}

// The first poll() that asks for POLLIN of `fd` while `limit` bytes wait, or
// does not while fewer do; "" if there is none.
std::string wrongly_asked(int fd, std::size_t limit) {
  std::size_t waiting = 0;
  for (const Record& call : calls()) {
    if (call.fd == fd && call.family == Call::kReceive) waiting += moved(call);
    if (call.fd == fd && call.family == Call::kSend) waiting -= moved(call);
    auto entry = entry_of(call.set, fd);
    if (!entry || bool(entry->events & POLLIN) == (waiting < limit)) continue;
    return asked_text(entry->events) + " while " + std::to_string(waiting) +
           " bytes waited";
  }
  return "";
}

bool end_received_from(int fd) {
  for (const Record& call : calls(Call::kReceive))
    if (call.fd == fd && call.returned && call.result == 0) return true;
  return false;
}

// A PollServer that runs in a thread of its own.
class Server {
 public:
  struct Options {
    std::size_t max_output = 256 * 1024;
    Buffers buffers = Buffers::kAsTheyAre;
  };

  Server() : Server(Options()) {}
  explicit Server(Options options)
      : listener_(listening_socket(options.buffers)),
        port_(port_of(listener_)),
        max_output_(options.max_output) {}
  ~Server() { stop(); }

  void start() {
    thread_ = std::thread([this] { serve(); });
  }

  void stop() {
    if (!thread_.joinable()) return;
    stop_now();
    thread_.join();
  }
  void stop_now() { stop_.now(); }

  int listener() const { return listener_; }
  std::uint16_t port() const { return port_; }
  Connection client(const std::string& name) {
    return Connection::to_port(port_, name);
  }

  // Waits for something that the server does. Looked at whenever it comes to
  // poll().
  void until(const std::function<bool()>& done) {
    while (true) {
      std::size_t polls = count_calls(Call::kPoll);
      if (done()) return;
      is_waited_for_ = true;
      if (ended_) throw std::runtime_error("the server's run() has ended");
      wait_for_calls(Call::kPoll, polls + 1);
    }
  }

  // Waits until the server waits. The poll() in which it does has begun: a
  // script that is made now meets the next one.
  void rest() {
    until([] {
      Record latest = last_call(Call::kPoll);
      return !latest.name.empty() && !latest.returned;
    });
  }

 private:
  void serve() {
    try {
      net::PollServer server(net::Fd(listener_), max_output_);
      server.run(stop_.fd());
    } catch (const std::exception& error) {
      ADD_FAILURE() << "the server has ended: " << error.what();
    }
    ended_ = true;
    if (is_waited_for_) ::poll(nullptr, 0, 0);  // ends the wait of until()
  }

  Stop stop_;
  int listener_;
  std::uint16_t port_;
  std::size_t max_output_;
  std::atomic<bool> ended_{false}, is_waited_for_{false};
  std::thread thread_;
};

}  // namespace

TEST(PollServer, ServesEachClientWhateverTheOthersDo) {
  RULE("MANY-1");
  Server server({.buffers = Buffers::kSmall});
  Connection silent = server.client("silent");
  Connection deaf = small_client(server.port(), "deaf");
  Connection talker = server.client("talker");
  server.start();
  // Sends and never reads, until there is no room for its echo.
  auto refused = [] {
    for (const Record& call : calls(Call::kSend))
      if (call.error == EAGAIN) return true;
    return false;
  };
  while (!refused()) deaf.fill();

  std::string sent = random_bytes(20000);
  talker.send(sent);
  std::string talkers = talker.receive(sent.size());
  std::string silents = echo_of(silent, "now me");

  EXPECT_IS(talkers, sent)
      << "The first client is silent, the second one sends without ever "
         "reading. This is the third one's echo.";
  EXPECT_IS(silents, "now me") << "The first client begins to talk.";
}

TEST(PollServer, ServesAThousandAtOnce) {
  RULE("MANY-2");
  constexpr int kClients = 1000;
  constexpr rlim_t kNeeded = 2 * kClients + 100;  // both ends are in this test
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::getrlimit(RLIMIT_NOFILE, &files);
  ASSERT_IS(files.rlim_cur >= kNeeded, true)
      << "This is not about your code. The test needs " << kNeeded
      << " descriptors, and this system lets it have " << files.rlim_cur
      << " (ulimit -Hn). Raise the hard limit, and run it again.";
  Server server;
  server.start();

  std::vector<OwnFd> clients;
  int right = 0;
  {
    Unwatched ours;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(server.port());
    auto* where = reinterpret_cast<sockaddr*>(&address);
    auto text = [](int i) { return std::to_string(100000 + i); };
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      if (::connect(clients[i].get(), where, sizeof address) < 0)
        throw std::runtime_error("the test cannot connect: " +
                                 errno_name(errno));
    }
    for (int i = 0; i < kClients; ++i)
      ::send(clients[i].get(), text(i).data(), text(i).size(), MSG_NOSIGNAL);
    for (int i = 0; i < kClients; ++i) {
      char got[7] = {};
      ::recv(clients[i].get(), got, 6, MSG_WAITALL);
      right += got == text(i);
    }
  }

  EXPECT_IS(right, kClients)
      << "So many clients connect. Then each sends a number of its own, and "
         "then each looks whether its number has come back.";
}

TEST(PollServer, HoldsNothingThatCouldWait) {
  RULE("NONBLOCK-1");
  Server server;
  server.start();
  Connection client = server.client("client");
  ASSERT_IS(echo_of(client, "hello"), "hello") << "One client, and one word.";

  int fd = accepted().at(0);
  auto blocks = [](int number) {
    return ::fcntl(number, F_GETFL) & O_NONBLOCK ? "non-blocking" : "blocking";
  };

  EXPECT_IS(blocks(server.listener()), std::string("non-blocking"))
      << "A client can be gone between poll() and accept(). On a blocking "
         "listener, accept() then waits for the next one, and all clients with "
         "it.";
  EXPECT_IS(blocks(fd), std::string("non-blocking"))
      << "recv() and send() on a blocking client wait when poll() has reported "
         "too much. accept4() has a flag for it; that of the listener is not "
         "inherited.";
  EXPECT_IS(bool(::fcntl(fd, F_GETFD) & FD_CLOEXEC), true)
      << "A program that is started with exec() inherits the client.";
}

TEST(PollServer, TakesNothingToReadForNothingToRead) {
  RULE("NONBLOCK-2");
  Server server;
  server.start();
  Connection quiet = server.client("quiet");
  ASSERT_IS(echo_of(quiet, "a"), "a") << "A first word.";
  Connection talker = server.client("talker");
  ASSERT_IS(echo_of(talker, "b"), "b") << "A first word.";
  int fd = accepted().at(0);
  server.rest();
  Fault too_much(Call::kPoll, {reports([fd](std::span<pollfd> set) {
                   for (pollfd& one : set)
                     if (one.fd == fd) one.revents |= POLLIN;
                 })});
  for (const char* word : {"c", "d"}) {  // "d" ends the poll() of the script
    ASSERT_IS(echo_of(talker, word), word) << "Another client talks.";
    server.rest();
  }

  std::string answer = echo_of(quiet, "still here");

  EXPECT_IS(answer, "still here")
      << "poll() reported POLLIN for this client, and nothing was there: "
         "recv() "
         "is -1 with EAGAIN, which is neither an end nor an error. (Linux does "
         "that, for instance, when a checksum turns out to be wrong.)";
}

TEST(PollServer, AnswersInTheSameRound) {
  RULE("OUT-1");
  Server server;
  server.start();
  Connection client = server.client("client");
  client.send("hello");
  client.expect("hello");

  std::string next = "nothing";
  bool received = false;
  for (const Record& call : calls()) {
    if (received && (call.family == Call::kSend || call.family == Call::kPoll))
      next = call.family == Call::kSend ? "send" : "poll";
    if (next != "nothing") break;
    received = received || (call.family == Call::kReceive && call.result > 0);
  }

  EXPECT_IS(next, "send")
      << "Of send() and poll(), this came first after the word was received. "
         "The kernel has room nearly always: try, before you wait for it.";
}

TEST(PollServer, SendsTheRestLater) {
  RULE("OUT-2");
  for (auto [refusal, words] :
       {std::pair{at_most(100), "send() took 100 of 1000 bytes"},
        std::pair{fails(EAGAIN), "send() said EAGAIN to 1000 bytes"},
        std::pair{fails(EINTR), "a signal interrupted send(): EINTR"}}) {
    Server server;
    server.start();
    Connection client = server.client("client");
    std::string first = random_bytes(1000);
    ASSERT_IS(echo_of(client, "."), ".") << "A first byte.";
    int fd = accepted().back();
    std::size_t before = received_from(fd);
    Fault no_room(Call::kSend, {refusal});

    client.send(first);
    server.until([&] { return received_from(fd) >= before + first.size(); });
    client.send(std::string(1000, 'z'));

    EXPECT_IS(client.receive(first.size()), first)
        << words << ", and there was room again afterwards. The client has sent"
        << " 1000 times 'z' since then, which come behind them.";
  }
}

TEST(PollServer, AsksForRoomOnlyWhenItNeedsIt) {
  RULE("OUT-3");
  Server server;
  server.start();
  Connection client = server.client("client");
  ASSERT_IS(echo_of(client, "a"), "a") << "A first word.";
  server.rest();
  {
    Fault no_room(Call::kSend, {fails(EAGAIN)});
    ASSERT_IS(echo_of(client, "b"), "b")
        << "send() said EAGAIN to this word, and there was room afterwards.";
    server.rest();
  }
  ASSERT_IS(echo_of(client, "c"), "c") << "A third word.";
  server.rest();
  server.stop();

  EXPECT_IS(
      asked_for(accepted().at(0)),
      (std::vector<std::string>{"POLLIN", "POLLIN and POLLOUT", "POLLIN"}))
      << "This is what poll() was asked for about the client: something waited "
         "for room only when send() had said EAGAIN. A socket has room nearly "
         "always: whoever asks without need is never idle.";
}

TEST(PollServer, KeepsLittleForAClientThatDoesNotRead) {
  RULE("SLOW-1");
  constexpr std::size_t kLimit = 100 * 1000;
  constexpr std::size_t kTooMuch = 4 << 20;
  Server server({.max_output = kLimit, .buffers = Buffers::kSmall});
  server.start();
  Connection client = small_client(server.port(), "deaf");
  ASSERT_IS(echo_of(client, "."), ".") << "A first byte.";
  int fd = accepted().at(0);
  // What becomes of a client that sends as long as it can.
  std::string outcome = "it is read from";
  for (std::size_t sent = 0; outcome == "it is read from" && sent < kTooMuch;) {
    sent += client.fill();
    auto entry = latest_entry(fd);
    if (!entry) outcome = "it is closed";
    if (entry && !(entry->events & POLLIN)) outcome = "it has to wait";
  }
  std::size_t kept = 0, most = 0;
  for (const Record& call : calls()) {
    if (call.fd != fd) continue;
    if (call.family == Call::kReceive) kept += moved(call);
    if (call.family == Call::kSend) kept -= moved(call);
    most = std::max(most, kept);
  }

  ASSERT_IS(outcome, "it has to wait")
      << "The client sends and never reads its echo. When " << kLimit
      << " bytes wait for it, POLLIN is not to be asked for any more: the "
         "kernel's buffers fill up, and then the client cannot send. The test "
         "gave up after 4 MiB.";
  std::size_t most_kept = std::max(most, kLimit + kPiece);
  EXPECT_IS(most_kept, kLimit + kPiece)
      << "So much was received and not sent at the worst moment. max_output is "
      << kLimit << ", and one piece more is allowed.";
}

TEST(PollServer, ReadsOnWhenTheClientDoes) {
  RULE("SLOW-1");
  constexpr std::size_t kLimit = 100 * 1000;
  Server server({.max_output = kLimit, .buffers = Buffers::kSmall});
  server.start();
  Connection client = small_client(server.port(), "late");
  std::string sent = random_bytes(600 * 1000);
  std::thread sender([&] {
    Unwatched ours;
    std::string_view rest = sent;
    ssize_t n;
    while (!rest.empty() && (n = ::send(client.fd(), rest.data(), rest.size(),
                                        MSG_NOSIGNAL)) > 0)
      rest.remove_prefix(static_cast<std::size_t>(n));
  });
  // Until the server has had enough, or has ended.
  std::string problem;
  try {
    server.until([] {
      std::vector<int> fds = accepted();
      auto entry = fds.empty() ? std::nullopt : latest_entry(fds[0]);
      return entry && !(entry->events & POLLIN);
    });
  } catch (const std::runtime_error& error) {
    problem = error.what();
  }

  std::string got;
  {
    Unwatched ours;
    char buffer[10000];
    ssize_t n;
    while (got.size() < sent.size() &&
           (n = ::recv(client.fd(), buffer, sizeof buffer, 0)) > 0)
      got.append(buffer, static_cast<std::size_t>(n));
  }
  ::shutdown(client.fd(), SHUT_RDWR);
  sender.join();

  ASSERT_IS(problem, "") << "The server was to wait for its client.";
  EXPECT_IS(got, sent)
      << "The client did not read until the server had stopped reading from "
         "it. Then it reads: there is room again, and reading goes on.";
  EXPECT_IS(wrongly_asked(accepted().at(0), kLimit), std::string())
      << "max_output is " << kLimit
      << ": POLLIN is asked for whenever fewer bytes wait, and only then.";
}

TEST(PollServer, SendsTheWholeEchoAfterTheEnd) {
  RULE("TAIL-1");
  Server server({.max_output = 4 << 20, .buffers = Buffers::kSmall});
  server.start();
  Connection client = small_client(server.port(), "client");
  std::string sent = random_bytes(500 * 1000);

  client.send(sent);
  client.finish();
  server.until([] {
    std::vector<int> fds = accepted();
    return !fds.empty() && end_received_from(fds[0]);
  });
  std::string got = client.receive_all();
  server.stop();

  EXPECT_IS(got, sent)
      << "The client has sent 500,000 bytes and FIN, and reads only now. When "
         "recv() returned 0, most of its echo was waiting still.";
  std::vector<std::string> asked = asked_for(accepted().at(0));
  EXPECT_IS(asked.back(), "POLLOUT")
      << "This was asked for last about the client. Nothing more will come "
         "from it, so with POLLIN poll() returns at once, for ever.";
}

TEST(PollServer, ClosesWhoIsGoneWhicheverBitSaysSo) {
  RULE("GONE-1");
  for (auto [bit, name] :
       {std::pair<short, const char*>{POLLHUP, "POLLHUP"},
        std::pair<short, const char*>{POLLERR, "POLLERR"},
        std::pair<short, const char*>{POLLNVAL, "POLLNVAL"}}) {
    Server server;
    server.start();
    Connection leaver = server.client("leaver");
    ASSERT_IS(echo_of(leaver, "a"), "a") << "A first word.";
    int fd = accepted().back();
    Connection other = server.client("other");
    ASSERT_IS(echo_of(other, "b"), "b") << "A first word.";
    std::atomic<int> rounds = 0;
    server.rest();
    {
      Fault one_bit_only(Call::kPoll,
                         {always(reports([&, bit = bit](std::span<pollfd> set) {
                           for (pollfd& entry : set) {
                             if (entry.fd != fd) continue;
                             if (!(entry.revents & (POLLHUP | POLLERR)))
                               continue;
                             entry.revents = bit;
                             if (++rounds == 20) server.stop_now();
                           }
                         }))});
      ASSERT_IS(echo_of(other, "c"), "c") << "Another client talks.";
      server.rest();
      leaver.reset();
      server.until([&] { return !latest_entry(fd); });
    }

    std::string answer = echo_of(other, "d");

    EXPECT_IS(answer, "d")
        << "One client has reset its connection, and poll() said " << name
        << " about it, alone. It has to leave the poll set; after 20 rounds "
           "with it the test ends the server. The other client stays.";
  }
}

TEST(PollServer, OutlivesAClientThatHasEndedAndGoes) {
  RULE("GONE-1");
  Server server({.max_output = 4 << 20, .buffers = Buffers::kSmall});
  server.start();
  Connection leaver = small_client(server.port(), "leaver");
  step("test", "leaver sends 500,000 bytes and FIN, and then goes");
  leaver.send(random_bytes(500 * 1000));
  leaver.finish();
  server.until([] {
    std::vector<int> fds = accepted();
    return !fds.empty() && end_received_from(fds[0]);
  });
  Connection other = server.client("other");
  ASSERT_IS(echo_of(other, "a"), "a") << "A first word.";
  leaver.reset();
  server.until([fd = accepted().at(0)] { return !latest_entry(fd); });

  std::string answer = echo_of(other, "b");

  EXPECT_IS(answer, "b")
      << "Most of the echo was waiting when the client reset its connection. "
         "send() says EPIPE then, and must not raise SIGPIPE, which ends the "
         "process.";
}

TEST(PollServer, LeavesANumberAloneThatIsNotItsOwnAnyMore) {
  RULE("GONE-1");
  Server server;
  server.start();
  Connection client = server.client("client");
  ASSERT_IS(echo_of(client, "a"), "a") << "A first word.";
  int fd = accepted().at(0);
  Connection other = server.client("other");
  ASSERT_IS(echo_of(other, "b"), "b") << "A first word.";
  Stop stranger;
  server.rest();
  Fault not_open(Call::kPoll, {reports([&](std::span<pollfd> set) {
                   Unwatched ours;
                   ::dup2(stranger.fd(), fd);
                   for (pollfd& one : set)
                     if (one.fd == fd) one.revents = POLLNVAL;
                 })});
  for (const char* word : {"c", "d"}) {  // "d" ends the poll() of the script
    ASSERT_IS(echo_of(other, word), word) << "Another client talks.";
    server.rest();
  }
  server.stop();

  bool is_open = ::fcntl(fd, F_GETFD) >= 0;

  EXPECT_IS(is_open, true)
      << "poll() said POLLNVAL about a client: somebody else had closed its "
         "descriptor, "
      << fd
      << ". Then the number became that of a pipe, which your code has closed. "
         "Forget such a client, and leave the number alone.";
}

TEST(PollServer, ReadsWhatWasSentBeforeAHangUp) {
  RULE("GONE-2");
  Server server;
  Connection client = server.client("client");
  std::string sent = random_bytes(100 * 1000);
  client.send(sent);
  client.finish();
  Fault hang_up(
      Call::kPoll, {always(reports([](std::span<pollfd> set) {
        std::vector<int> fds = accepted();
        for (pollfd& one : set)
          if (!fds.empty() && one.fd == fds[0] && one.revents & POLLIN)
            one.revents |= POLLHUP;
      }))});
  server.start();

  EXPECT_IS(client.receive_all(), sent)
      << "The client has sent 100,000 bytes and FIN. poll() reports POLLIN and "
         "POLLHUP together: there is something to read, and who closes at once "
         "loses it. (Some systems report a FIN this way.)";
}

TEST(PollServer, AppliesNothingToASuccessor) {
  RULE("REUSE-1");
  Server server;
  server.start();
  Connection first = server.client("first");
  ASSERT_IS(echo_of(first, "a"), "a") << "A first word.";
  int fd = accepted().at(0);
  Connection other = server.client("other");
  ASSERT_IS(echo_of(other, "b"), "b") << "A first word.";
  std::optional<Connection> second;
  server.rest();
  Fault both_at_once(Call::kPoll, {always(reports([&](std::span<pollfd> set) {
                       auto entry = entry_of(set, fd);
                       if (second || !entry || !entry->revents) return;
                       second.emplace(server.client("second"));
                       for (pollfd& one : set)
                         if (one.fd == server.listener()) one.revents |= POLLIN;
                     }))});
  ASSERT_IS(echo_of(other, "c"), "c") << "Another client talks.";
  server.rest();
  first.reset();
  server.until([&] { return accepted().size() == 3; });

  ASSERT_IS(echo_of(other, "d"), "d") << "Another client talks.";
  std::string answer = echo_of(*second, "hello");

  EXPECT_IS(answer, "hello")
      << "In one round, poll() reported a reset of one client, and a new "
         "client "
         "in the queue. The new one may get the number of the old one, "
      << fd << ". What was said about the old one is none of its business.";
}

TEST(PollServer, ClosesTwoAtOnceAndNobodyElse) {
  RULE("REUSE-1");
  Server server;
  server.start();
  std::vector<Connection> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(server.client("client " + std::to_string(i)));
    ASSERT_IS(echo_of(clients[i], "a"), "a") << "A first word.";
  }
  std::vector<int> fds = accepted();
  bool done = false;
  server.rest();
  Fault both_at_once(Call::kPoll, {always(reports([&](std::span<pollfd> set) {
                       auto entry = entry_of(set, fds[0]);
                       if (done || !entry || !entry->revents) return;
                       done = true;
                       clients[1].reset();
                       for (pollfd& one : set)
                         if (one.fd == fds[1]) one.revents = entry->revents;
                     }))});
  ASSERT_IS(echo_of(clients[3], "b"), "b") << "Another client talks.";
  server.rest();
  clients[0].reset();
  server.until([&] { return !latest_entry(fds[0]) && !latest_entry(fds[1]); });

  std::vector<std::string> answers = {echo_of(clients[2], "c"),
                                      echo_of(clients[3], "d")};

  EXPECT_IS(answers, (std::vector<std::string>{"c", "d"}))
      << "Two of four clients reset their connections, and one poll() reports "
         "both. These are the answers to the other two.";
}

TEST(PollServer, AcceptsEverybodyInOneRound) {
  RULE("QUEUE-1");
  Server server;
  std::vector<Connection> clients;
  for (int i = 0; i < 5; ++i)
    clients.push_back(server.client("client " + std::to_string(i)));

  server.start();
  server.until([] { return count_calls(Call::kPoll) >= 2; });

  int in_the_set = 0;
  std::vector<pollfd> second_set = calls(Call::kPoll).at(1).set;
  for (int fd : accepted()) in_the_set += entry_of(second_set, fd).has_value();
  EXPECT_IS(in_the_set, 5)
      << "Five clients were in the queue at the first poll(). So many are in "
         "the set of the second one. accept() says EAGAIN when nobody is left.";
}

TEST(PollServer, AcceptsOnAfterAClientThatGaveUp) {
  RULE("QUEUE-2");
  Server server;
  Connection client = server.client("client");
  Fault gave_up(Call::kAccept,
                {fails(ECONNABORTED), fails(EPERM), fails(EPROTO),
                 fails(ENETDOWN), fails(ENETUNREACH), fails(EHOSTDOWN),
                 fails(EHOSTUNREACH), fails(ENONET), fails(ENOPROTOOPT)});
  server.start();

  EXPECT_IS(echo_of(client, "hello"), "hello")
      << "What accept() said first was about others, which are gone. The "
         "listener is as good as before.";
}

TEST(PollServer, IsNotHeldUpByAClientThatIsGone) {
  RULE("QUEUE-2");
  Server server;
  Connection gone = server.client("gone");
  std::optional<Connection> taken;
  Fault nobody_there(Call::kAccept, {first([&] {
                       Unwatched ours;
                       taken.emplace(
                           ::accept(server.listener(), nullptr, nullptr),
                           "another process");
                     })});
  server.start();
  server.until([] { return count_calls(Call::kPoll) >= 2; });
  Connection client = server.client("client");

  EXPECT_IS(echo_of(client, "hello"), "hello")
      << "poll() reported a client, and another process that shares the "
         "listener took it first: accept() says EAGAIN. The next client is "
         "as welcome as ever.";
}

TEST(PollServer, SaysWhenItCannotAccept) {
  RULE("QUEUE-2");
  Stop stop;
  int asked = 0;
  Fault patience(Call::kPoll, {always(first([&] {
                   if (++asked == 10) stop.now();
                 }))});
  int deaf = [] {
    Unwatched ours;
    return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  }();
  net::PollServer server{net::Fd(deaf)};

  std::string outcome = "it returned";
  try {
    server.run(stop.fd());
  } catch (const std::system_error& error) {
    outcome = "std::system_error " + errno_name(error.code().value());
  }

  EXPECT_IS(outcome, "std::system_error EINVAL")
      << "This socket does not listen: poll() reports POLLHUP for it, without "
         "POLLIN, and accept() says why. Nothing else will ever come; after "
         "ten rounds the test makes stop_fd readable.";
}

TEST(PollServer, ServesOnWithoutDescriptors) {
  RULE("QUEUE-3");
  Server server;
  server.start();
  Connection client = server.client("client");
  ASSERT_IS(echo_of(client, "a"), "a") << "A first word.";
  int fd = accepted().at(0);
  const std::vector<int> kNoneLeft = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
  std::vector<Action> failures;
  for (int error : kNoneLeft) failures.push_back(fails(error));
  Fault none_left(Call::kAccept, failures);

  Connection late = server.client("late");
  std::string answer = echo_of(late, "hello");
  if (answer != "hello") {  // turned away: that is allowed
    Connection later = server.client("later");
    answer = echo_of(later, "hello");
  }
  server.stop();

  ASSERT_IS(answer, "hello")
      << "accept() said EMFILE, ENFILE, ENOBUFS and ENOMEM. Then there was a "
         "descriptor again.";
  // What came after each failure: another accept() or, here, a wait.
  std::vector<std::string> waits;
  bool failed = false;
  for (const Record& call : calls()) {
    if (call.family == Call::kAccept)
      failed = std::count(kNoneLeft.begin(), kNoneLeft.end(), call.error) > 0;
    if (!failed || call.family != Call::kPoll) continue;
    failed = false;
    auto listener = entry_of(call.set, server.listener());
    std::string wait =
        listener && listener->events ? "with the listener" : "without it";
    wait += entry_of(call.set, fd) ? ", with the client" : ", without a client";
    bool bounded = call.args.back() >= 0 && call.args.back() <= 1000;
    wait += bounded ? ", a second at most" : ", without a good limit";
    if (waits.empty() || waits.back() != wait) waits.push_back(wait);
  }
  EXPECT_IS(waits, (std::vector<std::string>{
                       "without it, with the client, a second at most"}))
      << "This is how your code waited after each of them. The client that "
         "cannot be "
         "accepted stays in the queue, so the listener stays readable: a "
         "poll() that asks for it returns at once. The client that is "
         "connected "
         "is to be served meanwhile. And nobody says when there is a "
         "descriptor again, so try after a while.";
}

TEST(PollServer, GoesOnAfterASignal) {
  RULE("INTR-1");
  Server server;
  server.start();
  Connection client = server.client("client");
  ASSERT_IS(echo_of(client, "a"), "a") << "A first word.";
  std::string in_poll, in_accept, in_receive;
  {
    server.rest();
    Fault signal(Call::kPoll, {fails(EINTR)});
    ASSERT_IS(echo_of(client, "b"), "b") << "A second word.";
    server.rest();
    in_poll = echo_of(client, "c");
  }
  {
    Fault signal(Call::kAccept, {fails(EINTR)});
    Connection second = server.client("second");
    in_accept = echo_of(second, "d");
  }
  {
    Fault signal(Call::kReceive, {fails(EINTR)});
    in_receive = echo_of(client, "e");
  }

  EXPECT_IS(in_poll, "c") << "A signal had interrupted poll(): EINTR.";
  EXPECT_IS(in_accept, "d") << "A signal had interrupted accept(): EINTR.";
  EXPECT_IS(in_receive, "e") << "A signal had interrupted recv(): EINTR.";
}

TEST(PollServer, GivesAFloodNoMoreThanItsTurn) {
  RULE("FAIR-1");
  Server server({.max_output = 64 << 20});
  Connection flood = server.client("flood");
  std::size_t sent = flood.fill();
  Connection other = server.client("other");
  server.start();

  std::string answer = echo_of(other, "hello");
  server.until([&] { return received_from(accepted().at(0)) > 3 * kPiece; });
  server.stop();

  ASSERT_IS(answer, "hello") << "The flood is not the only client.";
  ASSERT_IS(sent > 3 * kPiece, true) << "The test needs a flood.";
  int fd = accepted().at(0);
  std::size_t now = 0, most = 0;
  for (const Record& call : calls()) {
    if (call.family == Call::kPoll) now = 0;
    if (call.family == Call::kReceive && call.fd == fd) now += moved(call);
    most = std::max(most, now);
  }
  std::size_t most_read = std::max(most, kPiece);
  EXPECT_IS(most_read, kPiece)
      << "A client has sent " << sent
      << " bytes. So many were read from it in one round, before the others "
         "had their turn: a piece is the most.";
}

TEST(PollServer, StopsBeforeAnythingElse) {
  RULE("STOP-1");
  int listener = listening_socket();
  Connection client = Connection::to_port(port_of(listener), "client");
  client.send("hello");
  Stop stop;
  stop.now();
  net::PollServer server{net::Fd(listener)};

  server.run(stop.fd());

  EXPECT_IS(calls(Call::kAccept).size(), 0u)
      << "stop_fd was readable from the beginning. A busy server that looks at "
         "its clients first never stops.";
  EXPECT_IS(is_ready(stop.fd(), POLLIN), true)
      << "Another server may wait for the same sign. Who reads it takes it "
         "away.";
}

TEST(PollServer, KeepsItsClientsFromRunToRun) {
  RULE("STOP-1");
  DescriptorCheck descriptors;
  int listener = listening_socket();
  Stop first, second;
  std::vector<std::string> answers;
  Connection client = Connection::to_port(port_of(listener), "client");
  std::string problem;
  {
    net::PollServer server{net::Fd(listener)};
    for (Stop* stop : {&first, &second}) {
      std::thread running([&] {
        try {
          server.run(stop->fd());
        } catch (const std::exception& error) {
          problem = error.what();
          ::shutdown(client.fd(), SHUT_RDWR);
        }
      });
      answers.push_back(echo_of(client, "hello"));
      stop->now();
      running.join();
    }
  }

  EXPECT_IS(problem, "") << "run() was told to stop, and that is no error.";
  EXPECT_IS(answers, (std::vector<std::string>{"hello", "hello"}))
      << "run() was stopped and called again. Its client is the same.";
  EXPECT_IS(descriptors.left_open(), std::vector<std::string>())
      << "The server is gone, and these are open still.";
}
