#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "chapters/11_server/server.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"
#include "tests/11_server/support.h"

using namespace graded;

TEST(Listen, TellsLaterThatItListens) {
  RULE("LISTEN-1");
  World world;

  Server& returned =
      world.server->listen({.port = 0}, [&] { world.add("callback"); });
  world.add(&returned == world.server.get() ? "listen() returned the server"
                                            : "listen() returned another one");
  world.until("callback");
  world.settle();

  EXPECT_TRUE(
      world.saw({"listen() returned the server", "listening", "callback"}))
      << "on_listening comes once, and never before listen() has returned; the "
         "callback is a listener that was added by the call.";
}

TEST(Listen, CallbackIsForOneTime) {
  RULE("LISTEN-1");
  World world;
  world.server->listen({.port = 0}, [&] { world.add("callback"); });
  world.until("callback");
  world.server->close();
  world.until("close");

  world.listen();

  EXPECT_TRUE(world.saw({"listening", "callback", "close", "listening"}))
      << "The callback of listen() hears of one on_listening, not of the next "
         "one, which another listen() caused.";
}

TEST(Listen, AddressSaysWhere) {
  RULE("LISTEN-4");
  World world;

  world.server->listen(0, "127.0.0.1");
  world.until("listening");

  auto address = world.server->address();
  ASSERT_IS(address.has_value(), true) << "It listens: address() says where.";
  EXPECT_IS(address->address + " " + address->family, "127.0.0.1 IPv4")
      << "The host was given, and it is an IPv4 address.";
  EXPECT_IS(try_connect("127.0.0.1", world.port()), "connected")
      << "Port 0 means a free one, and address() tells which it is.";
}

TEST(Listen, SaysWhetherItListens) {
  RULE("LISTEN-6");
  World world;
  auto note = [&](const std::string& when) {
    world.add(when + ": " + yes_no(world.server->listening()) +
              ", address: " + yes_no(world.server->address().has_value()));
  };
  world.server->on_listening([&] { note("in on_listening"); });

  note("before");
  world.server->listen({.port = 0});
  world.until([&] { return world.events.size() == 3; });
  Connection client = world.client();
  world.until("connection");
  world.server->close();
  note("after close()");

  EXPECT_TRUE(world.saw({"before: no, address: no", "listening",
                         "in on_listening: yes, address: yes", "connection",
                         "after close(): no, address: no"}))
      << "listening() and address() belong to the listening socket: it is gone "
         "when close() returns, also while a connection is open.";
}

TEST(Listen, WithoutHostEveryAddress) {
  RULE("LISTEN-21");
  World world;

  world.listen();

  EXPECT_IS(try_connect("127.0.0.1", world.port()), "connected")
      << "Without a host, clients of IPv4 are served ...";
  if (!ipv6_works()) return;
  EXPECT_IS(try_connect("::1", world.port()), "connected")
      << "... and those of IPv6 at the same port.";
}

TEST(Listen, Ipv6OnlyLeavesIpv4Out) {
  RULE("LISTEN-21");
  World world;
  if (!ipv6_works()) {
    world.listen();
    return;
  }

  world.server->listen({.port = 0, .host = "::", .ipv6_only = true});
  world.until("listening");

  EXPECT_IS(try_connect("::1", world.port()), "connected")
      << "ipv6_only is about IPv4: those of IPv6 are served.";
  EXPECT_IS(try_connect("127.0.0.1", world.port()), "ECONNREFUSED")
      << "With ipv6_only no client of IPv4 is served.";
}

TEST(Listen, PortThatIsTaken) {
  RULE("LISTEN-7");
  World world;
  RefusedPort taken;
  Error seen;
  world.server->on_error([&](const Error& error) { seen = error; });

  world.server->listen(taken.port(), "127.0.0.1");
  world.add("listen() returned");
  world.until("error EADDRINUSE");
  world.settle();

  EXPECT_TRUE(world.saw({"listen() returned", "error EADDRINUSE"}))
      << "It is told later, as on_error, and nothing follows it: neither "
         "on_listening nor on_close.";
  EXPECT_IS(seen.syscall, "listen")
      << "Whichever call failed, it is listen() that did not work.";
  EXPECT_IS(seen.address + " " + std::to_string(seen.port),
            "127.0.0.1 " + std::to_string(taken.port()))
      << "The error says which address and port.";
}

