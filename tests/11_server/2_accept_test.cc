#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/11_server/server.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"
#include "tests/11_server/support.h"

using namespace graded;

namespace {

int port_of(const Connection& client) {
  Unwatched ours;
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(client.fd(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// What the socket hears from now on, in the world's events.
void record(World& world, net::Socket& socket) {
  socket.on_connect([&] { world.add("connect"); });
  socket.on_data(
      [&](std::string_view bytes) { world.add("data " + std::string(bytes)); });
  socket.on_end([&] { world.add("end"); });
  socket.on_error([&](const Error& e) { world.add("error " + e.code); });
}

}  // namespace

TEST(Accept, GivesASocketForEachClient) {
  RULE("ACC-1");
  World world;
  world.then = [&](SocketPtr socket) {
    world.add("state: " + std::string(socket->ready_state()));
    record(world, *socket);
  };
  world.listen();

  Connection first = world.client("first");
  first.send("a");
  world.until("data a");
  Connection second = world.client("second");
  second.send("b");
  world.until("data b");
  first.close();
  world.until("end");
  second.send("c");
  world.until("data c");

  EXPECT_TRUE(
      world.saw({"listening", "connection", "state: open", "data a",
                 "connection", "state: open", "data b", "end", "data c"}))
      << "Each client is a socket that is connected already, so it has no "
         "on_connect. What one does is nothing to the other.";
}

TEST(Accept, AllWhoWait) {
  RULE("ACC-4");
  World world;
  world.server->listen({.port = 0});
  std::vector<Connection> clients;
  world.server->on_listening([&] {
    for (int i = 0; i < 5; ++i) clients.push_back(world.client());
  });

  world.until([&] { return world.accepted.size() == 5; });
  world.settle();

  EXPECT_TRUE(world.saw({"listening", "connection", "connection", "connection",
                         "connection", "connection"}))
      << "Five clients were there before the first accept(). Each of them is "
         "told, once.";
}

TEST(Accept, ClientThatGaveUp) {
  RULE("ACC-4");
  World world;
  world.listen();
  Fault gone(Call::kAccept, {fails(ECONNABORTED), fails(EINTR)});
  Connection client = world.client();

  world.until("connection");

  EXPECT_TRUE(world.saw({"listening", "connection"}))
      << "ECONNABORTED is about one client that is gone, EINTR about none. The "
         "next one is served.";
}

TEST(Accept, AsksOncePerTurnWithoutNews) {
  RULE("ACC-4");
  World world;
  world.listen();
  world.settle();

  EXPECT_IS(count_calls(Call::kAccept), 0u)
      << "Nobody has come: poll() says when to ask.";
  Connection client = world.client();
  world.until("connection");
  world.settle();
  EXPECT_IS(count_calls(Call::kAccept) <= 2, true)
      << "One accept() takes the client, and one more says EAGAIN.";
}

TEST(Accept, SocketsNeitherBlockNorLeak) {
  RULE("ACC-11");
  World world;
  world.listen();
  Connection client = world.client();
  DescriptorCheck check;
  world.until("connection");

  std::string left;
  for (const std::string& it : check.left_open()) left += it;
  ASSERT_IS(left.empty(), false) << "The client has a descriptor.";
  int fd = std::stoi(left);
  EXPECT_IS((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, true)
      << "A socket that blocks stops the loop, and so everybody.";
  EXPECT_IS((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, true)
      << "A program that is started from here must not get the client.";
}

TEST(Accept, PausedFromTheFirstByteOn) {
  RULE("ACC-5");
  World world({.pause_on_connect = true});
  world.then = [&](SocketPtr socket) { record(world, *socket); };
  world.listen();
  Connection client = world.client();
  client.send("early");
  client.finish();

  world.until("connection");
  world.settle();
  world.add("resume()");
  world.accepted[0]->resume();
  world.until("end");

  EXPECT_TRUE(
      world.saw({"listening", "connection", "resume()", "data early", "end"}))
      << "With pause_on_connect neither data nor the end is told before "
         "resume(), and nothing is lost.";
}

TEST(Accept, LateListenerGetsEverything) {
  RULE("ACC-5");
  World world;
  world.listen();
  Connection client = world.client();
  client.send("early");

  world.until("connection");
  world.settle();
  record(world, *world.accepted[0]);
  world.until("data early");

  EXPECT_TRUE(world.saw({"listening", "connection", "data early"}))
      << "What came before anybody listened is kept.";
}

TEST(Accept, HalfOpenSockets) {
  RULE("ACC-7");
  World world({.allow_half_open = true});
  world.then = [&](SocketPtr socket) { record(world, *socket); };
  world.listen();
  Connection client = world.client();
  client.finish();

  world.until("end");
  world.settle();
  EXPECT_IS(arrived(client), "")
      << "With allow_half_open the socket does not end by itself.";
  world.accepted[0]->end("late");
  world.settle();

  EXPECT_IS(arrived(client), "late<FIN>")
      << "After the client's end it can still be answered.";
}

TEST(Accept, ClosesByItselfWithoutHalfOpen) {
  RULE("ACC-7");
  World world;
  world.then = [&](SocketPtr socket) { record(world, *socket); };
  world.listen();
  Connection client = world.client();
  client.finish();

  world.until("end");
  world.settle();

  EXPECT_IS(arrived(client), "<FIN>")
      << "Without allow_half_open the end is answered with the end.";
}

TEST(Accept, KnowsBothEnds) {
  RULE("ACC-8");
  World world;
  world.listen({.port = 0, .host = "127.0.0.1"});
  Connection client = world.client();
  world.until("connection");
  net::Socket& socket = *world.accepted[0];

  EXPECT_IS(socket.remote_address() + " " + socket.remote_family(),
            "127.0.0.1 IPv4")
      << "The remote end is the client's.";
  EXPECT_IS(socket.remote_port(), port_of(client))
      << "It has the port which the client has.";
  EXPECT_IS(socket.local_port(), static_cast<int>(world.port()))
      << "The local end is where the server listens.";
}

TEST(Accept, KnowsWhoIsGone) {
  RULE("ACC-8");
  World world;
  world.listen({.port = 0, .host = "127.0.0.1"});
  Connection client = world.client();
  int port = port_of(client);
  world.until("connection");
  record(world, *world.accepted[0]);

  client.reset();
  world.until("error ECONNRESET");

  EXPECT_IS(world.accepted[0]->remote_port(), port)
      << "Nobody asked before the client was gone, and then the kernel does "
         "not know any more. A log wants to know.";
}

TEST(Accept, OptionsOfTheServer) {
  RULE("ACC-9");
  World world(
      {.no_delay = true, .keep_alive = true, .keep_alive_initial_delay = 7s});
  world.listen();
  Connection client = world.client();
  DescriptorCheck check;

  world.until("connection");
  ASSERT_IS(check.left_open().size(), 1u) << "The client has a descriptor.";
  int fd = std::stoi(check.left_open()[0]);

  EXPECT_IS(number_option(fd, IPPROTO_TCP, TCP_NODELAY) != 0, true)
      << "no_delay is for each socket of the server.";
  EXPECT_IS(number_option(fd, SOL_SOCKET, SO_KEEPALIVE) != 0, true)
      << "So is keep_alive ...";
  EXPECT_IS(number_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 7)
      << "... with its delay.";
}

TEST(Accept, MarkOfTheServer) {
  RULE("ACC-9");
  World world({.high_water_mark = 5});
  world.listen();
  Connection client = world.client();

  world.until("connection");

  EXPECT_IS(world.accepted[0]->high_water_mark(), 5u)
      << "The mark is for each socket of the server.";
}

TEST(Accept, ListenerThatThrows) {
  RULE("ACC-12");
  World world;
  world.listen();
  bool thrown = false;
  world.then = [&](SocketPtr) {
    if (world.accepted.size() == 1) throw std::runtime_error("no");
  };
  Connection first = world.client("first"), second = world.client("second");

  while (!thrown && world.accepted.size() < 2) {
    try {
      world.loop.run_once(100ms);
    } catch (const std::runtime_error&) {
      thrown = true;
      world.add("run() throws");
    }
  }
  world.until("connection");
  world.add("connections: " + world.connections());

  EXPECT_TRUE(world.saw({"listening", "connection", "run() throws",
                         "connection", "connections: 2"}))
      << "What a listener throws leaves run(). The client is there all the "
         "same, and the next one is served when the loop goes on.";
}
