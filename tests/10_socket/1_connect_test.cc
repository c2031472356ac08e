// Part 1: from connect() to the connect event, or to an error and close.
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/10_socket/support.h"

using namespace graded;

namespace {

ConnectOptions to(int port, std::string host = "127.0.0.1") {
  ConnectOptions options;
  options.host = std::move(host);
  options.port = port;
  return options;
}

// Puts the lookup event into the list, too.
void record_lookup(Net& net, Socket& socket) {
  socket.on_lookup([&net](const Error* error, const std::string& address,
                          int family, const std::string& host) {
    if (error) return net.add("lookup " + host + " " + error->code);
    net.add("lookup " + host + " " + address + " " + std::to_string(family));
  });
}

// The raw end's view: "127.0.0.2 4711".
std::string remote_end(const Connection& peer, int* port = nullptr) {
  Unwatched ours;
  sockaddr_in name{};
  socklen_t size = sizeof name;
  ::getpeername(peer.fd(), reinterpret_cast<sockaddr*>(&name), &size);
  if (port) *port = ntohs(name.sin_port);
  char text[64];
  ::getnameinfo(reinterpret_cast<sockaddr*>(&name), size, text, sizeof text,
                nullptr, 0, NI_NUMERICHOST);
  return text;
}

}  // namespace

TEST(Connect, ReturnsBeforeAnythingHappens) {
  RULE("EVT-6");
  Listener server;
  Net net;

  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1",
                                  [&] { net.add("callback"); });
  net.record(*socket);
  net.add("connect() has returned");
  socket->on_ready([&] { net.loop().stop(); });
  net.run();

  EXPECT_TRUE(
      net.saw({"connect() has returned", "callback", "connect", "ready"}))
      << "Who calls connect() adds listeners afterwards: they must not miss "
         "an event.";
}

TEST(Connect, FailsOnlyAfterItHasReturned) {
  RULE("EVT-6");
  Folder folder;
  Net net;

  SocketPtr socket = net::connect(net.loop(), folder.path("nobody"));
  net.record(*socket);
  net.add("connect() has returned");
  net.run();

  EXPECT_TRUE(net.saw(
      {"connect() has returned", "error ENOENT", "close after an error"}))
      << "A path fails at once, inside ::connect(). The error event still "
         "waits for the loop: nobody listens before.";
}

TEST(Connect, InsideACallbackReturnsFirst) {
  RULE("EVT-6");
  RefusedPort nobody;
  Net net;
  SocketPtr socket;

  net.loop().set_timeout(0ms, [&] {
    socket = net::connect(net.loop(), nobody.port(), "127.0.0.1");
    net.record(*socket);
    net.add("connect() has returned");
  });
  net.run();

  EXPECT_TRUE(net.saw(
      {"connect() has returned", "error ECONNREFUSED", "close after an error"}))
      << "The same holds for a connect() from inside a callback of the loop.";
}

TEST(Connect, IsConnectingUntilTheConnectEvent) {
  RULE("CONN-1");
  Listener server;
  Net net;
  SocketPtr socket = Socket::create(net.loop());
  auto state = [&](const std::string& when) {
    net.add(when + ": connecting " + yes_no(socket->connecting()) +
            ", pending " + yes_no(socket->pending()) + ", " +
            std::string(socket->ready_state()));
  };

  socket->connect(to(server.port()));
  state("after connect()");
  socket->on_connect([&] { state("in connect"); });
  socket->on_ready([&] { net.loop().stop(); });
  net.run();

  EXPECT_TRUE(net.saw({"after connect(): connecting yes, pending yes, opening",
                       "in connect: connecting no, pending no, open"}))
      << "connecting() and pending() change before the connect event, not "
         "after it.";
}

TEST(Connect, CallbackIsAOneTimeListenerBeforeLaterOnes) {
  RULE("CONN-1");
  Listener server;
  Net net;
  SocketPtr socket = Socket::create(net.loop());
  socket->on_connect([&] { net.add("first"); });

  socket->connect(to(server.port()), [&] { net.add("callback"); });
  socket->on_connect([&] { net.add("last"); });
  socket->on_ready([&] { net.loop().stop(); });
  net.run();
  socket->on_connect.emit();

  EXPECT_TRUE(net.saw({"first", "callback", "last", "first", "last"}))
      << "The callback is a listener for one connect event, added by the call "
         "itself: in the order of all listeners.";
}

