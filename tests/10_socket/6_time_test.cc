// Part 6: idle time, and how long a socket lives. No time passes here: the
// clock is the script's.
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/07_event_loop/scripted.h"
#include "tests/10_socket/support.h"

using namespace graded;

namespace {

// A Net without time.
struct Timeless {
  Script script;
  Net net{std::make_unique<net::EventLoop>(script.poller(), script.clock())};

  void note(const std::string& what) { net.add(what + " at " + script.time()); }
  void record(Socket& socket) {
    socket.on_timeout([this] { note("timeout"); });
    socket.on_error(
        [this](const Error& error) { note("error " + error.code); });
    socket.on_close([this](bool) { note("close"); });
    socket.on_data(
        [this](std::string_view bytes) { note("data " + std::string(bytes)); });
  }
  // The loop runs until then, and the socket is destroyed.
  void run_until(std::chrono::milliseconds when, Socket& socket) {
    net.loop().set_timeout(when, [&] { socket.destroy(); });
    net.run();
  }
};

}  // namespace

TEST(Idle, IsToldOnceAndNothingFollows) {
  RULE("TIME-1");
  Timeless world;
  Ends ends = world.net.pair();
  world.record(*ends.socket);

  ends.socket->set_timeout(100ms);
  world.script.at(400ms, [&] { ends.peer.send("hello"); });
  world.run_until(450ms, *ends.socket);

  EXPECT_TRUE(world.net.saw(
      {"timeout at 100 ms", "data hello at 400 ms", "close at 450 ms"}))
      << "timeout says that nothing has moved for so long. It is no error and "
         "no end, and it does not repeat by itself.";
}

TEST(Idle, IsNotToldByDefault) {
  RULE("TIME-1");
  Timeless world;
  Ends ends = world.net.pair();
  world.record(*ends.socket);
  bool none = !ends.socket->timeout().has_value();

  world.run_until(3000ms, *ends.socket);

  EXPECT_IS(none, true) << "timeout() is empty before the first "
                           "set_timeout().";
  EXPECT_TRUE(world.net.saw({"close at 3000 ms"}))
      << "Nobody has asked for a timeout.";
}

TEST(Idle, BeginsAnewWithIncomingBytes) {
  RULE("TIME-2");
  Timeless world;
  Ends ends = world.net.pair();
  world.record(*ends.socket);

  ends.socket->set_timeout(100ms);
  world.script.at(60ms, [&] { ends.peer.send("a"); });
  world.script.at(120ms, [&] { ends.peer.send("b"); });
  world.run_until(400ms, *ends.socket);

  EXPECT_TRUE(world.net.saw({"data a at 60 ms", "data b at 120 ms",
                             "timeout at 220 ms", "close at 400 ms"}))
      << "Each byte begins the 100 ms anew.";
}

TEST(Idle, BeginsAnewWithOutgoingBytes) {
  RULE("TIME-2");
  Timeless world;
  Ends ends = world.net.pair();
  world.record(*ends.socket);

  ends.socket->set_timeout(100ms);
  world.net.loop().set_timeout(60ms, [&] { ends.socket->write("a"); });
  world.net.loop().set_timeout(120ms, [&] { ends.socket->write("b"); });
  world.run_until(400ms, *ends.socket);

  EXPECT_TRUE(world.net.saw({"timeout at 220 ms", "close at 400 ms"}))
      << "What goes out is traffic as well.";
}

TEST(Idle, BeginsAnewWithAQueueThatGetsShorter) {
  RULE("TIME-2");
  Timeless world;
  Ends ends = world.net.pair();
  world.record(*ends.socket);
  ends.socket->write(std::string(1'000'000, 'x'));
  world.net.settle();

  ends.socket->set_timeout(100ms);
  world.script.at(60ms, [&] { arrived(ends.peer); });
  world.run_until(400ms, *ends.socket);

  EXPECT_TRUE(world.net.saw({"timeout at 160 ms", "close at 400 ms"}))
      << "The peer has taken some, and more goes out: that is traffic, though "
         "nobody called write() meanwhile.";
}

