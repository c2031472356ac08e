// Peers that speak TLS, by OpenSSL's own calls: blocking, and with a script.
//
//   std::string heard;
//   Opposite server([&](Connection& wire) {
//     TlsEnd tls(wire, TlsEnd::kServer, {.credential = "server"});
//     if (tls.handshake()) heard = tls.hear();
//   });
//   ... TLS over server.take(), a descriptor ...
//   server.wait();
//   EXPECT_IS(heard, "hello, then close_notify");
#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/free_with.h"
#include "common/testing/peer.h"

namespace graded {

// The other end of one TCP connection, with a script in a thread of its own.
class Opposite {
 public:
  explicit Opposite(std::function<void(Connection&)> script);
  ~Opposite();  // waits for the script's end
  int take();   // the descriptor, for the code under test to own
  void wait();  // until the script is done
 private:
  TcpPair pair_;
  std::thread thread_;
};

// For a thread of the test's own: OpenSSL's socket BIO calls write(2), and a
// learner's SIGPIPE must not be hidden.
void block_sigpipe();

// One end of TLS, over a connection of the test's.
class TlsEnd {
 public:
  enum Role { kClient, kServer };
  struct Options {
    std::string credential = {};  // NAME of NAME-cert.pem; none if empty
    std::string ca = {};          // NAME: verifies the other end; asks for it
    std::string servername = {};  // a client's: sent as SNI
    std::vector<std::string> alpn = {};            // a client's
    std::function<void(SSL_CTX*)> configure = {};  // what else is wanted
  };

  TlsEnd(Connection& wire, Role role, const Options& options);

  bool handshake();                   // and a line of the time line
  void send(std::string_view bytes);  // all of them
  std::string receive(std::size_t n);
  // All that comes, and how it ends: "hello, then close_notify". Without
  // close_notify: "FIN", "ECONNRESET", or OpenSSL's reason.
  std::string hear();
  void close_notify();  // sends it, and waits for nothing

  // Why the last call failed, in the words of hear().
  const std::string& failure() const { return failure_; }
  SSL* ssl() const { return ssl_.get(); }

 private:
  void note_failure(int result);
  std::unique_ptr<SSL_CTX, net::FreeWith<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, net::FreeWith<SSL_free>> ssl_;
  std::string failure_;
};

}  // namespace graded
