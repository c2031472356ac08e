// What the tests of a TlsSocket stand on: a loop and a list of what happened;
// and the other end: a server in a thread of its own, or one that moves only by
// the test's hand.
//
//   Peer server(serving([](TlsEnd& tls, Connection&) {
//     tls.send("hello");
//     tls.close_notify();
//     tls.hear();
//   }), {});
//   World world;
//   auto socket = world.connect(to(server));
//   world.read(*socket);
//   world.run();
//   EXPECT_TRUE(world.saw({"connect", "secure", "data hello", "end", ...}));
#pragma once

#include <openssl/err.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/14_tls_socket/tls_socket.h"
#include "chapters/14_tls_socket/tls_transport.h"
#include "common/testing/certificates/credentials.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/on_loop.h"
#include "common/testing/peer.h"
#include "common/testing/tls_peer.h"

namespace graded {

using namespace std::chrono_literals;
using net::Error;
using net::IoResult;
using tls::TlsSocket;
using Lines = std::vector<std::string>;
using SocketPtr = std::shared_ptr<net::Socket>;
using TlsSocketPtr = std::shared_ptr<TlsSocket>;

// Whoever does not know the issuer says so in one of two ways: the first
// problem that is found, or the last.
std::string without_issuer(std::string code);

// A server for one client: shakes hands, and does what `then` says. Without a
// configure() of its own it sends no tickets: those are the matter of a few.
using Then = std::function<void(TlsEnd&, Connection&)>;
std::vector<Peer::Script> serving(Then then = {}, TlsEnd::Options options = {
                                                      .credential = "server"});

inline const Then kHears = [](TlsEnd& tls, Connection&) { tls.hear(); };

// Of a client that trusts ca, and wants localhost: of `server`, or at the other
// end of a socket that is open.
tls::ConnectOptions trusting_ca();
tls::ConnectOptions to(const Peer& server);
tls::ConnectOptions over(const SocketPtr& raw);
tls::AcceptOptions as_server();

class World {
 public:
  net::EventLoop loop;
  std::vector<std::string> events;

  // A recorded one. `setup` is for listeners that have to be there first.
  TlsSocketPtr connect(tls::ConnectOptions options);
  // connect, secure, end, finish, timeout, error CODE, close, or close after an
  // error; all but data.
  void record(TlsSocket& socket);
  // When it is secure it has seen enough: for tests of what comes before.
  static void leave_when_secure(TlsSocket& socket);
  // A data listener: what comes in a row is one "data ..." of `events`.
  void read(net::Socket& socket);
  void add(std::string event);

  // Until nothing is left to wait for. A loop that waits in vain is stopped
  // when the test's time is over: "(nothing more happens)".
  void run();
  // Some turns of the loop: whatever is ready by now is done then.
  void settle();

  ::testing::AssertionResult saw(std::vector<std::string> expected) const;
};

// A wire of memory: what is written is in `sent`, as long as there is room.
struct Wire : net::Transport {
  std::string coming = {};
  std::string sent = {};
  std::size_t room = std::string::npos;
  bool ended = false;  // the other end's FIN
  bool shut = false;   // and ours
  IoResult read(std::span<char> into) override;
  IoResult write(std::span<const std::string_view> pieces) override;
  IoResult shutdown_write() override;
  int fd() const override { return -1; }
  void close() override {}
};

// A server in memory; tickets as in serving().
class FarEnd {
 public:
  explicit FarEnd(TlsEnd::Options options = {.credential = "server"},
                  TlsEnd::Role role = TlsEnd::kServer);
  void give(std::string_view encrypted);
  std::string take();      // what it has encrypted since
  void shake_hands();      // one step
  bool is_secure() const;  // its handshake is over
  void send(std::string_view bytes) { tls_.send(bytes); }
  std::string received();  // all that can be decrypted by now
  SSL* ssl() const { return tls_.ssl(); }

 private:
  Connection nowhere_{-1, "peer"};
  TlsEnd tls_;
};

// A TlsTransport between a Wire and a FarEnd, and nothing happens by itself.
struct Desk {
  explicit Desk(TlsEnd::Options options = {.credential = "server"});
  Wire* wire;
  FarEnd far;
  std::unique_ptr<tls::TlsTransport> transport;

  // What was sent is at the far end, and what it says is on the wire.
  void carry();
  std::string handshake();  // one step
  void shake_hands();       // to the end
  std::string read(
      std::size_t most = 100'000);  // the bytes, or what came of it
  IoResult write(std::string_view bytes);
  std::string shutdown();
  // Writes again until all of it is taken; each time from another address.
  void write_all(std::string bytes);
};

// A TlsSocket over one end of a pair of sockets; the other end is the test's.
// What is sent has arrived at once.
struct Near {
  explicit Near(World& world,
                TlsEnd::Options options = {.credential = "server"},
                TlsEnd::Role role = TlsEnd::kServer);
  World& world;
  SocketPtr raw;  // a plain one, over the other end of `wire`
  Connection wire;
  FarEnd far;
  TlsSocketPtr socket;

  // What the socket has said, and the answer: no more than `most` bytes of it
  // until `held` is sent, too.
  void carry(std::size_t most = std::string::npos);
  void shake_hands();  // until both are done
  void send(std::string_view bytes);
  std::string arrived();  // what has come to this end, without waiting
  std::string held = {};
};

// A record that does not decrypt.
extern const std::string kGarbage;

// OpenSSL's own number of tickets: two with TLS 1.3.
void send_tickets(SSL_CTX* context);
// Session tickets are so long that they come in several records.
void make_long_tickets(SSL_CTX* context);

}  // namespace graded
