// Chapter 03 from outside: the clients of a server, and what the kernel says of
// the process that holds the code. Each test has the name of the one that it
// confirms.
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <future>

#include "common/testing/graded.h"
#include "common/testing/peer.h"
#include "common/testing/subject.h"
#include "tests/03_blocking_server/support.h"

using namespace graded;

namespace {

const Words kStopped{"-1 and ECANCELED"};

std::string word() {
  return random_text(random_number(5, 50));
}

// A name of any length that no other process has.
net::Endpoint unix_name() {
  return net::Endpoint::parse("unix:@" + std::to_string(::getpid()) +
                              random_text(random_number(20, 90)));
}

bool is_number(const Words& answer) {
  return answer.at(0).find_first_not_of("0123456789") == std::string::npos;
}

// The number of a socket that the code has made, which listens at `where`.
std::string listen_at(Subject& subject, const std::string& where) {
  Words listening = subject.ask({"listen", where});
  if (!is_number(listening))
    throw std::runtime_error("it cannot listen: " + listening[0]);
  return listening[0];
}

net::Endpoint where(Subject& subject, const std::string& number) {
  return net::Endpoint::parse(subject.ask({"where", number}).at(0));
}

// "connected", or why not.
std::string reach(const net::Endpoint& server) {
  OwnFd fd(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  bool done = ::connect(fd.get(), server.address(), server.size()) == 0;
  return done ? "connected" : errno_name(errno);
}

// How many clients the queue of a unix socket takes.
std::size_t room_at(const net::Endpoint& server) {
  std::vector<OwnFd> clients;
  while (true) {
    clients.emplace_back(
        ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (::connect(clients.back().get(), server.address(), server.size()) < 0)
      return clients.size() - 1;
  }
}

// A client of a unix socket: when connect() returns it is in the queue. It may
// be turned away before it has said a word.
Connection client_of(const net::Endpoint& server, const std::string& says) {
  Connection client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "client");
  checked(::connect(client.fd(), server.address(), server.size()), "connect()");
  ::send(client.fd(), says.data(), says.size(), MSG_NOSIGNAL);
  client.finish();
  return client;
}

// What the client sent whom the code has accepted; or why there is none.
std::string hear(Subject& subject, const Words& accepted) {
  if (!is_number(accepted)) return accepted.at(0);
  return subject.ask({"hear", accepted[0]}).at(0);
}

// A connection to the code's process, which knows it by a number.
struct Client {
  TcpPair pair;
  std::string number;
  explicit Client(Subject& subject)
      : number(subject.ask({"take"}, {pair.theirs}).at(0)) {}
};

// Sends until the code waits for room to send, and interrupts it there: its
// send returns what it has taken so far. Returns the number of bytes sent.
std::size_t interrupt_the_echo(Subject& subject, const Client& client,
                               const std::string& all) {
  int small = 8192, unread = 0;
  for (int fd : {client.pair.ours.fd(), client.pair.theirs})
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  std::size_t sent = 0;
  while (unread == 0 && sent < all.size()) {
    ssize_t n;
    while ((n = ::send(client.pair.ours.fd(), all.data() + sent,
                       all.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
      sent += static_cast<std::size_t>(n);
    subject.wait_until_it_waits();
    ::ioctl(client.pair.theirs, SIOCINQ, &unread);
  }
  if (unread > 0) subject.interrupt();
  return sent;
}

}  // namespace

TEST(Server, ListensAtTheGivenEndpointOnly) {
  RULE("LISTENER-1");
  Subject subject;
  std::string host = "127.0.0." + std::to_string(random_number(2, 250));
  net::Endpoint name = unix_name();

  auto here = where(subject, listen_at(subject, host + ":0"));
  listen_at(subject, name.to_string());

  auto elsewhere =
      net::Endpoint::parse("127.0.0.1:" + std::to_string(here.port()));
  EXPECT_IS(here.host(), host) << "The kernel says where it is bound.";
  EXPECT_IS(reach(here), "connected") << "A client comes to the endpoint.";
  EXPECT_IS(reach(elsewhere), "ECONNREFUSED")
      << "A client comes to the same port of another interface.";
  EXPECT_IS(reach(name), "connected") << "A client comes to this name.";
}

TEST(Server, PassesTheBacklogOn) {
  RULE("LISTENER-2");
  Subject subject;
  int backlog = static_cast<int>(random_number(10, 100));
  Listener usual(unix_name(), 128), like_ours(unix_name(), backlog);
  net::Endpoint first = unix_name(), second = unix_name();

  listen_at(subject, first.to_string());
  subject.ask({"listen", second.to_string(), std::to_string(backlog)});

  EXPECT_IS(room_at(first), room_at(usual.endpoint))
      << "So many clients fit into a queue with a backlog of 128.";
  EXPECT_IS(room_at(second), room_at(like_ours.endpoint))
      << "So many clients fit into a queue with a backlog of " << backlog
      << ".";
}

TEST(Server, ReportsWhyItCannotListen) {
  RULE("LISTENER-3");
  Subject subject;
  Listener taken;
  subject.ask({"take"}, {taken.fd.get()});  // it has begun
  Words before = subject.descriptors();

  Words no_room = subject.ask({"listen", taken.endpoint.to_string()});
  // Of a network for examples, which no machine has.
  Words not_here = subject.ask(
      {"listen", "192.0.2." + std::to_string(random_number(1, 250)) + ":0"});

  EXPECT_IS(no_room, Words{"-1 and EADDRINUSE"})
      << "The driver listens at " << taken.endpoint.to_string() << ".";
  EXPECT_IS(not_here, Words{"-1 and EADDRNOTAVAIL"})
      << "This machine has no such address.";
  EXPECT_IS(subject.descriptors(), before)
      << "The process has the descriptors that it had before.";
}

TEST(Server, ListensAgainOnThePortItHad) {
  RULE("LISTENER-4");
  Subject subject;
  std::string first = listen_at(subject, "127.0.0.1:0");
  net::Endpoint endpoint = where(subject, first);
  {
    // The server's end closes first: its connection lingers in TIME_WAIT.
    Connection client = Connection::to_port(endpoint.port(), "client");
    subject.ask({"turn_away", first});
    client.expect_end();
  }
  subject.ask({"close", first});

  Words again = subject.ask({"listen", endpoint.to_string()});

  EXPECT_IS(is_number(again), true) << "The answer is " << again[0] << ".";
  EXPECT_IS(reach(endpoint), "connected")
      << "A client comes to " << endpoint.to_string() << " again.";
}

TEST(Server, SaysWhereItListens) {
  RULE("LISTENER-5");
  Subject subject;
  std::string host = "127.0.0." + std::to_string(random_number(2, 250));
  Listener tcp(net::Endpoint::parse(host + ":0")), named(unix_name());
  Stop pipe;

  for (const Listener* socket : {&tcp, &named})
    EXPECT_IS(subject.ask({"local_endpoint"}, {socket->fd.get()}),
              Words{socket->endpoint.to_string()})
        << "This is where the driver's socket is bound.";
  EXPECT_IS(subject.ask({"local_endpoint"}, {pipe.fd()}),
            Words{"-1 and ENOTSOCK"})
      << "This descriptor is a pipe's.";
}

TEST(Server, EchoesBeforeItAsksForMore) {
  RULE("ECHO-1");
  Subject subject;
  Client client(subject);

  subject.begin({"echo", client.number});
  for (std::size_t n = random_number(3, 10); n > 0; --n) {
    std::string piece = word();
    client.pair.ours.send(piece);
    client.pair.ours.expect(piece);
  }
  client.pair.ours.finish();

  EXPECT_IS(subject.answer(), Words{"true"}) << "The client ended in order.";
}

TEST(Server, EchoesEveryByteOnce) {
  RULE("ECHO-2");
  Subject subject;
  Client client(subject);
  std::string piece = random_text(random_number(3000, 5000)), all;
  for (int i = 0; i < 300; ++i) all += piece;

  subject.begin({"echo", client.number});
  std::size_t sent = interrupt_the_echo(subject, client, all);
  auto echo = std::async(std::launch::async,
                         [&] { return client.pair.ours.receive_all(); });
  client.pair.ours.send(std::string_view(all).substr(sent));
  client.pair.ours.finish();

  EXPECT_IS(echo.get(), all) << "This is what the client sent.";
}

TEST(Server, AnswersTheEndWithTheEnd) {
  RULE("ECHO-3");
  Subject subject;
  Client client(subject);
  std::string bye = word();

  subject.begin({"echo", client.number});
  client.pair.ours.send(bye);
  client.pair.ours.finish();
  // The driver has a copy of the code's end, so that a close() sends no FIN.
  std::string echo = client.pair.ours.receive_all();
  Words answer = subject.answer(), open = subject.descriptors();

  EXPECT_IS(echo, bye) << "Then FIN came.";
  EXPECT_IS(answer, Words{"true"}) << "The client ended in order.";
  EXPECT_IS(std::count(open.begin(), open.end(), client.number), 1)
      << "The descriptor is the caller's to close.";
}

TEST(Server, ReportsAClientThatIsGone) {
  RULE("ECHO-4");
  Subject subject;
  Client silent(subject), talking(subject);
  silent.pair.ours.reset();
  talking.pair.ours.send(word());
  talking.pair.ours.finish();
  talking.pair.ours.reset();
  wait_until(silent.pair.theirs, 0);
  wait_until(talking.pair.theirs, 0);

  Words nothing_came = subject.ask({"echo", silent.number});
  Words a_word_came = subject.ask({"echo", talking.number});

  EXPECT_IS(nothing_came, Words{"false and ECONNRESET"})
      << "The client reset the connection.";
  EXPECT_IS(a_word_came, Words{"false and EPIPE"})
      << "The client sent a word and FIN, and then a reset.";
}

TEST(Server, LeavesNothingToProgramsItStarts) {
  RULE("ACCEPT-1");
  Subject subject;
  Stop never;
  std::string listener = listen_at(subject, "127.0.0.1:0");
  Listener ours;
  Connection client = client_named(ours.port, word());

  Words accepted = subject.ask({"accept"}, {ours.fd.get(), never.fd()});

  ASSERT_EQ(is_number(accepted), true) << accepted[0];
  for (const std::string& number : {listener, accepted[0]})
    EXPECT_IS((subject.flags(std::stoi(number)) & O_CLOEXEC) != 0, true)
        << "The kernel does not close it on exec.";
}

TEST(Server, StopsWaitingWhenTold) {
  RULE("ACCEPT-2");
  Subject subject;
  Listener busy, idle;
  Stop already, later;
  Connection client = client_named(busy.port, word());
  wait_until(busy.fd.get(), POLLIN);
  already.now();

  Words at_once = subject.ask({"accept"}, {busy.fd.get(), already.fd()});
  subject.begin({"accept"}, {idle.fd.get(), later.fd()});
  subject.wait_until_it_waits();
  later.now();

  EXPECT_IS(at_once, kStopped) << "stop_fd is readable already.";
  EXPECT_IS(subject.answer(), kStopped) << "stop_fd became readable.";
  EXPECT_IS(is_ready(busy.fd.get(), POLLIN), true)
      << "The client that waits stays in the queue.";
  EXPECT_IS(is_ready(already.fd(), POLLIN), true)
      << "Another server may wait for the same sign.";
}

TEST(Server, WaitsOnAfterASignal) {
  RULE("ACCEPT-3");
  Subject subject;
  Listener listener;
  Stop never;
  std::string says = word();

  subject.begin({"accept"}, {listener.fd.get(), never.fd()});
  subject.wait_until_it_waits();
  subject.interrupt();
  Connection client = client_named(listener.port, says);

  EXPECT_IS(hear(subject, subject.answer()), says)
      << "A signal came, and then this client.";
}

TEST(Server, WaitsOnAfterAClientThatGaveUp) {
  RULE("ACCEPT-4");
  Subject subject;
  Stop never;
  OwnFd deaf(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  OwnFd gone(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

  for (const OwnFd* listener : {&deaf, &gone})
    EXPECT_IS(subject.ask({"accept"}, {listener->get(), never.fd()}),
              Words{"-1 and EINVAL"})
        << "This socket does not listen.";
}

TEST(Server, SurvivesWithoutDescriptors) {
  RULE("ACCEPT-5");
  Subject subject;
  Listener listener(unix_name()), other(unix_name());
  Stop never, stop;
  std::string first = word(), second = word();
  auto run_out = [&](const Listener& listener, const Stop& stop) {
    subject.begin({"accept"}, {listener.fd.get(), stop.fd()});
    subject.wait_until_it_waits();
    subject.allow_no_more_descriptors();
    Connection client = client_of(listener.endpoint, first);
    subject.wait_until_it_waits();  // which is a pause, or for another client
    return client;
  };

  Connection one = run_out(listener, never);
  subject.allow_descriptors();
  Connection two = client_of(listener.endpoint, second);
  std::string heard = hear(subject, subject.answer());
  Connection three = run_out(other, stop);
  stop.now();

  EXPECT_IS(heard == second ? first : heard, first)
      << "There was no descriptor for this client. Then there was one again, "
         "and another client came.";
  EXPECT_IS(subject.answer(), kStopped)
      << "It can be stopped while it is out of descriptors.";
}

TEST(Server, ServesOneClientAfterTheOther) {
  RULE("SERVE-1");
  Subject subject;
  Listener listener(unix_name(), 64);
  Stop stop;
  subject.ask({"take"}, {stop.fd()});  // it has begun
  Words before = subject.descriptors();
  std::size_t n = 0, most = random_number(150, 250);

  subject.begin({"serve", "true"}, {listener.fd.get(), stop.fd()});
  while (n < most) {
    std::vector<std::string> says(random_number(10, 50));
    std::vector<Connection> clients;
    for (std::string& each : says)
      clients.push_back(client_of(listener.endpoint, each = word()));
    // The end comes when its descriptor has been closed.
    for (std::size_t i = 0; i < says.size(); ++i)
      ASSERT_IS(clients[i].receive_all(), std::to_string(++n) + " " + says[i])
          << "Each client hears its number and its word.";
  }
  stop.now();

  EXPECT_IS(subject.answer(), Words{"true"}) << "stop_fd became readable.";
  EXPECT_IS(subject.descriptors(), before)
      << "The process has the descriptors that it had before.";
}

TEST(Server, ClosesAClientThatWentWrong) {
  RULE("SERVE-1");
  Subject subject;
  Listener listener;
  Stop stop;
  std::string says = word();
  Connection client = client_named(listener.port, says);

  subject.begin({"serve", "false"}, {listener.fd.get(), stop.fd()});

  EXPECT_IS(client.receive_all(), "1 " + says)
      << "Then its handler returned false, and the end came all the same.";
}

TEST(Server, LetsNoClientEndTheService) {
  RULE("SERVE-2");
  Subject subject;
  Listener listener;
  Stop stop;
  Connection rude = Connection::to_port(listener.port, "rude");
  std::string says = word();
  Connection polite = client_named(listener.port, says);

  subject.begin({"serve", "true"}, {listener.fd.get(), stop.fd()});
  subject.wait_until_it_waits();
  rude.reset();
  std::string heard = polite.receive_all();
  stop.now();

  EXPECT_IS(heard, "2 " + says)
      << "The first client reset its connection. The second one hears this.";
  EXPECT_IS(subject.answer(), Words{"true"})
      << "stop_fd ended the service, not a client.";
}