TEST(Idle, IsToldAgainAfterNewTraffic) {
  RULE("TIME-2");
  Timeless world;
  Ends ends = world.net.pair();
  world.record(*ends.socket);

  ends.socket->set_timeout(100ms);
  world.script.at(200ms, [&] { ends.peer.send("a"); });
  world.run_until(450ms, *ends.socket);

  EXPECT_TRUE(world.net.saw({"timeout at 100 ms", "data a at 200 ms",
                             "timeout at 300 ms", "close at 450 ms"}))
      << "After a timeout the next traffic sets the clock going again.";
}

TEST(Idle, OfZeroIsNever) {
  RULE("TIME-3");
  Timeless world;
  Ends ends = world.net.pair();
  world.record(*ends.socket);

  ends.socket->set_timeout(100ms);
  world.net.loop().set_timeout(50ms, [&] { ends.socket->set_timeout(0ms); });
  world.script.at(200ms, [&] { ends.peer.send("a"); });
  world.run_until(400ms, *ends.socket);

  EXPECT_TRUE(world.net.saw({"data a at 200 ms", "close at 400 ms"}))
      << "set_timeout(0) switches it off, also for later traffic.";
}

TEST(Idle, NewValueReplacesTheOldOne) {
  RULE("TIME-3");
  Timeless world;
  Ends ends = world.net.pair();
  world.record(*ends.socket);

  ends.socket->set_timeout(100ms);
  world.net.loop().set_timeout(50ms, [&] { ends.socket->set_timeout(70ms); });
  world.run_until(400ms, *ends.socket);

  EXPECT_TRUE(world.net.saw({"timeout at 120 ms", "close at 400 ms"}))
      << "From 50 ms on the interval is 70 ms, and it begins there.";
}

TEST(Idle, IsNotToldOfADestroyedSocket) {
  RULE("TIME-3");
  Timeless world;
  Ends ends = world.net.pair();
  world.record(*ends.socket);

  ends.socket->set_timeout(100ms);
  world.net.loop().set_timeout(50ms, [&] { ends.socket->destroy(); });
  world.net.loop().set_timeout(60ms, [&] { ends.socket->set_timeout(10ms); });
  world.net.loop().set_timeout(400ms, [&] { world.note("the end"); });
  world.net.run();

  EXPECT_TRUE(world.net.saw({"close at 50 ms", "the end at 400 ms"}))
      << "Nothing comes after close, and set_timeout() does nothing then.";
}

TEST(IdleListener, IsCalledOnce) {
  RULE("TIME-6");
  Timeless world;
  Ends ends = world.net.pair();
  ends.socket->on_data([](std::string_view) {});

  Socket& returned =
      ends.socket->set_timeout(100ms, [&] { world.note("listener"); });
  world.script.at(200ms, [&] { ends.peer.send("a"); });
  world.run_until(450ms, *ends.socket);

  EXPECT_IS(&returned == ends.socket.get(), true) << "For chaining.";
  EXPECT_IS(ends.socket->timeout() == 100ms, true)
      << "timeout() is what was set last.";
  EXPECT_TRUE(world.net.saw({"listener at 100 ms"}))
      << "The timeout at 300 ms is not for this listener any more: it is for "
         "one.";
}

TEST(IdleListener, IsRemovedWithTheTimeout) {
  RULE("TIME-6");
  Timeless world;
  Ends ends = world.net.pair();
  auto listener = [&] { world.note("listener"); };

  ends.socket->set_timeout(100ms, listener);
  ends.socket->set_timeout(0ms, listener);
  ends.socket->set_timeout(100ms);
  world.run_until(450ms, *ends.socket);

  EXPECT_TRUE(world.net.saw({}))
      << "set_timeout(0, listener) takes the listener off again.";
}

TEST(IdleListener, IsNotRemovedByAZeroAlone) {
  RULE("TIME-6");
  Timeless world;
  Ends ends = world.net.pair();

  ends.socket->set_timeout(100ms, [&] { world.note("listener"); });
  ends.socket->set_timeout(0ms);
  ends.socket->set_timeout(100ms);
  world.run_until(450ms, *ends.socket);

  EXPECT_TRUE(world.net.saw({"listener at 100 ms"}))
      << "set_timeout(0) switches the time off. The listener still waits for "
         "its one timeout: it goes only when a listener is given with the 0.";
}