TEST(Listen, HostThatIsElsewhere) {
  RULE("LISTEN-7");
  World world;

  world.server->listen(0, "192.0.2.1");
  world.add("listen() returned");
  world.until("error EADDRNOTAVAIL");
  world.add("listening: " + yes_no(world.server->listening()));

  EXPECT_TRUE(
      world.saw({"listen() returned", "error EADDRNOTAVAIL", "listening: no"}))
      << "192.0.2.1 is not an address of this machine.";
}

TEST(Listen, ErrorThatNobodyHears) {
  RULE("LISTEN-7");
  World world;
  world.server->on_error.clear();
  RefusedPort taken;

  world.server->listen(taken.port(), "127.0.0.1");
  std::string thrown = "nothing";
  try {
    world.until([] { return false; });
  } catch (const Error& error) {
    thrown = error.code;
  }

  EXPECT_IS(thrown, "EADDRINUSE")
      << "An error that nobody listens to is not swallowed: it leaves run().";
}

TEST(Listen, AgainAfterAnError) {
  RULE("LISTEN-8");
  World world;
  RefusedPort taken;
  bool again = false;
  world.server->on_error([&](const Error&) {
    if (!again) world.server->listen({.port = 0});
    again = true;
  });

  world.server->listen(taken.port(), "127.0.0.1");
  world.until("listening");
  Connection client = world.client();
  world.until("connection");

  EXPECT_TRUE(world.saw({"error EADDRINUSE", "listening", "connection"}))
      << "In the listener of the error it can listen elsewhere.";
}

TEST(Listen, AgainAfterClose) {
  RULE("LISTEN-8");
  World world;
  world.listen();
  world.server->close();
  world.until("close");

  world.listen();
  Connection client = world.client();
  world.until("connection");

  EXPECT_TRUE(world.saw({"listening", "close", "listening", "connection"}))
      << "A server that was closed can listen again, and serves.";
}

TEST(Listen, AgainWhileAConnectionIsOpen) {
  RULE("LISTEN-8");
  World world;
  world.listen();
  Connection client = world.client();
  world.until("connection");
  world.server->close();

  world.listen();
  world.accepted[0]->destroy();
  world.settle();

  EXPECT_TRUE(world.saw({"listening", "connection", "listening"}))
      << "close(), then listen() while a connection is open; then that ends. "
         "There is no on_close: the server listens.";
}

TEST(Listen, TwiceIsRefused) {
  RULE("LISTEN-9");
  World world;
  world.listen();

  std::string answer = usage_error([&] { world.server->listen({.port = 0}); });
  Connection client = world.client();
  world.until("connection");

  EXPECT_IS(answer, "ERR_SERVER_ALREADY_LISTEN")
      << "It listens: a second listen() is a mistake of the caller.";
  EXPECT_TRUE(world.saw({"listening", "connection"}))
      << "The server goes on as if nobody had asked.";
}

TEST(Listen, TwiceAtOnceIsRefused) {
  RULE("LISTEN-9");
  World world;
  world.server->listen(0, "localhost");

  std::string answer = usage_error([&] { world.server->listen({.port = 0}); });

  EXPECT_IS(answer, "ERR_SERVER_ALREADY_LISTEN")
      << "It is about to listen: the host is being resolved.";
}

TEST(Listen, OnADescriptor) {
  RULE("LISTEN-13");
  World world;
  int fd = bound_socket();

  world.listen({.port = 1, .fd = fd});
  EXPECT_IS(world.server->address()->address, "127.0.0.1")
      << "address() is that of the socket which was given. It comes before a "
         "port.";
  Connection client = world.client();
  world.until("connection");

  EXPECT_TRUE(world.saw({"listening", "connection"}))
      << "Clients of that socket are served.";
}

TEST(Listen, OnADescriptorThatIsNoSocket) {
  RULE("LISTEN-13");
  World world;
  int fds[2];
  {
    Unwatched ours;
    if (::pipe(fds) < 0) throw std::runtime_error("pipe()");
  }
  OwnFd read(fds[0]), write(fds[1]);

  world.server->listen({.fd = read.get()});
  world.add("listen() returned");
  world.until("error EINVAL");

  EXPECT_TRUE(world.saw({"listen() returned", "error EINVAL"}))
      << "A pipe cannot be listened on. That is an event, no exception.";
  EXPECT_IS(::lseek(read.get(), 0, SEEK_CUR) == -1 && errno == ESPIPE, true)
      << "It is not the server's: it stays open.";
}