TEST(Connect, ReadyFollowsConnect) {
  RULE("CONN-1");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  net.record(*socket);
  socket->on_connect([&] {
    net.loop().defer([&] {
      net.add("deferred by a listener");
      net.loop().stop();
    });
  });

  net.run();

  EXPECT_TRUE(net.saw({"connect", "ready", "deferred by a listener"}))
      << "ready comes directly after connect: nothing gets in between.";
}

TEST(Connect, RefusedIsOneErrorAndThenClose) {
  RULE("CONN-6");
  RefusedPort nobody;
  Net net;
  SocketPtr socket = net::connect(net.loop(), nobody.port(), "127.0.0.1");
  net.record(*socket);

  net.run();

  EXPECT_TRUE(net.saw({"error ECONNREFUSED", "close after an error"}))
      << "Nobody listens at that port. POLLOUT says that the attempt is "
         "decided, not that it went well: SO_ERROR tells.";
}

TEST(Connect, ErrorSaysWhatFailedAndWhere) {
  RULE("CONN-6");
  RefusedPort nobody;
  Net net;
  SocketPtr socket = net::connect(net.loop(), nobody.port(), "127.0.0.1");
  std::string port = std::to_string(nobody.port());
  socket->on_error([&](const Error& error) {
    net.add(error.message);
    net.add(error.syscall + " of " + error.address + ", port " +
            std::to_string(error.port));
    net.add(std::string("destroyed ") + yes_no(socket->destroyed()));
  });

  net.run();

  EXPECT_TRUE(net.saw({"connect ECONNREFUSED 127.0.0.1:" + port,
                       "connect of 127.0.0.1, port " + port, "destroyed yes"}))
      << "An error names the call and the end it was for. When it is told, "
         "the socket is destroyed already.";
}

TEST(Connect, FailureOfTheCallItselfIsAnErrorEvent) {
  RULE("CONN-6");
  Listener server;
  Fault unreachable(Call::kConnect, {fails(ENETUNREACH)});
  DescriptorCheck descriptors;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  net.record(*socket);

  net.run();
  net.end_loop();

  EXPECT_TRUE(net.saw({"error ENETUNREACH", "close after an error"}))
      << "::connect() itself failed here. It is the same to the user.";
  EXPECT_IS(descriptors.left_open(), std::vector<std::string>())
      << "The descriptor of the attempt that failed has to be closed.";
}

TEST(Connect, NoDescriptorLeftIsAnErrorEvent) {
  RULE("CONN-6");
  Listener server;
  Net net;
  Fault none_left(Call::kSocket, {fails(EMFILE)});
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  net.record(*socket);

  net.run();

  EXPECT_TRUE(net.saw({"error EMFILE", "close after an error"}))
      << "Once the loop runs nothing is thrown: also not that ::socket() "
         "failed.";
}

TEST(Connect, ReachesAPath) {
  RULE("UNIX-7");
  Folder folder;
  Listener server(folder.path("x"));
  Net net;
  SocketPtr socket = net::connect(net.loop(), folder.path("x"));
  net.record(*socket);
  record_lookup(net, *socket);
  socket->on_ready([&] { net.loop().stop(); });

  net.run();

  EXPECT_TRUE(net.saw({"connect", "ready"}))
      << "A path is connected to as an address is; nothing is looked up.";
}

TEST(Connect, NothingAtThePathIsENOENT) {
  RULE("UNIX-7");
  Folder folder;
  Net net;
  SocketPtr socket = net::connect(net.loop(), folder.path("nobody"));
  socket->on_error([&](const Error& error) {
    net.add(error.code + " " + error.syscall + " " + error.address);
  });
  socket->on_close([&](bool had_error) {
    net.add(std::string("close, error ") + yes_no(had_error));
  });

  net.run();

  EXPECT_TRUE(
      net.saw({"ENOENT connect " + folder.path("nobody"), "close, error yes"}))
      << "The error's address is the path.";
}

TEST(Connect, FileWithoutAListenerIsECONNREFUSED) {
  RULE("UNIX-7");
  Folder folder;
  { Listener gone(folder.path("x")); }
  Net net;
  SocketPtr socket = net::connect(net.loop(), folder.path("x"));
  net.record(*socket);

  net.run();

  EXPECT_TRUE(net.saw({"error ECONNREFUSED", "close after an error"}))
      << "The file is still there, but the server that made it has gone.";
}

