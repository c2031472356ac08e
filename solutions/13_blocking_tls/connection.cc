#include "chapters/13_blocking_tls/connection.h"

#include <openssl/err.h>

#include <cerrno>
#include <new>
#include <utility>

#include "chapters/13_blocking_tls/socket_bio.h"
#include "chapters/13_blocking_tls/tls_error.h"

namespace tls {

Connection::Connection(net::Fd fd, Engine engine, std::string host)
    : fd_(std::move(fd)), engine_(std::move(engine)), host_(std::move(host)) {
  BIO* bio = new_socket_bio(fd_.get());
  if (!bio) throw std::bad_alloc();
  SSL_set_bio(engine_.get(), bio, bio);
}

Connection Connection::connect(net::Fd fd, const Context& context,
                               const EngineOptions& options) {
  Connection connection(
      std::move(fd), new_client(context, options),
      options.servername.empty() ? options.host : options.servername);
  connection.handshake();
  if (!options.reject_unauthorized) return connection;
  // The chain is good, or we would not be here. The name may be another's.
  if (auto error = connection.authorization_error()) throw *error;
  return connection;
}

Connection Connection::accept(net::Fd fd, const Context& context,
                              const EngineOptions& options) {
  Connection connection(std::move(fd), new_server(context, options), "");
  connection.handshake();
  return connection;
}

void Connection::handshake() {
  // 13.7: SSL_get_error() looks into the queue. What others have left there it
  // would take for ours.
  ERR_clear_error();
  errno = 0;
  int result = SSL_do_handshake(engine_.get());
  if (result == 1) return;
  // There is no connection yet that could have been cut off: Node's code.
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    throw net::Error::from_errno(ECONNRESET, "handshake");
  }
  fail(result, "handshake");
}

std::size_t Connection::read(std::span<char> into) {
  ERR_clear_error();
  errno = 0;
  std::size_t n = 0;
  int result = SSL_read_ex(engine_.get(), into.data(), into.size(), &n);
  if (result == 1) return n;
  // 13.9: close_notify, and only that, is the end.
  if (SSL_get_error(engine_.get(), result) == SSL_ERROR_ZERO_RETURN) return 0;
  fail(result, "read");
}

void Connection::write(std::string_view bytes) {
  // SSL_write() of nothing is not defined.
  if (bytes.empty()) return;
  ERR_clear_error();
  errno = 0;
  std::size_t n = 0;
  // All of it: without SSL_MODE_ENABLE_PARTIAL_WRITE, and on a blocking
  // socket, it does not return before.
  int result = SSL_write_ex(engine_.get(), bytes.data(), bytes.size(), &n);
  if (result != 1) fail(result, "write");
}

void Connection::shutdown() {
  // 13.10: after a fatal error OpenSSL forbids it; the peer has had an alert.
  if (ended_ || broken_) return;
  ended_ = true;
  ERR_clear_error();
  errno = 0;
  // 0: sent, and the peer's has not come yet. Whoever wants it reads on.
  int result = SSL_shutdown(engine_.get());
  if (result < 0) fail(result, "shutdown");
}

std::optional<net::Error> Connection::authorization_error() const {
  return tls::authorization_error(engine_.get(), host_);
}

std::string Connection::protocol() const {
  return SSL_get_version(engine_.get());
}

std::string Connection::cipher() const {
  return SSL_get_cipher_name(engine_.get());
}

std::string Connection::alpn_protocol() const {
  return tls::alpn_protocol(engine_.get());
}

std::string Connection::servername() const {
  const char* name =
      SSL_get_servername(engine_.get(), TLSEXT_NAMETYPE_host_name);
  return name ? name : "";
}

void Connection::fail(int result, const char* doing) {
  int number = errno;
  broken_ = true;
  int kind = SSL_get_error(engine_.get(), result);
  // 13.7: with an empty queue it was a system call.
  if (kind == SSL_ERROR_SYSCALL && number != 0)
    throw net::Error::from_errno(number == EAGAIN ? ETIMEDOUT : number, doing);
  int reason = ERR_GET_REASON(ERR_peek_error());
  net::Error error = take_error(doing);
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
    throw certificate_error(SSL_get_verify_result(engine_.get()));
  throw error;
}

// Also right: SSL_set1_host() in place of the look at the name afterwards; a
// loop around SSL_read() and SSL_write() for SSL_ERROR_WANT_READ, which is
// needed as soon as SSL_MODE_AUTO_RETRY is off, or the socket does not block.

}  // namespace tls
