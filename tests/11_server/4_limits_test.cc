#include <cerrno>
#include <string>
#include <vector>

#include "chapters/11_server/server.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"
#include "tests/11_server/support.h"

using namespace graded;

TEST(MaxConnections, TurnsAwayWhoIsTooMany) {
  RULE("MAXC-1");
  World world;
  world.server->max_connections(1);
  world.listen();
  Connection first = world.client("first");
  world.until("connection");
  Connection second = world.client("second");

  world.until("drop");
  world.settle();
  EXPECT_IS(arrived(second), "<FIN>")
      << "The one too many is accepted and closed at once: it reads the end.";
  EXPECT_IS(arrived(first), "") << "The first one is left alone.";
  world.add("connections: " + world.connections());

  EXPECT_TRUE(world.saw({"listening", "connection", "drop", "connections: 1"}))
      << "on_drop comes in place of on_connection, and that client is not "
         "counted.";
}

TEST(MaxConnections, DropSaysWho) {
  RULE("MAXC-3");
  World world;
  world.server->max_connections(1);
  EXPECT_IS(world.server->max_connections(), 1) << "The limit can be read.";
  std::vector<DropInfo> drops;
  world.server->on_drop([&](const DropInfo& info) { drops.push_back(info); });
  world.listen({.port = 0, .host = "127.0.0.1"});
  Connection first = world.client("first"), second = world.client("second");

  world.until([&] { return drops.size() == 1; });

  ASSERT_IS(drops.size(), 1u) << "One was turned away.";
  DropInfo& it = drops[0];
  EXPECT_IS(it.local_address + " " + it.local_family, "127.0.0.1 IPv4")
      << "The local end is the server's.";
  EXPECT_IS(it.local_port, static_cast<int>(world.port()))
      << "The local port is the server's.";
  EXPECT_IS(it.remote_address + " " + it.remote_family, "127.0.0.1 IPv4")
      << "The remote end is the client's.";
  EXPECT_IS(it.remote_port > 0 && it.remote_port != it.local_port, true)
      << "The remote port is the client's.";
}

TEST(MaxConnections, DropAtAPath) {
  RULE("MAXC-3");
  World world;
  Folder folder;
  world.server->max_connections(1);
  std::string told = "nothing";
  world.server->on_drop([&](const DropInfo& it) {
    told = "(" + it.local_address + it.local_family + it.remote_address +
           it.remote_family + std::to_string(it.local_port + it.remote_port) +
           ")";
  });
  world.listen({.path = folder.path("a.sock")});
  Connection first = Connection::to_path(folder.path("a.sock"), "first");
  Connection second = Connection::to_path(folder.path("a.sock"), "second");

  world.until([&] { return told != "nothing"; });

  EXPECT_IS(told, "(0)") << "At a path there are no addresses to tell.";
}

TEST(MaxConnections, IsAboutOpenOnes) {
  RULE("MAXC-4");
  World world;
  world.server->max_connections(1);
  world.listen();
  Connection first = world.client("first");
  world.until("connection");
  world.accepted[0]->destroy();
  world.settle();

  Connection second = world.client("second");
  world.until([&] { return world.events.size() == 3; });
  Connection third = world.client("third");
  world.until("drop");
  world.server->max_connections(0);
  Connection fourth = world.client("fourth");
  world.until("connection");

  EXPECT_TRUE(world.saw(
      {"listening", "connection", "connection", "drop", "connection"}))
      << "When one is gone there is room again; and the limit can change while "
         "the server listens, 0 being none.";
}

TEST(NoDescriptors, TurnsAwayWhoWaits) {
  RULE("ACC-10");
  World world;
  world.listen();
  Connection first = world.client("first"), second = world.client("second");
  std::size_t asked = 0;
  {
    FullTable full;
    world.settle();
    asked = count_calls(Call::kAccept);
  }

  EXPECT_IS(arrived(first) + " " + arrived(second), "<FIN> <FIN>")
      << "There is no descriptor for them, and there may be none for long: "
         "they learn it at once.";
  EXPECT_IS(asked <= 10, true)
      << "Two clients need few accept(). " << asked
      << " of them: each says EMFILE, also when nobody waits.";
  Connection third = world.client("third");
  world.until("connection");
  EXPECT_TRUE(world.saw({"listening", "connection"}))
      << "Once there are descriptors, clients are served as ever.";
}