TEST(IdleOption, RunsFromBeforeTheConnection) {
  RULE("TIME-6");
  Names names;
  Timeless world;
  SilentPort silent;
  ConnectOptions options;
  options.host = "127.0.0.1";
  options.port = silent.port();
  options.timeout = 100ms;
  SocketPtr socket = net::connect(world.net.loop(), options);
  world.record(*socket);

  world.run_until(300ms, *socket);

  EXPECT_TRUE(world.net.saw({"timeout at 100 ms", "close at 300 ms"}))
      << "The timeout is there from the beginning: the server does not answer, "
         "and this is how one hears of it.";
}

TEST(Alive, OpenSocketKeepsTheLoopRunning) {
  RULE("REF-2");
  Timeless world;
  Ends ends = world.net.pair();
  world.record(*ends.socket);
  ends.socket->pause();
  net::TimerId later = world.net.loop().set_timeout(200ms, [&] {
    world.note("paused, and alive");
    ends.socket->resume();
  });
  world.net.loop().unref(later);
  world.script.at(300ms, [&] { ends.peer.finish(); });

  world.net.run();

  EXPECT_TRUE(world.net.saw({"paused, and alive at 200 ms", "close at 300 ms"}))
      << "A paused socket waits for nothing, but it is open.";
}

TEST(Alive, ConnectingSocketKeepsTheLoopRunning) {
  RULE("REF-2");
  Timeless world;
  SilentPort silent;
  SocketPtr socket = net::connect(world.net.loop(), silent.port(), "127.0.0.1");
  world.record(*socket);
  net::TimerId later =
      world.net.loop().set_timeout(200ms, [&] { socket->destroy(); });
  world.net.loop().unref(later);

  world.net.run();

  EXPECT_TRUE(world.net.saw({"close at 200 ms"}))
      << "An attempt that is under way is a reason to go on.";
}

TEST(Alive, UnreferencedSocketDoesNot) {
  RULE("REF-2");
  Timeless world;
  Ends ends = world.net.pair();
  world.record(*ends.socket);
  ends.socket->set_timeout(100ms);
  net::TimerId later = world.net.loop().set_timeout(
      200ms, [&] { world.note("the loop still runs"); });
  world.net.loop().unref(later);

  bool same = &ends.socket->unref() == ends.socket.get();
  world.net.run();

  EXPECT_IS(same, true) << "unref() returns the socket.";
  EXPECT_TRUE(world.net.saw({}))
      << "Nothing is left but what is unreferenced; an idle timer is no reason "
         "to go on either. And no event is told for it.";
}

TEST(Alive, RefUndoesAnyNumberOfUnref) {
  RULE("REF-2");
  Timeless world;
  Ends ends = world.net.pair();
  world.record(*ends.socket);
  net::TimerId later =
      world.net.loop().set_timeout(200ms, [&] { ends.socket->destroy(); });
  world.net.loop().unref(later);

  ends.socket->unref().unref().ref();
  world.net.run();

  EXPECT_TRUE(world.net.saw({"close at 200 ms"}))
      << "It is a switch, not a counter.";
}

TEST(Alive, UnreferencedBeforeConnectIsRemembered) {
  RULE("REF-2");
  Timeless world;
  SilentPort silent;
  SocketPtr socket = Socket::create(world.net.loop());
  world.record(*socket);
  socket->unref();
  ConnectOptions options;
  options.port = silent.port();
  options.host = "127.0.0.1";
  socket->connect(options);
  net::TimerId later = world.net.loop().set_timeout(
      200ms, [&] { world.note("the loop still runs"); });
  world.net.loop().unref(later);

  world.net.run();

  EXPECT_TRUE(world.net.saw({})) << "unref() holds for what comes later.";
}

