// Random scripts of operations on sockets and servers. Whatever is called, and
// whenever: no crash, no leak, and the events keep their order.
//
//   bazel test //tests/stress:operations_test
//   ... --test_env=STRESS_SEED=7 --test_env=STRESS_SCRIPTS=1   replays one
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chapters/11_server/server.h"
#include "common/testing/fault.h"
#include "gtest/gtest.h"

namespace {

using net::Error;
using net::EventLoop;
using net::Server;
using net::Socket;
using std::chrono::milliseconds;

constexpr int kOperations = 200;  // of one script

long number_from(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text ? std::atol(text) : otherwise;
}

// Byte number `at` of every stream.
char byte_at(std::uint64_t at) {
  return static_cast<char>(at * 131 + (at >> 8));
}

std::string bytes_from(std::uint64_t at, std::size_t n) {
  std::string bytes(n, '\0');
  for (std::size_t i = 0; i < n; ++i) bytes[i] = byte_at(at + i);
  return bytes;
}

// One script: a loop, a server, and what is done to them.
class Script {
 public:
  explicit Script(std::uint32_t seed) : random_(seed) {}

  void run() {
    listen();
    for (int i = 0; i < kOperations; ++i) {
      operation();
      if (chance(60)) loop_.run_once(milliseconds(0));
    }
    over_ = true;
    for (auto& watched : watched_)
      watched->call([](Socket& s) { s.destroy(); });
    server_->close();
    loop_.run();
    for (auto& watched : watched_) watched->check_over();
    EXPECT_TRUE(server_closed_) << log();
  }

  // What was done, for a failure.
  std::string log() const {
    std::string text = "the last operations:\n";
    std::size_t from = log_.size() > 40 ? log_.size() - 40 : 0;
    for (std::size_t i = from; i < log_.size(); ++i) text += log_[i] + "\n";
    return text;
  }

 private:
  // A socket, and what its events have been so far.
  struct Watched {
    Script& script;
    std::shared_ptr<Socket> socket;
    std::string name;
    bool accepted;
    bool in_call = false;
    bool destroyed = false;  // by us
    bool connected, ready, ended = false, errored = false, closed = false;
    bool finished = false, false_write = false, end_called = false;
    std::uint64_t sent = 0, received = 0;
    int writes = 0, callbacks = 0, end_calls = 0, end_callbacks = 0;

    Watched(Script& script, std::shared_ptr<Socket> socket, std::string name,
            bool accepted)
        : script(script),
          socket(std::move(socket)),
          name(std::move(name)),
          accepted(accepted),
          connected(accepted),
          ready(accepted) {
      listen();
    }

    void expect(bool right, const char* what) {
      EXPECT_TRUE(right) << name << ": " << what << "\n" << script.log();
    }

    // Every event: never inside a call of ours, never after close.
    void event(const char* what) {
      script.note(name + "  <- " + what);
      expect(!in_call, "an event inside the call that causes it (EVT-6)");
      expect(!closed, "an event after close (CLOSE-1)");
      bool last = std::string_view(what) == "close";
      expect(!errored || last, "error is not followed by close (CLOSE-3)");
      bool end = last || std::string_view(what) == "error";
      expect(!destroyed || end, "an event after destroy() (DEST-1)");
    }

    void listen() {
      Socket& s = *socket;
      s.on_connect([this] {
        event("connect");
        expect(!connected, "a second connect (CONN-2)");
        connected = true;
        react();
      });
      s.on_ready([this] {
        event("ready");
        expect(connected && !ready, "ready follows connect (CONN-5)");
        ready = true;
      });
      s.on_data([this](std::string_view bytes) {
        event("data");
        expect(ready && !ended, "data before connect, or after end");
        expect(!socket->is_paused(), "data while it is paused (FLOW-4)");
        expect(bytes == bytes_from(received, bytes.size()),
               "other bytes, or in another order (DATA-1)");
        received += bytes.size();
        react();
      });
      s.on_end([this] {
        event("end");
        expect(ready && !std::exchange(ended, true), "a second end (END-6)");
        react();
      });
      s.on_drain([this] {
        event("drain");
        expect(std::exchange(false_write, false), "a drain for nothing");
        expect(!end_called, "drain after end() (DRAIN-3)");
        react();
      });
      s.on_finish([this] {
        event("finish");
        expect(!std::exchange(finished, true), "a second finish (END-11)");
        react();
      });
      s.on_timeout([this] {
        event("timeout");
        react();
      });
      s.on_error([this](const Error&) {
        event("error");
        errored = true;
        react();
      });
      s.on_close([this](bool had_error) {
        event("close");
        expect(had_error == errored, "had_error is about the error (CLOSE-2)");
        closed = true;
        react();
      });
    }

    // Now and then a listener does something itself.
    void react() {
      if (!script.over_ && script.chance(15)) script.socket_operation(*this);
    }

    template <typename F>
    void call(F&& f) {
      bool before = std::exchange(in_call, true);
      f(*socket);
      in_call = before;
    }

    void write(std::size_t n) {
      std::string bytes = bytes_from(sent, n);
      bool taken = !socket->destroyed() && !end_called;
      int number = writes++;
      call([&](Socket& s) {
        bool room = s.write(bytes, [this, number](const Error*) {
          expect(!in_call, "a callback inside the call (WRITE-2)");
          expect(number == callbacks++, "callbacks out of order (WRITE-2)");
        });
        if (taken && !room) false_write = true;
      });
      if (taken) sent += n;
    }