TEST(NoDescriptors, TheLastOneIsUsed) {
  RULE("ACC-10");
  World world;
  world.listen();
  Connection first = world.client("first"), second = world.client("second");
  Connection third = world.client("third");
  {
    FullTable full(1);
    world.settle();
  }

  EXPECT_TRUE(world.saw({"listening", "connection"}))
      << "One descriptor was left: for the first client.";
  EXPECT_IS(arrived(first), "") << "It is served.";
  EXPECT_IS(arrived(second) + " " + arrived(third), "<FIN> <FIN>")
      << "The others are turned away. The spare descriptor is there again "
         "after the first of them.";
}

TEST(NoDescriptors, DoesNotRestWhenNobodyWaits) {
  RULE("ACC-10");
  VirtualClock clock;
  World world;
  world.listen();
  Connection first = world.client("first");
  LateClient late;
  {
    FullTable full(1);
    world.settle();
    late.connect(world.port());
    world.settle();
  }

  EXPECT_IS(arrived(late.wire()), "<FIN>")
      << "The first client took the last descriptor, and nobody waited behind "
         "it. The next one is turned away at once, without a rest: no time "
         "has passed.";
}

TEST(NoDescriptors, TurnsAwayAtAPathAndOnADescriptor) {
  RULE("ACC-10");
  Folder folder;
  std::string path = folder.path("a.sock");
  for (ListenOptions options :
       {ListenOptions{.path = path}, ListenOptions{.fd = bound_socket()}}) {
    World world;
    world.listen(options);
    Connection client =
        options.fd < 0 ? Connection::to_path(path, "client") : world.client();
    {
      FullTable full;
      world.settle();
    }

    EXPECT_IS(arrived(client), "<FIN>")
        << (options.fd < 0 ? "At a path" : "On a descriptor that was given")
        << " the server has a descriptor in reserve, too.";
  }
}

TEST(NoDescriptors, RestsWhenNothingHelps) {
  RULE("ACC-10");
  for (int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    World world;
    world.listen();
    Connection client = world.client();
    std::size_t before = count_calls(Call::kAccept);
    {
      Fault nothing(Call::kAccept, {always(fails(error))});
      world.settle();
    }

    EXPECT_IS(count_calls(Call::kAccept) - before <= 4, true)
        << errno_name(error) << " each time: the server looks away for a "
        << "while, instead of asking in each turn.";
    world.until("connection");
    EXPECT_TRUE(world.saw({"listening", "connection"}))
        << "After a while it asks again, and the client is served.";
  }
}

TEST(NoDescriptors, ClosedWhileItRests) {
  RULE("ACC-10");
  World world;
  world.listen();
  Connection client = world.client();
  {
    Fault nothing(Call::kAccept, {always(fails(ENOMEM))});
    world.settle();
  }

  world.server->close();
  world.loop.set_timeout(100ms, [] {});
  world.loop.run();

  EXPECT_TRUE(world.saw({"listening", "close"}))
      << "What waits for the end of the rest must not touch a server that was "
         "closed.";
}

TEST(Ref, KeepsRunGoing) {
  RULE("REF-1");
  World world;
  world.listen();
  world.loop.set_timeout(1ms, [&] { world.add("timer"); });
  world.loop.set_timeout(2ms, [&] {
    world.add("unref() returns the server: " +
              yes_no(&world.server->unref() == world.server.get()));
    world.server->unref();
  });

  world.loop.run();
  world.add("run() returned");
  world.server->ref();
  world.server->ref();
  world.loop.set_timeout(1ms, [&] { world.server->close(); });
  world.loop.run();

  EXPECT_TRUE(
      world.saw({"listening", "timer", "unref() returns the server: yes",
                 "run() returned", "close"}))
      << "A server that listens keeps run() going until unref(), and again "
         "from ref() to close().";
}

TEST(Ref, UnrefIsRemembered) {
  RULE("REF-1");
  World world;

  world.server->unref();
  world.server->listen({.port = 0});
  world.loop.run();
  world.add("run() returned");

  EXPECT_TRUE(world.saw({"listening", "run() returned"}))
      << "unref() came before listen(), and counts.";
}

TEST(Ref, UnreferencedServes) {
  RULE("REF-1");
  World world;
  world.server->unref();
  world.listen();
  Connection client = world.client();
  world.then = [&](SocketPtr) { world.loop.stop(); };
  world.loop.set_timeout(3s, [&] { world.add("nobody came"); });

  world.loop.run();

  EXPECT_TRUE(world.saw({"listening", "connection"}))
      << "As long as something else keeps run() going, an unreferenced server "
         "accepts.";
}