TEST(Listen, ClosedBeforeItIsTold) {
  RULE("LISTEN-15");
  for (std::string host : {"", "127.0.0.1"}) {
    World world;

    world.server->listen(0, host, 511, [&] { world.add("callback"); });
    world.server->close();
    world.until("close");
    // The same way, twice: by then the first answer has come, too.
    for (int i = 0; i < 2; ++i) {
      bool there = false;
      auto other = net::create_server(world.loop);
      other->listen(0, host, 511, [&] { there = true; });
      world.until([&] { return there; });
      other->close();
    }
    world.settle();

    EXPECT_TRUE(world.saw({"close"}))
        << "close() came before on_listening: it never comes, and the server "
           "does not listen.";
    EXPECT_IS(world.server->listening(), false)
        << "close() ended the listen(), also while a host is resolved.";
  }
}

TEST(Listen, AgainBeforeItIsTold) {
  RULE("LISTEN-15");
  World world;

  world.server->listen({.port = 0});
  world.server->close();
  world.server->listen({.port = 0});
  world.until("listening");
  world.settle();

  EXPECT_TRUE(world.saw({"close", "listening"}))
      << "listen(), close(), listen(): the first one never tells, not even "
         "for the second one.";
}

TEST(Listen, BacklogGoesToTheKernel) {
  RULE("LISTEN-16");
  World world;
  auto backlog = [&] {
    Record call = last_call(Call::kListen);
    return call.args.empty() ? -1 : static_cast<int>(call.args.back());
  };

  world.listen();
  EXPECT_IS(backlog(), 511) << "Node's number, if none is given.";
  world.server->close();
  world.until("close");
  world.listen({.port = 0, .backlog = 7});

  EXPECT_IS(backlog(), 7) << "listen(2) is told how many may wait.";
}

TEST(Listen, WhatCannotBe) {
  RULE("LISTEN-19");
  World world;

  EXPECT_IS(usage_error([&] { world.server->listen(65536); }),
            "ERR_SOCKET_BAD_PORT")
      << "Ports end at 65535.";
  EXPECT_IS(usage_error([&] { world.server->listen({.port = -1}); }),
            "ERR_SOCKET_BAD_PORT")
      << "There are no negative ports.";
  EXPECT_IS(usage_error([&] { world.server->listen(ListenOptions{}); }),
            "ERR_INVALID_ARG_VALUE")
      << "Neither a descriptor, nor a port, nor a path.";
  world.listen();
  EXPECT_TRUE(world.saw({"listening"}))
      << "A listen() that threw has not begun: the next one may.";
}

TEST(Listen, PortComesBeforePath) {
  RULE("LISTEN-19");
  World world;
  Folder folder;

  world.listen({.port = 0, .path = folder.path("a.sock")});

  EXPECT_IS(world.server->address()->port > 0, true)
      << "Of a port and a path the port is taken.";
  EXPECT_IS(what_is_at(folder.path("a.sock")), "nothing")
      << "The path is ignored: nothing is made there.";
}

TEST(Listen, RightAfterAnotherServer) {
  RULE("LISTEN-22");
  World world;
  world.server->listen(0, "127.0.0.1");
  world.until("listening");
  std::uint16_t port = world.port();
  {
    // The server ends first, so its end of the wire stays in TIME_WAIT.
    Connection client = world.client();
    world.until("connection");
    world.accepted[0]->resume();
    world.accepted[0]->end();
    world.settle();
    client.expect_end();
    client.finish();
    world.until([&] { return world.accepted[0]->destroyed(); });
  }
  world.server->close();
  world.until("close");

  world.listen({.port = port, .host = "127.0.0.1"});

  EXPECT_IS(world.events.back(), "listening")
      << "A connection of the last server is in TIME_WAIT, for a minute. A new "
         "server must not wait for that.";
}

TEST(Listen, ReusePortSharesAPort) {
  RULE("LISTEN-22");
  World world;
  auto other = net::create_server(world.loop);
  world.record(*other, "other ");
  world.listen({.port = 0, .host = "127.0.0.1", .reuse_port = true});

  other->listen(
      {.port = world.port(), .host = "127.0.0.1", .reuse_port = true});
  world.until("other listening");
  auto third = net::create_server(world.loop);
  world.record(*third, "third ");
  third->listen(world.port(), "127.0.0.1");
  world.until("third error EADDRINUSE");

  EXPECT_TRUE(
      world.saw({"listening", "other listening", "third error EADDRINUSE"}))
      << "Two servers with reuse_port share a port; one without it stays out.";
}