TEST(Connect, PathIsPreferredToAPort) {
  RULE("UNIX-7");
  Folder folder;
  Listener server(folder.path("x"));
  Net net;
  ConnectOptions options = to(-5, "no such host");
  options.path = folder.path("x");
  SocketPtr socket = net::connect(net.loop(), options);
  net.record(*socket);
  socket->on_ready([&] { net.loop().stop(); });

  net.run();

  EXPECT_TRUE(net.saw({"connect", "ready"}))
      << "With a path, host and port do not matter, not even what is wrong "
         "with them.";
}

TEST(Lookup, IsToldBeforeConnect) {
  RULE("CONN-10");
  Names names;
  names.knows("example.test", {"127.0.0.1"});
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "example.test");
  record_lookup(net, *socket);
  net.record(*socket);
  socket->on_ready([&] { net.loop().stop(); });

  net.run();

  EXPECT_TRUE(net.saw({"lookup example.test 127.0.0.1 4", "connect", "ready"}))
      << "A name is looked up, and each address that is found is told with "
         "its family.";
}

TEST(Lookup, IsNotNeededForAnAddress) {
  RULE("CONN-10");
  Names names;
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  record_lookup(net, *socket);
  net.record(*socket);
  socket->on_ready([&] { net.loop().stop(); });

  net.run();

  EXPECT_TRUE(net.saw({"connect", "ready"}))
      << "127.0.0.1 is an address already: nobody is asked, nothing is told.";
}

TEST(Lookup, UnknownNameIsENOTFOUND) {
  RULE("CONN-10");
  Names names;
  names.fails("nowhere.test", EAI_NONAME);
  Net net;
  SocketPtr socket = net::connect(net.loop(), 80, "nowhere.test");
  record_lookup(net, *socket);
  net.record(*socket);
  std::string syscall;
  socket->on_error([&](const Error& error) { syscall = error.syscall; });

  net.run();

  EXPECT_TRUE(net.saw({"lookup nowhere.test ENOTFOUND", "error ENOTFOUND",
                       "close after an error"}))
      << "The lookup event tells of the failure first.";
  EXPECT_IS(syscall, "getaddrinfo") << "This is the call that failed.";
}

TEST(Lookup, IsOfLocalhostWhenNoHostIsGiven) {
  RULE("CONN-10");
  Names names;
  names.knows("localhost", {"127.0.0.1"});
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port());
  record_lookup(net, *socket);
  socket->on_ready([&] { net.loop().stop(); });

  net.run();

  EXPECT_TRUE(net.saw({"lookup localhost 127.0.0.1 4"}))
      << "A port alone is a port of this machine.";
}

TEST(Lookup, KeepsOnlyTheFamilyThatIsAskedFor) {
  RULE("CONN-10");
  Names names;
  names.knows("both.test", {"2001:db8::1", "127.0.0.1"});
  Listener server;
  Net net;
  ConnectOptions options = to(server.port(), "both.test");
  options.family = 4;
  SocketPtr socket = net::connect(net.loop(), options);
  record_lookup(net, *socket);
  socket->on_ready([&] { net.loop().stop(); });

  net.run();

  EXPECT_TRUE(net.saw({"lookup both.test 127.0.0.1 4"}))
      << "family 4 leaves the IPv6 address out.";
}

TEST(Lookup, LeavesTheLoopFree) {
  RULE("LOOKUP-1");
  Names names;
  names.knows("slow.test", {"127.0.0.1"});
  std::promise<void> timer_has_run;
  std::thread::id loops_thread = std::this_thread::get_id();
  names.before([&, waited = timer_has_run.get_future().share()] {
    if (std::this_thread::get_id() == loops_thread)
      return step("resolver", "was called by the loop's own thread");
    waited.wait();
  });
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "slow.test");
  net.record(*socket);
  socket->on_ready([&] { net.loop().stop(); });
  net.loop().set_timeout(1ms, [&] {
    net.add("timer");
    timer_has_run.set_value();
  });

  net.run();

  EXPECT_TRUE(net.saw({"timer", "connect", "ready"}))
      << "getaddrinfo() can take seconds. Called by the loop's own thread it "
         "stops every connection for as long; this resolver answers only "
         "after a timer of the loop has run.";
}

