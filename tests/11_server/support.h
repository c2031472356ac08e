// What the tests of a Server stand on: a loop, a server, a list of what
// happened, and raw clients. All in one thread; nothing waits but the loop.
//
//   World world;
//   world.listen();
//   Connection client = world.client();
//   world.until([&] { return world.accepted.size() == 1; });
//   EXPECT_TRUE(world.saw({"listening", "connection"}));
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "chapters/11_server/server.h"
#include "common/error.h"
#include "common/testing/fault.h"
#include "common/testing/folder.h"
#include "common/testing/graded.h"
#include "common/testing/on_loop.h"
#include "common/testing/peer.h"

namespace graded {

using namespace std::chrono_literals;
using net::DropInfo;
using net::Error;
using net::EventLoop;
using net::ListenOptions;
using net::Server;
using net::ServerOptions;
using SocketPtr = std::shared_ptr<net::Socket>;

struct World {
  explicit World(ServerOptions options = {})
      : server(net::create_server(loop, options, [this](SocketPtr socket) {
          connected(std::move(socket));
        })) {
    record(*server);
  }

  EventLoop loop;
  std::shared_ptr<Server> server;
  std::vector<SocketPtr> accepted;
  std::vector<std::string> events;
  // What a test adds to the connection listener.
  std::function<void(SocketPtr)> then = {};

  void add(std::string event) {
    step("server", event);
    events.push_back(std::move(event));
  }

  void record(Server& it, const std::string& name = "") {
    it.on_listening([this, name] { add(name + "listening"); });
    it.on_drop([this, name](const DropInfo&) { add(name + "drop"); });
    it.on_error(
        [this, name](const Error& e) { add(name + "error " + e.code); });
    it.on_close([this, name] { add(name + "close"); });
  }

  void connected(SocketPtr socket) {
    add("connection");
    accepted.push_back(socket);
    if (then) then(std::move(socket));
  }

  // Turns of the loop, until it is so, or until the test's time is over.
  void until(const std::function<bool()>& so) {
    while (!so()) {
      if (time_left() == 0ms) return add("(nothing more happens)");
      loop.run_once(100ms);
    }
  }
  // Until this event is the last one.
  void until(const std::string& event) {
    until([&] { return !events.empty() && events.back() == event; });
  }

  // Whatever is ready by now is done then.
  void settle() {
    for (int i = 0; i < 12; ++i) loop.run_once(0ms);
  }

  // At a free port, of every address, or as the options say.
  void listen(ListenOptions options = {.port = 0}) {
    server->listen(std::move(options));
    until([&] {
      return !events.empty() && (events.back() == "listening" ||
                                 events.back().starts_with("error"));
    });
  }

  std::uint16_t port() const {
    auto address = server->address();
    if (!address || address->port <= 0)
      throw std::runtime_error("address() has no port");
    return static_cast<std::uint16_t>(address->port);
  }

  // Connected, as far as the kernel goes: it waits to be accepted.
  Connection client(const std::string& name = "client") const {
    return Connection::to_port(port(), name);
  }

  std::string connections() {
    std::string told = "nothing";
    server->get_connections([&](const Error* error, int n) {
      told = error ? error->code : std::to_string(n);
    });
    until([&] { return told != "nothing"; });
    return told;
  }

  ::testing::AssertionResult saw(std::vector<std::string> expected) const {
    Trace trace;
    for (const std::string& event : events) trace.add(event);
    return trace.is(std::move(expected));
  }
};

// "socket", "file", "nothing".
inline std::string what_is_at(const std::string& path) {
  auto status = std::filesystem::symlink_status(path);
  if (std::filesystem::is_socket(status)) return "socket";
  return std::filesystem::exists(status) ? "file" : "nothing";
}

// Connects to a port of `host`: "connected", or the name of the errno value.
std::string try_connect(const std::string& host, std::uint16_t port);
// A socket that is bound to a free port of 127.0.0.1. The code under test owns
// it once it has taken it.
int bound_socket();
void write_file(const std::string& path, const std::string& text);
int number_option(int fd, int level, int name);
// What has come to `peer` so far, without waiting: the bytes, and then "<FIN>"
// or "<RST>" if that is what came last.
std::string arrived(const Connection& peer);

// A client that has its descriptor already, and connects later.
class LateClient {
 public:
  LateClient();
  void connect(std::uint16_t port);
  const Connection& wire() const { return wire_; }

 private:
  Connection wire_;
};

// Not a descriptor is left, but for `n`. Until it ends.
class FullTable {
 public:
  explicit FullTable(std::size_t n = 0);
  ~FullTable();
  FullTable(const FullTable&) = delete;

 private:
  std::vector<int> fillers_;
  std::size_t limit_;
};

}  // namespace graded