    void end() {
      if (!socket->destroyed()) end_called = true;
      ++end_calls;
      call([&](Socket& s) {
        s.end([this] {
          expect(!in_call, "a callback inside the call (END-4)");
          ++end_callbacks;
        });
      });
    }

    void destroy(std::optional<Error> error) {
      destroyed = true;
      call([&](Socket& s) { s.destroy(std::move(error)); });
    }

    void connect_again() {
      if (accepted || !closed || script.over_) return;
      connected = ready = ended = errored = closed = finished = destroyed =
          false_write = end_called = false;
      received = sent = 0;
      call([&](Socket& s) { s.connect(script.port_, "127.0.0.1"); });
      // The listeners are dropped only a turn after close.
      if (socket->on_close.listener_count() == 0) listen();
    }

    void check_over() {
      expect(closed, "it was destroyed, and close never came (CLOSE-1)");
      expect(writes == callbacks, "each write has its callback (WRITE-2)");
      expect(end_calls == end_callbacks, "each end() has its callback");
    }
  };

  bool chance(int percent) {
    return static_cast<int>(random_() % 100) < percent;
  }
  std::size_t size() {
    switch (random_() % 4) {
      case 0:
        return 0;
      case 1:
        return random_() % 100;
      case 2:
        return random_() % 20000;
      default:
        return random_() % 300000;
    }
  }
  void note(std::string what) { log_.push_back(std::move(what)); }

  void listen() {
    net::ServerOptions options;
    options.allow_half_open = chance(30);
    options.pause_on_connect = chance(20);
    server_ = net::create_server(loop_, options, [this](auto socket) {
      add(std::move(socket), "accepted", true);
    });
    server_->on_close([this] { server_closed_ = true; });
    server_->on_error([](const Error& error) { FAIL() << error.message; });
    server_->listen(0, "127.0.0.1", 511,
                    [this] { port_ = server_->address()->port; });
    while (port_ == 0) loop_.run_once(milliseconds(1));
  }

  void add(std::shared_ptr<Socket> socket, const char* kind, bool accepted) {
    std::string name = kind + std::to_string(watched_.size());
    watched_.push_back(std::make_unique<Watched>(*this, std::move(socket),
                                                 std::move(name), accepted));
    if (over_) watched_.back()->destroy({});
  }

  void connect() {
    net::ConnectOptions options;
    options.port = chance(90) ? port_ : 1;
    options.host = chance(90) ? "127.0.0.1" : "localhost";
    options.allow_half_open = chance(30);
    options.high_water_mark = chance(50) ? 16384 : 1 + random_() % 1000;
    if (chance(20)) options.timeout = milliseconds(1);
    note("connect, port " + std::to_string(*options.port));
    add(net::connect(loop_, options), "client", false);
  }

  void operation() {
    if (watched_.empty() || chance(15)) return connect();
    if (chance(2)) {
      note("max_connections");
      server_->max_connections(static_cast<int>(random_() % 20));
      return;
    }
    std::size_t recent = std::min<std::size_t>(watched_.size(), 12);
    socket_operation(*watched_[watched_.size() - 1 - random_() % recent]);
  }

  void socket_operation(Watched& w) {
    int kind = static_cast<int>(random_() % 20);
    note(w.name + " operation " + std::to_string(kind));
    if (kind < 6) return w.write(size());
    switch (kind) {
      case 6:
      case 7:
        return w.end();
      case 8:
        return w.destroy({});
      case 9:
        return w.destroy(Error("E_X", "for the test"));
      case 10:
        w.destroyed = w.destroyed || !w.socket->connecting();
        // Of one that is not connected it is a misuse, and an error.
        return w.call([](Socket& s) { s.reset_and_destroy(); });
      case 11:
        if (!w.socket->destroyed()) w.end_called = true;
        return w.call([](Socket& s) { s.destroy_soon(); });
      case 12:
      case 13:
        return w.call([](Socket& s) { s.pause(); });
      case 14:
      case 15:
      case 16:
        return w.call([](Socket& s) { s.resume(); });
      case 17:
        return w.call(
            [this](Socket& s) { s.set_timeout(milliseconds(random_() % 3)); });
      case 18:
        return w.call([](Socket& s) { s.unref().ref(); });
      default:
        return w.connect_again();
    }
  }

  std::mt19937 random_;
  EventLoop loop_;
  std::shared_ptr<Server> server_;
  int port_ = 0;
  bool server_closed_ = false;
  bool over_ = false;
  std::vector<std::string> log_;
  std::vector<std::unique_ptr<Watched>> watched_;
};

}  // namespace

TEST(Operations, NeverBreakTheOrderOfEvents) {
  graded::DescriptorCheck descriptors;
  std::uint32_t seed =
      static_cast<std::uint32_t>(number_from("STRESS_SEED", 1));
  long scripts = number_from("STRESS_SCRIPTS", 500);
  for (long i = 0; i < scripts && !::testing::Test::HasFailure(); ++i, ++seed) {
    SCOPED_TRACE("STRESS_SEED=" + std::to_string(seed));
    Script(seed).run();
  }
  EXPECT_EQ(descriptors.left_open(), std::vector<std::string>());
  std::printf("%ld operations\n", scripts * kOperations);
}
