#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/11_server/server.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"
#include "tests/11_server/support.h"

using namespace graded;

TEST(Close, RefusesAtOnce) {
  RULE("SCLOSE-1");
  World world;
  world.listen();
  std::uint16_t port = world.port();
  Connection waits = world.client();

  world.server->close();
  EXPECT_IS(try_connect("127.0.0.1", port), "ECONNREFUSED")
      << "The listening socket is closed when close() returns.";
  world.until("close");

  EXPECT_TRUE(world.saw({"listening", "close"}))
      << "Who waited to be accepted is no connection any more.";
  EXPECT_IS(arrived(waits), "<RST>") << "The kernel tells him.";
}

TEST(Close, InTheListenerOfAConnection) {
  RULE("SCLOSE-1");
  World world;
  world.listen();
  world.then = [&](SocketPtr socket) {
    world.server->close();
    socket->end();
  };
  Connection first = world.client("first"), second = world.client("second");
  Connection third = world.client("third");

  world.until([&] { return world.accepted.size() > 0; });
  first.finish();
  world.until("close");

  EXPECT_TRUE(world.saw({"listening", "connection", "close"}))
      << "Three clients waited, and the first one's listener closed the "
         "server: it accepts no other.";
}

TEST(Close, AndListenInTheListenerOfAConnection) {
  RULE("SCLOSE-1");
  World world;
  world.listen();
  std::vector<Connection> clients;
  clients.push_back(world.client("first"));
  clients.push_back(world.client("second"));
  world.then = [&](SocketPtr) {
    world.then = {};
    world.server->close();
    world.server->listen({.port = 0});
    clients.push_back(world.client("third"));
  };

  world.until([&] { return world.accepted.size() == 2; });
  world.settle();

  EXPECT_TRUE(world.saw({"listening", "connection", "listening", "connection"}))
      << "The second client waited at the old socket, and is gone with it. The "
         "new one is told of, and then accepts.";
}

TEST(Close, IsToldLater) {
  RULE("SCLOSE-2");
  World world;
  world.listen();

  Server& returned = world.server->close();
  world.add(&returned == world.server.get() ? "close() returned the server"
                                            : "close() returned another one");
  world.until("close");

  EXPECT_TRUE(world.saw({"listening", "close() returned the server", "close"}))
      << "on_close never comes before close() has returned.";
}

TEST(Close, OfAServerThatDoesNotListen) {
  RULE("SCLOSE-2");
  World world;

  world.server->close();
  world.add("close() returned");
  world.until("close");

  EXPECT_TRUE(world.saw({"close() returned", "close"}))
      << "It is closed, and told later, as ever.";
}

TEST(Close, TwiceIsOneEvent) {
  RULE("SCLOSE-2");
  World world;
  world.listen();
  Connection client = world.client();
  world.until("connection");

  world.server->close();
  world.server->close();
  world.accepted[0]->destroy();
  world.until("close");
  world.settle();

  EXPECT_TRUE(world.saw({"listening", "connection", "close"}))
      << "Two close() while a connection is open lead to one on_close.";
}

TEST(Close, WaitsForTheLastConnection) {
  RULE("SCLOSE-3");
  World world;
  world.then = [&](SocketPtr socket) {
    net::Socket& it = *socket;
    it.on_data([&](std::string_view bytes) { it.write(bytes); });
  };
  world.listen();
  Connection first = world.client("first"), second = world.client("second");
  world.until([&] { return world.accepted.size() == 2; });

  world.server->close();
  first.finish();
  world.until([&] {
    return world.accepted[0]->destroyed() || world.accepted[1]->destroyed();
  });
  world.settle();
  world.add("one is gone");
  second.send("still here?");
  world.settle();
  EXPECT_IS(arrived(second), "still here?")
      << "close() leaves connections alone: they are served as before.";
  second.finish();
  world.until("close");

  EXPECT_TRUE(world.saw(
      {"listening", "connection", "connection", "one is gone", "close"}))
      << "on_close waits for the last connection.";
}

TEST(Close, AfterAConnectionThatFailed) {
  RULE("SCLOSE-3");
  World world;
  world.then = [&](SocketPtr socket) {
    socket->on_error([&](const Error& e) { world.add("error " + e.code); });
    socket->resume();
  };
  world.listen();
  Connection client = world.client();
  world.until("connection");

  world.server->close();
  client.reset();
  world.until("close");

  EXPECT_TRUE(
      world.saw({"listening", "connection", "error ECONNRESET", "close"}))
      << "A connection that ended with an error is gone, too.";
}

