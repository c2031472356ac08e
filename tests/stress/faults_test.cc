// Each system call of the sockets and servers, one at a time, fails. The
// outcome is defined for all of them: every socket closes, each callback runs
// once, no descriptor stays open, nothing hangs, and what is thrown is an
// error with a code.
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chapters/11_server/server.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "gtest/gtest.h"

namespace {

using graded::Action;
using graded::Call;
using net::Error;
using std::chrono::milliseconds;

struct Outcome {
  int clients = 0, clients_closed = 0;
  int accepted = 0, accepted_closed = 0;
  int writes = 0, callbacks = 0;
  bool server_closed = false;
  std::vector<std::string> errors;  // "client: connect ECONNREFUSED"
};

// Three clients, one of them resets, send 300 KiB to a server that echoes it.
class Session {
 public:
  Outcome run() {
    auto server = net::create_server(
        loop_, {}, [this](auto socket) { serve(std::move(socket)); });
    // Also when the fault keeps the server from hearing of it.
    net::TimerId end = loop_.set_timeout(std::chrono::seconds(2), [this] {
      for (auto& socket : sockets_) socket->destroy();
    });
    server->on_error([this, server = server.get()](const Error& error) {
      note("server", error);
      server->close();
    });
    server->on_close([this] { outcome_.server_closed = true; });
    server->listen(0, "127.0.0.1", 511, [this, server = server.get()] {
      for (int i = 0; i < 3; ++i) connect(*server, i == 2);
    });
    server_ = server.get();
    end_ = end;
    loop_.run();
    return outcome_;
  }

 private:
  void note(const std::string& who, const Error& error) {
    outcome_.errors.push_back(who + ": " + error.syscall + " " + error.code);
  }

  void serve(std::shared_ptr<net::Socket> socket) {
    ++outcome_.accepted;
    sockets_.push_back(socket);
    socket->on_data([this, socket](std::string_view bytes) {
      ++outcome_.writes;
      bool room =
          socket->write(bytes, [this](const Error*) { ++outcome_.callbacks; });
      if (!room) socket->pause();
    });
    socket->on_drain([socket] { socket->resume(); });
    socket->on_error([this](const Error& error) { note("accepted", error); });
    socket->on_close([this](bool) { ++outcome_.accepted_closed; });
  }

  void connect(net::Server& server, bool resets) {
    ++outcome_.clients;
    net::ConnectOptions options;
    options.port = server.address()->port;
    options.host = "127.0.0.1";
    options.no_delay = true;
    auto socket = net::connect(loop_, options);
    sockets_.push_back(socket);
    socket->on_error([this](const Error& error) { note("client", error); });
    socket->on_data([socket, resets](std::string_view) {
      if (resets) socket->reset_and_destroy();
    });
    socket->on_close([this](bool) {
      ++outcome_.clients_closed;
      if (outcome_.clients_closed < outcome_.clients) return;
      loop_.clear_timer(end_);
      server_->close();
      // A connection that the server never heard the end of, or that it has
      // accepted although its client gave up.
      loop_.set_timeout(milliseconds(10), [this] {
        for (auto& it : sockets_) it->destroy();
      });
    });
    ++outcome_.writes;
    socket->write(std::string(300 * 1024, 'x'),
                  [this](const Error*) { ++outcome_.callbacks; });
    socket->end();
  }

  net::EventLoop loop_;
  net::Server* server_ = nullptr;
  net::TimerId end_ = net::TimerId::kNone;
  Outcome outcome_;
  std::vector<std::shared_ptr<net::Socket>> sockets_;
};

struct Family {
  Call family;
  const char* name;
  std::vector<int> errors;
};

const std::vector<Family> kFamilies = {
    {Call::kSocket, "socket", {EMFILE, ENOBUFS}},
    {Call::kBind, "bind", {EADDRINUSE, EACCES}},
    {Call::kListen, "listen", {EADDRINUSE}},
    {Call::kConnect, "connect", {EINTR, ECONNREFUSED, ENETUNREACH}},
    {Call::kAccept, "accept", {EINTR, ECONNABORTED, EMFILE, ENFILE, ENOBUFS}},
    {Call::kSend, "send", {EINTR, EAGAIN, EPIPE, ECONNRESET, ENOBUFS}},
    {Call::kReceive, "receive", {EINTR, EAGAIN, ECONNRESET, ETIMEDOUT}},
    {Call::kPoll, "poll", {EINTR}},
    {Call::kShutdown, "shutdown", {ENOTCONN}},
    {Call::kOption, "setsockopt", {EINVAL, ENOMEM}},
    {Call::kClose, "close", {EINTR}},
};

// The first `n` are real, the next one fails.
std::vector<Action> fails_at(std::size_t n, Action failure) {
  std::vector<Action> script(n, graded::real());
  script.push_back(std::move(failure));
  return script;
}

Outcome session(const std::string& what) {
  SCOPED_TRACE(what);
  graded::DescriptorCheck descriptors;
  Outcome outcome;
  try {
    outcome = Session().run();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "run() threw: " << error.what();
  }
  EXPECT_EQ(outcome.clients_closed, outcome.clients);
  EXPECT_EQ(outcome.accepted_closed, outcome.accepted);
  EXPECT_EQ(outcome.callbacks, outcome.writes);
  EXPECT_TRUE(outcome.server_closed);
  EXPECT_EQ(descriptors.left_open(), std::vector<std::string>());
  return outcome;
}

}  // namespace

TEST(Faults, WithoutOneNothingFails) {
  Outcome outcome = session("no fault");

  EXPECT_EQ(outcome.clients, 3);
  EXPECT_EQ(outcome.accepted, 3);
  // One of the clients resets, which its server may notice when it reads, or
  // writes, or not at all, if it is destroyed before.
  for (const std::string& error : outcome.errors)
    EXPECT_TRUE(error == "accepted: read ECONNRESET" ||
                error == "accepted: write ECONNRESET" ||
                error == "accepted: write EPIPE")
        << error;
}

TEST(Faults, EachCallThatFailsHasADefinedOutcome) {
  int tried = 0;
  for (const Family& family : kFamilies) {
    std::size_t before = graded::calls(family.family).size();
    session(std::string("no fault, counting ") + family.name);
    std::size_t made = graded::calls(family.family).size() - before;
    EXPECT_GT(made, 0u) << family.name;
    // Of the many that only move bytes, the first ones and some later ones.
    for (std::size_t at = 0; at < made && !HasFailure();
         at += at < 12 ? 1 : 1 + made / 8) {
      for (int error : family.errors) {
        Action failure = family.family == Call::kClose
                             ? graded::fails_after(error)
                             : graded::fails(error);
        // Timing decides how many there are: a late one may not be reached.
        graded::Fault fault(family.family, fails_at(at, failure),
                            graded::Fault::kMay);
        session(std::string(family.name) + " number " + std::to_string(at) +
                " fails with " + graded::errno_name(error));
        ++tried;
      }
    }
  }
  RecordProperty("faults", tried);
  std::printf("%d faults\n", tried);
}