TEST(Lookup, CanBeGivenUp) {
  RULE("LOOKUP-1");
  Names names;
  // It never is: the look-up lasts until the process ends.
  static auto* answered = new std::promise<void>;
  names.before([waited = answered->get_future().share(),
                loops_thread = std::this_thread::get_id()] {
    if (std::this_thread::get_id() != loops_thread) waited.wait();
  });
  Net net;
  SocketPtr socket = net::connect(net.loop(), 80, "never.test");
  net.record(*socket);
  record_lookup(net, *socket);
  net.loop().set_timeout(1ms, [&] { socket->destroy(); });

  net.run();

  EXPECT_TRUE(net.saw({"close"}))
      << "destroy() does not wait for the resolver, and run() does not either: "
         "its answer is not wanted any more.";
}

TEST(Addresses, AreTriedUntilOneAccepts) {
  RULE("CONN-21");
  Names names;
  names.knows("two.test", {"127.0.0.3", "127.0.0.1"});
  Listener server;
  DescriptorCheck descriptors;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "two.test");
  net.record(*socket);
  socket->on_ready([&] { net.loop().stop(); });

  net.run();
  net.end_loop();

  EXPECT_TRUE(net.saw({"connect", "ready"}))
      << "Nobody listens on 127.0.0.3: the second address is to be tried.";
  EXPECT_IS(descriptors.left_open(), std::vector<std::string>())
      << "The descriptor of the refused attempt has to be closed.";
}

TEST(Addresses, FirstErrorIsTheErrorOfAll) {
  RULE("CONN-21");
  Names names;
  names.knows("none.test", {"127.0.0.3", "127.0.0.2"});
  RefusedPort nobody;
  Net net;
  SocketPtr socket = net::connect(net.loop(), nobody.port(), "none.test");
  socket->on_error(
      [&](const Error& error) { net.add(error.code + " " + error.address); });

  net.run();

  EXPECT_TRUE(net.saw({"ECONNREFUSED 127.0.0.3"}))
      << "All were refused: one error, that of the first attempt.";
}

TEST(Addresses, TakeTurnsByFamily) {
  RULE("CONN-21");
  Names names;
  names.knows("many.test", {"127.0.0.3", "127.0.0.2", "::1"});
  RefusedPort nobody;
  Net net;
  SocketPtr socket = net::connect(net.loop(), nobody.port(), "many.test");
  socket->on_error([](const Error&) {});

  net.run();

  std::vector<std::string> families;
  for (const Record& call : calls(Call::kSocket))
    if (call.name == "socket" && call.fd == -1 && call.args.size() == 3)
      families.push_back(call.args[0] == AF_INET6 ? "IPv6" : "IPv4");
  EXPECT_IS(families, (std::vector<std::string>{"IPv4", "IPv6", "IPv4"}))
      << "Where IPv4 is broken as a whole, its addresses must not all be "
         "waited for first: the families take turns.";
}

TEST(Addresses, SilentOneIsNotWaitedForLong) {
  RULE("CONN-21");
  Names names;
  names.knows("half.test", {"127.0.0.1", "127.0.0.3"});
  SilentPort silent;
  Net net;
  std::optional<VirtualClock> clock;
  SocketPtr socket = net::connect(net.loop(), silent.port(), "half.test");
  socket->on_lookup([&](auto&&...) {
    if (!clock) clock.emplace();
  });
  socket->on_error([&](const Error& error) {
    net.add(error.code + " " + error.address + " after " +
            std::to_string(clock->milliseconds()) + " ms");
  });

  net.run();

  EXPECT_TRUE(net.saw({"ETIMEDOUT 127.0.0.1 after 250 ms"}))
      << "While there is another address to try, an attempt has 250 ms. (The "
         "second address refuses; so the first error is told.)";
}

TEST(LocalEnd, CanBeChosen) {
  RULE("CONN-11");
  Listener server;
  int port;
  {
    Listener free;
    port = free.port();
  }
  Net net;
  ConnectOptions options = to(server.port());
  options.local_address = "127.0.0.2";
  options.local_port = port;
  SocketPtr socket = net::connect(net.loop(), options);
  net.record(*socket);
  std::string seen;
  int seen_port = 0;
  socket->on_ready([&] {
    Connection peer = server.accept();
    seen = remote_end(peer, &seen_port);
    net.loop().stop();
  });

  net.run();

  EXPECT_TRUE(net.saw({"connect", "ready"}));
  EXPECT_IS(seen, "127.0.0.2") << "This is where the server sees us.";
  EXPECT_IS(seen_port, port) << "And this is our port.";
}

