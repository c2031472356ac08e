// Connection: TLS over a blocking socket, for a client or a server.
//
//   net::Fd fd(net::connect_any(net::resolve("example.org", "https")));
//   auto c = tls::Connection::connect(std::move(fd), context,
//                                     {.servername = "example.org"});
//   c.write("GET / HTTP/1.0\r\n\r\n");
//   c.shutdown();                                // close_notify: my end
//   while (std::size_t n = c.read(buffer)) use(buffer, n);  // 0: their end
//
// What goes wrong throws net::Error. After that the connection is of no more
// use: let it go, shutdown() sends nothing any more (BYE-2). No signal is
// raised, and no call fails with EINTR. A time-out that the socket has
// (SO_RCVTIMEO) is ETIMEDOUT.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "chapters/05_unix_sockets/fd.h"
#include "chapters/13_blocking_tls/context.h"
#include "chapters/13_blocking_tls/engine.h"
#include "common/error.h"

namespace tls {

// Owns the descriptor and the engine. One thread at a time.
class Connection {
 public:
  // Both shake hands, and return when the peer is known: with
  // reject_unauthorized, a peer that does not verify throws its
  // authorization_error(), and not a byte of data has been sent (TLSAUTH-1); a
  // client that shows no certificate is
  // ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE (TLSCC-3). A peer that closes
  // before it is done is ECONNRESET (TLSERR-1).
  static Connection connect(net::Fd fd, const Context& context,
                            const EngineOptions& options);
  static Connection accept(net::Fd fd, const Context& context,
                           const EngineOptions& options = {});

  Connection(Connection&&) noexcept = default;
  // Closes, and tells the peer nothing: what ends by an error must not look
  // like what has ended well.
  ~Connection() = default;

  // Waits for 1 to into.size() bytes. 0: the peer has sent close_notify. A
  // connection that ends without it was cut off, and throws
  // ERR_SSL_UNEXPECTED_EOF_WHILE_READING (CUT-1).
  std::size_t read(std::span<char> into);
  void write(std::string_view bytes);  // all of them
  // Sends close_notify: the peer reads the end. This side still reads. Does
  // nothing the second time, and after an error (BYE-1, BYE-2).
  void shutdown();

  // What was agreed on, and with whom.
  std::optional<net::Error> authorization_error() const;
  std::string protocol() const;       // "TLSv1.3"
  std::string cipher() const;         // "TLS_AES_256_GCM_SHA384"
  std::string alpn_protocol() const;  // "": none
  std::string servername() const;     // what the client has asked for; ""

  SSL* get() const { return engine_.get(); }  // borrowed

 private:
  Connection(net::Fd fd, Engine engine, std::string host);
  void handshake();
  // What a call that has failed means; throws it.
  [[noreturn]] void fail(int result, const char* doing);

  net::Fd fd_;
  Engine engine_;
  std::string host_;     // that the certificate must be for
  bool ended_ = false;   // close_notify is sent
  bool broken_ = false;  // an error was thrown
};

}  // namespace tls