TEST(Alive, UnreferencedSocketHearsEverything) {
  RULE("REF-2");
  Timeless world;
  Ends ends = world.net.pair();
  world.record(*ends.socket);
  ends.socket->unref();
  world.script.at(50ms, [&] { ends.peer.send("a"); });
  world.net.loop().set_timeout(100ms, [&] { world.note("timer"); });

  world.net.run();

  EXPECT_TRUE(world.net.saw({"data a at 50 ms", "timer at 100 ms"}))
      << "As long as something else keeps the loop running, an unreferenced "
         "socket is like any other.";
}

TEST(Ownership, LoopKeepsAnOpenSocketAlive) {
  RULE("OWN-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  net.read(*ends.socket);
  std::weak_ptr<Socket> weak = ends.socket;

  ends.socket.reset();
  ends.peer.send("hello");
  ends.peer.finish();
  net.run();

  EXPECT_TRUE(net.saw({"data hello", "end", "finish", "close"}))
      << "Nobody holds the socket any more, but it is open.";
  EXPECT_IS(weak.expired(), true)
      << "After close the loop has let go of it, and it is gone.";
}

TEST(Ownership, ListenerMayHoldItsOwnSocket) {
  RULE("OWN-1");
  Net net;
  Ends ends = net.pair();
  std::weak_ptr<Socket> weak = ends.socket;
  ends.socket->on_data([&, socket = ends.socket](std::string_view bytes) {
    socket->write(bytes, [socket] {});
  });
  ends.socket->on_close([&, socket = ends.socket](bool) { net.add("close"); });
  ends.socket.reset();
  ends.peer.send("hello");
  ends.peer.finish();

  net.run();

  EXPECT_TRUE(net.saw({"close"}));
  EXPECT_IS(weak.expired(), true)
      << "The listeners hold the socket, and the socket holds the listeners: "
         "one turn after close they are dropped, or neither ever goes.";
}

TEST(Ownership, ListenersStayForTheNextConnection) {
  RULE("OWN-1");
  Listener server;
  Net net;
  SocketPtr socket = Socket::create(net.loop());
  socket->on_ready([&] {
    net.add("ready");
    server.accept();
  });
  socket->on_end([&] { net.add("end"); });
  ConnectOptions options;
  options.port = server.port();
  options.host = "127.0.0.1";
  int connections = 1;
  socket->on_close([&](bool) {
    if (connections++ < 2) net.loop().defer([&] { socket->connect(options); });
  });
  socket->connect(options);

  net.run();
  std::size_t left = socket->on_ready.listener_count();

  EXPECT_TRUE(net.saw({"ready", "end", "ready", "end"}))
      << "It was connecting again in the turn after close: so its listeners "
         "are still wanted.";
  EXPECT_IS(left, 0u) << "After the last close they are dropped.";
}

TEST(Ownership, LoopThatGoesTakesItsSocketsAlong) {
  RULE("OWN-1");
  DescriptorCheck descriptors;
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  std::weak_ptr<Socket> weak = ends.socket;
  ends.socket->on_data([socket = ends.socket](std::string_view) {});
  ends.socket->write(std::string(1'000'000, 'x'), [socket = ends.socket] {});
  net.settle();
  ends.socket.reset();

  net.end_loop();

  EXPECT_IS(weak.expired(), true)
      << "The loop is gone, and nothing can happen to the socket any more: "
         "whatever holds it has to let go.";
  EXPECT_IS(descriptors.left_open(), std::vector<std::string>())
      << "Its descriptor is closed.";
  EXPECT_TRUE(net.saw({})) << "But no event is told, not even close.";
}

TEST(Ownership, LoopThatGoesBetweenDestroyAndClose) {
  RULE("OWN-1");
  Net net;
  Ends ends = net.pair();
  std::weak_ptr<Socket> weak = ends.socket;
  net.record(*ends.socket);
  ends.socket->on_close([socket = ends.socket](bool) {});
  ends.socket->destroy();
  ends.socket.reset();

  net.end_loop();

  EXPECT_TRUE(net.saw({})) << "The loop did not run: nothing was told.";
  EXPECT_IS(weak.expired(), true)
      << "close was still to come, and its listener holds the socket.";
}