TEST(LocalEnd, ThatIsTakenFailsBeforeTheServerSeesAnything) {
  RULE("CONN-11");
  Listener server, other;
  Net net;
  ConnectOptions options = to(server.port());
  options.local_address = "127.0.0.1";
  options.local_port = other.port();
  SocketPtr socket = net::connect(net.loop(), options);
  net.add("connect() has returned");
  socket->on_error([&](const Error& error) {
    net.add(error.code + " " + error.syscall + " " +
            (error.port == other.port() ? "of the local port" : "elsewhere"));
  });

  net.run();

  EXPECT_TRUE(
      net.saw({"connect() has returned", "EADDRINUSE bind of the local port"}))
      << "The local end is bound before ::connect(), and the error says so.";
  EXPECT_IS(server.somebody_waits(), false)
      << "Nothing may have reached the server.";
}

TEST(ConnectAgain, BeginsAnew) {
  RULE("CONN-14");
  Listener server;
  Net net;
  SocketPtr socket = Socket::create(net.loop());
  net.record(*socket);
  std::vector<Connection> peers;
  socket->on_ready([&] {
    net.add(std::to_string(socket->bytes_read()) + " read, " +
            std::to_string(socket->bytes_written()) + " written");
    peers.push_back(server.accept());
    peers.back().send("hello");
    peers.back().finish();
    socket->end("abc");
  });
  net.read(*socket);
  socket->on_close([&](bool) {
    if (peers.size() < 2) socket->connect(to(server.port()));
  });

  socket->connect(to(server.port()));
  net.run();

  // Whether data or finish is first is up to the kernel.
  std::vector<std::string> seen;
  for (const std::string& event : net.events)
    if (event != "data hello" && event != "end") seen.push_back(event);
  EXPECT_IS(seen,
            (std::vector<std::string>{"connect", "ready", "0 read, 0 written",
                                      "finish", "close", "connect", "ready",
                                      "0 read, 0 written", "finish", "close"}))
      << "After close the same object lives again: all events, with the same "
         "listeners, and the counters from 0.";
}

TEST(ConnectAgain, ReadsTheNewConnection) {
  RULE("CONN-14");
  Listener server;
  Net net;
  SocketPtr socket = Socket::create(net.loop());
  net.read(*socket);
  int connections = 0;
  socket->on_end([&] { net.add("end"); });
  socket->on_ready([&] {
    Connection peer = server.accept();
    peer.send("number " + std::to_string(++connections));
  });
  socket->on_close([&](bool) {
    if (connections < 2) socket->connect(to(server.port()));
  });

  socket->connect(to(server.port()));
  net.run();

  EXPECT_TRUE(net.saw({"data number 1", "end", "data number 2", "end"}))
      << "That the first connection has ended says nothing about the second.";
}

TEST(ConnectAgain, AfterAFailure) {
  RULE("CONN-14");
  RefusedPort nobody;
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), nobody.port(), "127.0.0.1");
  net.record(*socket);
  socket->on_close([&](bool had_error) {
    if (had_error) socket->connect(to(server.port()));
  });
  socket->on_ready([&] { net.loop().stop(); });

  net.run();

  EXPECT_TRUE(net.saw(
      {"error ECONNREFUSED", "close after an error", "connect", "ready"}))
      << "One who was refused may try again, with the same socket.";
}

TEST(Misuse, OfOptionsIsThrownAtOnce) {
  RULE("CONN-15");
  Net net;
  SocketPtr socket = Socket::create(net.loop());

  EXPECT_IS(usage_error([&] { socket->connect(to(65536)); }),
            "ERR_SOCKET_BAD_PORT")
      << "The highest port is 65535. This is a mistake in the program: an "
         "exception, no event.";
  EXPECT_IS(usage_error([&] { socket->connect(to(-1)); }),
            "ERR_SOCKET_BAD_PORT")
      << "There is no negative port.";
  EXPECT_IS(usage_error([&] { socket->connect(ConnectOptions()); }),
            "ERR_MISSING_ARGS")
      << "Neither a port nor a path: where to?";
  ConnectOptions from = to(80);
  from.local_port = 65536;
  EXPECT_IS(usage_error([&] { socket->connect(from); }), "ERR_SOCKET_BAD_PORT")
      << "The local port is a port, too.";
  from = to(80);
  from.local_address = "localhost";
  EXPECT_IS(usage_error([&] { socket->connect(from); }),
            "ERR_INVALID_IP_ADDRESS")
      << "A local end is an address: no name is looked up for it.";
  EXPECT_IS(socket->connecting(), false) << "None of them has begun.";
}