TEST(Path, MakesAFile) {
  RULE("UNIX-1");
  World world;
  Folder folder;
  std::string path = folder.path("a.sock");

  world.server->listen(path);
  world.until("listening");

  EXPECT_IS(what_is_at(path), "socket") << "The file is what clients find.";
  EXPECT_IS(world.server->address()->address, path)
      << "address() is the path, and nothing else.";
  EXPECT_IS(world.server->address()->family, "") << "A path has no family.";
  Connection client = Connection::to_path(path);
  world.until("connection");
  EXPECT_IS(world.accepted[0]->remote_address(), "")
      << "A client at a path has no address.";
  world.accepted[0]->end("hello");
  world.settle();
  EXPECT_IS(arrived(client), "hello<FIN>")
      << "A stream at a path is a stream as any other.";
}

TEST(Path, AbstractNameHasNoFile) {
  RULE("UNIX-1");
  World world;
  Folder folder;
  std::string name = "@net." + std::to_string(::getpid());
  // A file of that name in the current folder is somebody else's.
  auto here = std::filesystem::current_path();
  std::filesystem::current_path(folder.path(""));
  write_file(name, "precious");

  world.server->listen(name);
  world.until("listening");
  EXPECT_IS(world.server->address()->address, name)
      << "\"@name\" is a name of the abstract namespace.";
  world.server->close();
  world.until("close");

  EXPECT_IS(what_is_at(name), "file")
      << "Such a name has no file: there is none to remove.";
  std::filesystem::current_path(here);
}

TEST(Path, FileGoesWithTheServer) {
  RULE("UNIX-2");
  World world;
  Folder folder;
  std::string path = folder.path("a.sock");
  world.server->on_close([&] { world.add("file: " + what_is_at(path)); });
  world.server->listen(path);
  world.until("listening");
  Connection client = Connection::to_path(path);
  world.until("connection");
  client.close();
  world.until([&] { return world.accepted[0]->destroyed(); });
  EXPECT_IS(what_is_at(path), "socket")
      << "The end of a client has nothing to do with the server's file.";

  world.server->close();
  world.until("file: nothing");

  EXPECT_TRUE(world.saw({"listening", "connection", "close", "file: nothing"}))
      << "When on_close comes, the path is free.";
}

TEST(Path, FileOfSomebodyElseStays) {
  RULE("UNIX-2");
  World world;
  Folder folder;
  std::string path = folder.path("a.sock");
  world.server->listen(path);
  world.until("listening");
  std::filesystem::remove(path);
  write_file(path, "of another program");

  world.server->close();
  world.until("close");

  EXPECT_IS(what_is_at(path), "file")
      << "Meanwhile the path was given to another file. It is not the "
         "server's, and stays.";
}

TEST(Path, WhateverIsThereStays) {
  RULE("UNIX-3");
  Folder folder;
  std::string path = folder.path("a");
  write_file(path, "text");
  World world;
  Error seen;
  world.server->on_error([&](const Error& error) { seen = error; });

  world.server->listen(path);
  world.add("listen() returned");
  world.until("error EADDRINUSE");

  EXPECT_TRUE(world.saw({"listen() returned", "error EADDRINUSE"}))
      << "Something is at the path, so it is taken.";
  EXPECT_IS(what_is_at(path), "file") << "It is left alone.";
  EXPECT_IS(seen.syscall + " " + seen.address, "listen " + path)
      << "The error says which path.";
}

TEST(Path, FolderThatIsNotThere) {
  RULE("UNIX-3");
  World world;
  Folder folder;

  world.server->listen(folder.path("no/such/a.sock"));
  world.until("error EACCES");

  EXPECT_TRUE(world.saw({"error EACCES"}))
      << "As in Node: EACCES, although bind(2) says ENOENT.";
}

TEST(Path, TooLongIsAnError) {
  RULE("UNIX-3");
  World world;
  Folder folder;

  world.server->listen(folder.path(std::string(200, 'p')));
  world.until("error EINVAL");

  EXPECT_TRUE(world.saw({"error EINVAL"}))
      << "A path that is too long must not be cut: it would be another one.";
}
