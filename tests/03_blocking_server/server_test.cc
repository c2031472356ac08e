#include "chapters/03_blocking_server/server.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <future>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"
#include "tests/03_blocking_server/support.h"

using namespace graded;

namespace {

net::Endpoint at(std::uint16_t port, const std::string& host = "127.0.0.1") {
  return net::Endpoint::parse(host + ":" + std::to_string(port));
}

// "a descriptor", "-1 and EADDRINUSE": what a call returned.
std::string outcome(int fd) {
  std::string reason = errno_name(errno);
  return fd >= 0 ? "a descriptor" : "-1 and " + reason;
}

std::string outcome(bool done) {
  std::string reason = errno_name(errno);
  return done ? "true" : "false and " + reason;
}

net::Endpoint unix_name(const std::string& name) {
  return net::Endpoint::parse("unix:@" + std::to_string(::getpid()) + name);
}

// What local_endpoint() returned or threw.
std::string local_end(int fd) {
  try {
    return net::local_endpoint(fd).to_string();
  } catch (const std::system_error& error) {
    return "std::system_error " + errno_name(error.code().value());
  } catch (const std::invalid_argument& error) {
    return error.what();  // Endpoint::from() takes no such address
  }
}

bool closes_on_exec(int fd) {
  return ::fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

// What a client has sent, read and closed by the test; or "-1 and EINTR".
std::string hear(int client) {
  if (client < 0) return outcome(client);
  return Connection(client, "test").receive_all();
}

// How often the code under test waited until the time was over.
int pauses() {
  int n = 0;
  for (const Record& call : calls(Call::kPoll))
    n += call.result == 0 && call.args[1] > 0;
  return n;
}

}  // namespace

TEST(Server, ListensAtTheGivenEndpointOnly) {
  RULE("LISTENER-1");

  int here = net::listen_on(at(0, "127.0.0.2"));
  ASSERT_IS(outcome(here), "a descriptor")
      << "127.0.0.2 is this machine, and any free port will do. Which of the "
         "calls below says -1, and what was it given?";
  EXPECT_IS(bound_to(here).host(), "127.0.0.2")
      << "Whoever asks for one interface must not be reachable at the others.";

  net::Endpoint name = unix_name("-listener");
  int there = net::listen_on(name);
  ASSERT_IS(outcome(there), "a descriptor")
      << "This endpoint, " << name.to_string()
      << ", is of another family and size. (Where setsockopt() says -1 below: "
         "not every option is known to every family.)";
  EXPECT_IS(bound_to(there).to_string(), name.to_string())
      << "This is what was asked for.";
}

TEST(Server, PassesTheBacklogOn) {
  RULE("LISTENER-2");

  net::listen_on(at(0));
  net::listen_on(at(0), 50);

  std::vector<long> backlogs;
  for (const Record& call : calls(Call::kListen))
    backlogs.push_back(call.args[0]);
  EXPECT_IS(backlogs, (std::vector<long>{128, 50}))
      << "listen_on() was called without a backlog, then with 50. A shorter "
         "queue turns clients away whenever a few come at once.";
}

TEST(Server, ReportsWhyItCannotListen) {
  RULE("LISTENER-3");
  int first = net::listen_on(at(0));
  ASSERT_IS(outcome(first), "a descriptor") << "Port 0 is always free.";
  net::Endpoint taken = bound_to(first);
  DescriptorCheck descriptors;
  Fault close_says_eio(Call::kClose, {fails_after(EIO)});

  int second = net::listen_on(taken);

  ASSERT_IS(outcome(second), "-1 and EADDRINUSE")
      << "The first call listens at " << taken.to_string()
      << " still, so bind() refuses. (A listen() after that takes any free "
         "port, at 0.0.0.0. And close() sets errno too in this test.)";
  EXPECT_IS(descriptors.left_open(), std::vector<std::string>())
      << "The second call had a socket, and gave none to its caller.";
}

TEST(Server, ListensAgainOnThePortItHad) {
  RULE("LISTENER-4");
  int before = net::listen_on(at(0));
  ASSERT_IS(outcome(before), "a descriptor") << "Port 0 is always free.";
  net::Endpoint endpoint = bound_to(before);
  {
    // The server's end closes first: its connection lingers in TIME_WAIT.
    Connection client = Connection::to_port(endpoint.port(), "client");
    Unwatched ours;
    Connection accepted(::accept(before, nullptr, nullptr), "server");
    accepted.close();
    client.expect_end();
  }
  ::close(before);

  int again = net::listen_on(endpoint);

  ASSERT_IS(outcome(again), "a descriptor")
      << "No server listens at " << endpoint.to_string()
      << " any more; there is only a connection that it has closed. The option "
         "that says so to bind() has to be set before it.";
  EXPECT_IS(bound_to(again).to_string(), endpoint.to_string())
      << "This is the port that was asked for, and clients know no other.";
}

TEST(Server, SaysWhereItListens) {
  RULE("LISTENER-5");
  Listener tcp;
  // Longer than the 16 bytes that an IPv4 address takes.
  net::Endpoint name = unix_name("-is-where-it-listens");
  int other = [&] {
    Unwatched ours;
    int fd = ::socket(name.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::bind(fd, name.address(), name.size());
    return fd;
  }();

  Stop pipe;

  std::string tcp_end = local_end(tcp.fd.get());
  std::string unix_end = local_end(other);
  std::string pipe_end = local_end(pipe.fd());

  EXPECT_IS(tcp_end, "127.0.0.1:" + std::to_string(tcp.port))
      << "This socket was bound to port 0, and this is what it got. (A port "
         "whose two bytes are swapped is in network order. An address of no "
         "known family: did the size go in, too?)";
  EXPECT_IS(unix_end, name.to_string())
      << "This socket is a unix socket: its address is longer than that of "
         "IPv4.";
  EXPECT_IS(pipe_end, "std::system_error ENOTSOCK")
      << "This descriptor is a pipe's. getsockname() says -1 and leaves the "
         "address as it was.";
}

TEST(Server, EchoesBeforeItAsksForMore) {
  RULE("ECHO-1");
  TcpPair pair;
  Trace trace;
  pair.ours.send("a");
  // When the code comes for its second piece, has the first one gone back?
  Fault second_receive(Call::kReceive,
                       {real(), first([&] {
                          if (calls(Call::kSend).empty())
                            trace.add("recv() again, and nothing was sent");
                          else
                            trace.add("the client has ",
                                      in_quotes(pair.ours.receive(1)));
                          pair.ours.finish();
                        })});

  net::echo(pair.theirs);

  EXPECT_TRUE(trace.is({"the client has \"a\""}))
      << "The client waits for the echo of its first byte before it sends "
         "more. If the server waits too, neither ever goes on.";
}

TEST(Server, EchoesEveryByteOnce) {
  RULE("ECHO-2");
  TcpPair pair;
  std::string sent = random_bytes(1000);
  pair.ours.send(sent);
  pair.ours.finish();
  Fault short_count(Call::kSend, {always(at_most(70))});

  net::echo(pair.theirs);
  ::close(pair.theirs);

  EXPECT_IS(pair.ours.receive_all(), sent)
      << "The client sent 1000 bytes and FIN. send() takes at most 70 bytes at "
         "a time here, and says so by its result.";
}

TEST(Server, AnswersTheEndWithTheEnd) {
  RULE("ECHO-3");
  TcpPair pair;
  pair.ours.send("bye");
  pair.ours.finish();

  bool clean = net::echo(pair.theirs);
  std::string reported = outcome(clean);
  Unwatched ours;
  bool sent = ::send(pair.theirs, ".", 1, MSG_NOSIGNAL) == 1;
  std::string one_more_byte = sent ? "sent" : errno_name(errno);

  EXPECT_IS(reported, "true") << "The client ended in order, with FIN.";
  EXPECT_IS(one_more_byte, "EPIPE")
      << "Once echo() is back, the test sends one more byte on the client's "
         "descriptor. EPIPE: FIN has gone out, as it should. \"sent\": it has "
         "not, and the client waits for it. EBADF: the descriptor is closed, "
         "but it is the caller's to close.";
}

TEST(Server, ReportsAClientThatIsGone) {
  RULE("ECHO-4");
  TcpPair silent;
  silent.ours.reset();
  wait_until(silent.theirs, 0);
  std::string after_a_reset = outcome(net::echo(silent.theirs));

  TcpPair talking;
  talking.ours.send("hello");
  talking.ours.finish();
  talking.ours.reset();
  wait_until(talking.theirs, 0);
  std::string after_fin_and_reset = outcome(net::echo(talking.theirs));

  EXPECT_IS(after_a_reset, "false and ECONNRESET")
      << "The client reset the connection. That is not an end in order.";
  EXPECT_IS(after_fin_and_reset, "false and EPIPE")
      << "The client sent a word and FIN, and then a reset: there is nobody "
         "to send the word back to.";
}

TEST(Server, LeavesNothingToProgramsItStarts) {
  RULE("ACCEPT-1");
  int listener = net::listen_on(at(0));
  ASSERT_IS(outcome(listener), "a descriptor") << "Port 0 is always free.";
  Connection client = Connection::to_port(bound_to(listener).port(), "client");
  Stop never;

  int accepted = net::accept_one(listener, never.fd());

  ASSERT_IS(outcome(accepted), "a descriptor") << "A client is in the queue.";
  EXPECT_IS(closes_on_exec(listener), true)
      << "A program started with exec() inherits the listener: the port is "
         "taken until that program ends too.";
  EXPECT_IS(closes_on_exec(accepted), true)
      << "A program started with exec() inherits the client's connection: the "
         "client sees no end until that program ends too. The listener's flag "
         "says nothing about it.";
}

TEST(Server, StopsWaitingWhenTold) {
  RULE("ACCEPT-2");
  Stop already, later;
  {
    Listener busy;
    Connection client = Connection::to_port(busy.port, "client");
    wait_until(busy.fd.get(), POLLIN);
    already.now();
    std::string stopped = outcome(net::accept_one(busy.fd.get(), already.fd()));
    ASSERT_IS(stopped, "-1 and ECANCELED") << "stop_fd is readable already.";
    bool client_still_waits = is_ready(busy.fd.get(), POLLIN);
    bool stop_fd_still_readable = is_ready(already.fd(), POLLIN);
    ASSERT_IS(client_still_waits, true)
        << "The client that waits stays in the queue, for another server of "
           "the same listener.";
    ASSERT_IS(stop_fd_still_readable, true)
        << "Another server may wait for the same sign. Who reads it takes it "
           "away.";
  }
  Listener idle;
  std::size_t polls = calls(Call::kPoll).size();
  std::size_t accepts = calls(Call::kAccept).size();

  auto waiting = std::async(std::launch::async, [&] {
    return outcome(net::accept_one(idle.fd.get(), later.fd()));
  });
  // Until it waits: in a poll() that takes time, or in accept().
  wait_for_calls(Call::kPoll, polls + 1);
  if (calls(Call::kPoll)[polls].args[1] == 0) {
    wait_for_calls(Call::kAccept, accepts + 1);
    if (::fcntl(idle.fd.get(), F_GETFL) & O_NONBLOCK)
      wait_for_calls(Call::kPoll, polls + 2);
  }
  later.now();
  Connection late = Connection::to_port(idle.port, "late");
  std::string stopped = waiting.get();

  EXPECT_IS(stopped, "-1 and ECANCELED")
      << "Nobody had come when stop_fd became readable: a server that waits "
         "in accept() does not see it until somebody does.";
}

TEST(Server, WaitsOnAfterASignal) {
  RULE("ACCEPT-3");
  Listener listener;
  Stop never;
  {
    std::optional<Connection> client;
    Action interrupted = fails(EINTR);
    interrupted.before = [&] {
      client.emplace(client_named(listener.port, "first"));
    };
    Fault signal(Call::kPoll, {interrupted});
    std::string in_poll = hear(net::accept_one(listener.fd.get(), never.fd()));
    ASSERT_IS(in_poll, "first")
        << "A signal interrupted poll() while this client came.";
  }
  Connection client = client_named(listener.port, "second");
  Fault signal(Call::kAccept, {fails(EINTR)});

  std::string in_accept = hear(net::accept_one(listener.fd.get(), never.fd()));

  EXPECT_IS(in_accept, "second")
      << "A signal interrupted accept() while this client was in the queue.";
}

TEST(Server, WaitsOnAfterAClientThatGaveUp) {
  RULE("ACCEPT-4");
  Listener listener;
  Stop stop;
  Connection client = client_named(listener.port, "a client");
  {
    Fault gave_up(Call::kAccept,
                  {fails(ECONNABORTED), fails(EPERM), fails(EPROTO),
                   fails(ENETDOWN), fails(ENETUNREACH), fails(EHOSTDOWN),
                   fails(EHOSTUNREACH), fails(ENONET), fails(ENOPROTOOPT)});
    std::string served = hear(net::accept_one(listener.fd.get(), stop.fd()));
    ASSERT_IS(served, "a client")
        << "What accept() said first was about others, which are gone. The "
           "listener is as good as before.";
  }
  OwnFd deaf = [] {
    Unwatched ours;
    return OwnFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }();
  // Whoever asks for ever is stopped: only code that polls can be.
  std::optional<Fault> patience;
  int asked = 0;
  if (!calls(Call::kPoll).empty())
    patience.emplace(Call::kPoll, std::vector{always(first([&] {
                       if (++asked == 10) stop.now();
                     }))});

  std::string refused = outcome(net::accept_one(deaf.get(), stop.fd()));

  EXPECT_IS(refused, "-1 and EINVAL")
      << "This socket does not listen: poll() reports POLLHUP for it, without "
         "POLLIN, and accept() says why. Nothing else will ever come; after "
         "ten waits the test makes stop_fd readable.";
}

TEST(Server, SurvivesWithoutDescriptors) {
  RULE("ACCEPT-5");
  Listener listener;
  Stop stop;
  Connection one = client_named(listener.port, "one");
  Connection two = client_named(listener.port, "two");
  {
    Fault none_left(Call::kAccept,
                    {fails(EMFILE), fails(EMFILE), fails(EMFILE)});
    int fd = net::accept_one(listener.fd.get(), stop.fd());
    ASSERT_IS(outcome(fd), "a descriptor")
        << "accept() said EMFILE three times. Then there was a descriptor "
           "again, and two clients were in the queue.";
    bool turned_away = hear(fd) == "two";
    std::string reaction = pauses() >= 3 || turned_away
                               ? "a pause, or a client turned away"
                               : "accept() again at once";
    ASSERT_IS(reaction, "a pause, or a client turned away")
        << "After EMFILE the client is in the queue still, so poll() does not "
           "wait for the listener. Without a pause, this loop takes the whole "
           "processor until a descriptor is free.";
  }
  Connection three = client_named(listener.port, "three");
  Action last = fails(EMFILE);
  last.before = [&] { stop.now(); };
  Fault none_left(Call::kAccept, {last});

  std::string stopped = outcome(net::accept_one(listener.fd.get(), stop.fd()));

  EXPECT_IS(stopped, "-1 and ECANCELED")
      << "It can be stopped while it is out of descriptors.";
}

TEST(Server, ServesOneClientAfterTheOther) {
  RULE("SERVE-1");
  constexpr int kClients = 200, kWaiting = 50;
  // A unix socket: connect() has put the client into the queue when it returns.
  Listener listener(unix_name("-serve"), kWaiting + 1);
  Stop stop;
  std::vector<OwnFd> clients;
  DescriptorCheck descriptors;
  auto one_more = [&] {
    Unwatched ours;
    const net::Endpoint& server = listener.endpoint;
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    clients.emplace_back(fd);
    char number = static_cast<char>(clients.size());
    if (::connect(fd, server.address(), server.size()) < 0 ||
        ::send(fd, &number, 1, MSG_NOSIGNAL) != 1)
      throw std::runtime_error("the test cannot connect");
  };
  for (int i = 0; i < kWaiting; ++i) one_more();
  int served = 0, in_order = 0;
  std::size_t open_at_the_last = 0;

  bool stopped = net::serve(listener.fd.get(), stop.fd(), [&](int client) {
    Unwatched ours;
    char number = 0;
    in_order += ::recv(client, &number, 1, 0) == 1 &&
                number == static_cast<char>(++served);
    open_at_the_last = descriptors.left_open().size();
    if (clients.size() < kClients) one_more();
    if (served == kClients) stop.now();
    return true;
  });
  std::string serve_returned = outcome(stopped);

  EXPECT_IS(serve_returned, "true") << "stop_fd became readable.";
  EXPECT_IS(served, kClients) << "So many clients came before that.";
  EXPECT_IS(in_order, kClients) << "They are served in the order they came.";
  std::string open = open_at_the_last <= 8
                         ? "a few descriptors"
                         : std::to_string(open_at_the_last) + " descriptors";
  EXPECT_IS(open, "a few descriptors")
      << "So many were open when the last handler ran, and it needs one: those "
         "of the clients before it should be closed.";
  EXPECT_IS(descriptors.left_open().size(), 0u)
      << "All clients were served, so no descriptor of theirs is needed.";
}

TEST(Server, ClosesAClientThatWentWrong) {
  RULE("SERVE-1");
  Listener listener;
  Stop stop;
  Connection client = client_named(listener.port, "client");
  DescriptorCheck descriptors;

  net::serve(listener.fd.get(), stop.fd(), [&](int) {
    stop.now();
    return false;
  });

  EXPECT_IS(descriptors.left_open(), std::vector<std::string>())
      << "The handler returned false: something befell its client. The "
         "descriptor is open all the same, and nobody else closes it.";
}

TEST(Server, LetsNoClientEndTheService) {
  RULE("SERVE-2");
  Listener listener;
  Stop stop;
  Connection rude = Connection::to_port(listener.port, "rude");
  Connection polite = client_named(listener.port, "polite");
  Trace handled;

  bool stopped = net::serve(listener.fd.get(), stop.fd(), [&](int client) {
    bool is_first = handled.events().empty();
    handled.add(is_first ? "rude" : "polite");
    if (is_first) {
      rude.reset();
      wait_until(client, 0);
    } else {
      stop.now();
    }
    net::echo(client);
    return !is_first;
  });
  std::string serve_returned = outcome(stopped);

  EXPECT_TRUE(handled.is({"rude", "polite"}))
      << "The first client resets its connection, and its handler returns "
         "false. The second one is as welcome as before.";
  EXPECT_IS(serve_returned, "true")
      << "stop_fd ended the service, not a client.";
}