TEST(Misuse, OfASocketThatIsConnectingIsThrownAtOnce) {
  RULE("CONN-15");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  net.record(*socket);
  socket->on_ready([&] { net.loop().stop(); });

  EXPECT_IS(usage_error([&] { socket->connect(to(server.port())); }),
            "EALREADY")
      << "connect() was called, and is not over.";
  net.run();

  EXPECT_TRUE(net.saw({"connect", "ready"}))
      << "And the attempt that is on does not suffer.";
}

TEST(Misuse, OfASocketThatIsNotClosedIsThrownAtOnce) {
  RULE("CONN-15");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  auto again = [&](const std::string& when) {
    net.add(when + usage_error([&] { socket->connect(to(server.port())); }));
  };

  socket->on_ready([&] {
    again("connected: ");
    socket->destroy();
    again("destroyed: ");
  });
  socket->on_close([&](bool) { net.add("close"); });
  net.run();

  EXPECT_TRUE(net.saw({"connected: EALREADY", "destroyed: EALREADY", "close"}))
      << "A connection is over with its close event, not before.";
}

TEST(DestroyBeforeConnect, LeavesOnlyClose) {
  RULE("CONN-17");
  Listener server;
  DescriptorCheck descriptors;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  net.record(*socket);

  socket->destroy();
  net.add("destroy() has returned");
  net.run();
  net.end_loop();

  EXPECT_TRUE(net.saw({"destroy() has returned", "close"}))
      << "Who gives up wants no connect, and nothing went wrong: no error.";
  EXPECT_IS(descriptors.left_open(), std::vector<std::string>())
      << "Nothing stays open.";
}

TEST(DestroyBeforeConnect, AlsoWhileTheKernelConnects) {
  RULE("CONN-17");
  SilentPort silent;
  Net net;
  DescriptorCheck descriptors;
  SocketPtr socket = net::connect(net.loop(), silent.port(), "127.0.0.1");
  net.record(*socket);

  net.settle();
  socket->destroy();
  net.run();

  EXPECT_TRUE(net.saw({"close"}))
      << "The attempt is under way, and is given up.";
  EXPECT_IS(descriptors.left_open(), std::vector<std::string>())
      << "The descriptor of the attempt has to be closed.";
}

TEST(DestroyBeforeConnect, InTheLookupListener) {
  RULE("CONN-17");
  Names names;
  names.knows("two.test", {"127.0.0.1", "127.0.0.2"});
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "two.test");
  net.record(*socket);
  record_lookup(net, *socket);
  socket->on_lookup([&](auto&&...) { socket->destroy(); });

  net.run();

  EXPECT_TRUE(net.saw({"lookup two.test 127.0.0.1 4", "close"}))
      << "After destroy() no lookup event comes either, though there is a "
         "second address.";
}

TEST(DestroyBeforeConnect, TellsTheCallbacksOfWrites) {
  RULE("CONN-17");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  net.record(*socket);
  socket->write(
      "lost", [&](const Error* error) { net.add("callback " + code(error)); });

  socket->destroy();
  net.run();

  EXPECT_TRUE(net.saw({"callback ERR_STREAM_DESTROYED", "close"}))
      << "What was queued will never be sent, and its callback has to know. "
         "There is no error event: destroy() was asked for.";
}

TEST(DestroyBeforeConnect, OfOneThatNeverConnected) {
  RULE("CONN-17");
  Net net;
  SocketPtr socket = Socket::create(net.loop());
  net.record(*socket);

  socket->destroy();
  net.add("destroy() has returned");
  net.run();

  EXPECT_TRUE(net.saw({"destroy() has returned", "close"}))
      << "close comes for a socket without a connection as well, later.";
}
