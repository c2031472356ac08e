// What the tests of a TLS server stand on: a loop whose time only moves when a
// test says so, a server and a list of what happened; and clients that move
// while the loop turns, in the same thread.
//
//   World world;
//   world.serve();
//   Client client(world, {.servername = "localhost"});
//   world.shake_hands(client);
//   EXPECT_TRUE(world.saw({"connection", "secure"}));
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/15_tls_server/tls_server.h"
#include "common/testing/certificates/credentials.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/on_loop.h"
#include "common/testing/peer.h"
#include "common/testing/tls_peer.h"

namespace graded {

using namespace std::chrono_literals;
using net::Error;
using tls::TlsSocket;
using Lines = std::vector<std::string>;
using SocketPtr = std::shared_ptr<net::Socket>;
using TlsSocketPtr = std::shared_ptr<TlsSocket>;
using SessionPtr = std::shared_ptr<SSL_SESSION>;

// With the certificate and the key of NAME.
tls::ServerOptions with(const std::string& name);
tls::ContextOptions context_of(const std::string& name);
// A server that asks for certificates, which ca has to have signed.
tls::ServerOptions asking();

// For Client's options: TLS 1.2 and no more.
void only_tls12(SSL_CTX* context);

class Client;
class World;

// The code that making a server with these options throws.
std::string code_of(World& world, const tls::ServerOptions& options);

class World {
 public:
  World();
  std::chrono::milliseconds now{0};  // of the loop
  net::EventLoop loop;
  // connection; secure; failed CODE; close: of the server.
  std::vector<std::string> events;
  std::shared_ptr<tls::Server> server;
  std::vector<TlsSocketPtr> accepted;  // and those of on_tls_client_error
  std::vector<TlsSocketPtr> failed;
  std::function<void(TlsSocketPtr)> then;  // on_secure_connection

  // A server that listens, and is recorded.
  void serve(tls::ServerOptions options = with("server"));
  void record(tls::Server& server);
  std::uint16_t port() const { return server->address()->port; }

  // Turns the loop and moves the clients until `done`, or until the test's time
  // is over: "(waits for WHAT in vain)".
  void until(const std::string& what, const std::function<bool()>& done);
  void until(const std::string& event);
  void settle();  // some turns: whatever is ready by now is done then
  // Until the client has agreed or failed, and all that follows.
  void shake_hands(Client& client);
  void pass(std::chrono::milliseconds time);  // this time goes by
  void add(std::string event);
  ::testing::AssertionResult saw(std::vector<std::string> expected) const;

 private:
  friend class Client;
  void turn();
  std::vector<Client*> clients_;
};

// A client of the server of `world`, by OpenSSL's own calls, in memory; its
// bytes go over a real connection.
class Client {
 public:
  // `port`: of another server than the world's.
  explicit Client(World& world, TlsEnd::Options options = {}, int port = 0);
  ~Client();

  void resume(const SessionPtr& session);  // before anything has moved
  SessionPtr session() const;              // the last one that it got
  bool is_secure() const;
  bool reused() const { return SSL_session_reused(ssl()) == 1; }
  std::string failure() const { return failure_; }  // of its handshake
  std::string certificate() const;                  // CN of the server's
  std::string alpn() const;
  void send(std::string_view bytes);
  std::string received();  // since the last call, decrypted
  SSL* ssl() const { return tls_.ssl(); }

  Connection wire;  // for what is no TLS
  bool ended = false;
  bool silent = false;  // moves no more

 private:
  friend class World;
  void move();
  void flush();
  World& world_;
  Connection nowhere_{-1, "client"};
  TlsEnd tls_;
  std::string failure_;
  std::string received_;
  SessionPtr session_;
};

// A client that asks for `servername`, and has shaken hands: the CN that it was
// shown, or how it failed.
std::string shown_to(World& world, const std::string& servername);

}  // namespace graded