TEST(Close, CallsBackOnce) {
  RULE("SCLOSE-5");
  World world;
  world.listen();
  Connection client = world.client();
  world.until("connection");

  world.server->close([&](const Error* e) { world.add("first " + code(e)); });
  world.server->close([&](const Error* e) { world.add("second " + code(e)); });
  world.accepted[0]->destroy();
  world.until([&] { return world.events.size() >= 5; });
  world.listen();
  world.server->close();
  world.until("close");

  EXPECT_TRUE(
      world.saw({"listening", "connection", "close", "first ok",
                 "second ERR_SERVER_NOT_RUNNING", "listening", "close"}))
      << "A callback is a listener for one on_close. The second close() found "
         "a server that did not listen, and says so.";
}

TEST(Connections, AreCounted) {
  RULE("GETC-1");
  World world;
  world.listen();
  bool told = false;
  Server& returned =
      world.server->get_connections([&](const Error*, int) { told = true; });
  EXPECT_IS(told, false) << "It is told later, not inside the call.";
  EXPECT_IS(&returned, world.server.get()) << "It returns the server.";

  EXPECT_IS(world.connections(), "0") << "Nobody has come.";
  Connection first = world.client("first"), second = world.client("second");
  world.until([&] { return world.accepted.size() == 2; });
  EXPECT_IS(world.connections(), "2") << "Two are open.";
  world.accepted[0]->destroy();
  world.settle();
  EXPECT_IS(world.connections(), "1") << "One was destroyed.";
  world.accepted[1]->destroy();
  world.server->close();
  world.until("close");

  EXPECT_IS(world.connections(), "0") << "A closed server has none.";
}

TEST(Connections, AreCountedOnce) {
  RULE("GETC-1");
  World world;
  Peer elsewhere([](Connection& it) { it.close(); });
  int closed = 0;
  world.then = [&](SocketPtr socket) {
    net::Socket& it = *socket;
    it.on_close([&](bool) {
      if (++closed == 1) it.connect(elsewhere.port(), "127.0.0.1");
    });
    it.on_end([] {});
    it.resume();
  };
  world.listen();
  Connection first = world.client("first");
  world.until("connection");
  first.finish();
  world.until([&] { return closed == 2; });
  world.then = {};
  Connection second = world.client("second");
  world.until([&] { return world.accepted.size() == 2; });

  EXPECT_IS(world.connections(), "1")
      << "After its close the first socket has connected to another place, and "
         "closed again. That one was no connection of this server.";
}

TEST(Ownership, LoopThatEndsFirst) {
  RULE("OWN-1");
  Folder folder;
  std::string path = folder.path("a.sock");
  DescriptorCheck check;
  std::weak_ptr<Server> seen;
  {
    EventLoop loop;
    auto server = net::create_server(loop);
    seen = server;
    bool listening = false;
    server->listen(path, [&] { listening = true; });
    server.reset();
    while (!listening) loop.run_once(100ms);
    EXPECT_IS(seen.expired(), false)
        << "A server that listens needs nobody who holds it: the loop does.";
  }

  EXPECT_IS(seen.expired(), true)
      << "When its loop is destroyed the server goes, too.";
  EXPECT_IS(check.left_open(), std::vector<std::string>{})
      << "Its descriptors are closed.";
  EXPECT_IS(what_is_at(path), "nothing") << "Its file is removed.";
}

TEST(Ownership, LoopThatEndsWhileAHostIsResolved) {
  RULE("OWN-1");
  std::weak_ptr<Server> seen;
  {
    EventLoop loop;
    auto server = net::create_server(loop);
    seen = server;
    server->listen(0, "localhost");
    server.reset();
    EXPECT_IS(seen.expired(), false)
        << "A server that is about to listen needs nobody who holds it.";
  }

  EXPECT_IS(seen.expired(), true)
      << "When its loop is destroyed the server goes, too.";
}

TEST(Ownership, ServerThatIsClosed) {
  RULE("OWN-1");
  World world;
  DescriptorCheck check;
  world.listen();
  Connection client = world.client();
  world.until("connection");
  world.accepted[0]->destroy();
  world.accepted.clear();
  world.server->close();
  world.until("close");
  std::weak_ptr<Server> seen = world.server;
  world.server.reset();
  world.settle();

  EXPECT_IS(seen.expired(), true)
      << "It does not listen and has no connections: nobody needs it.";
  EXPECT_IS(check.left_open(), std::vector<std::string>{})
      << "All of its descriptors are closed, the spare one, too.";
}
