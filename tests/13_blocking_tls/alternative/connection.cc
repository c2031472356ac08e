// The connection in another way: OpenSSL reads and writes memory, and send()
// and recv() stand around it.
#include "chapters/13_blocking_tls/connection.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "chapters/13_blocking_tls/tls_error.h"

namespace tls {
namespace {

struct Lost {
  int number;  // errno
};

// Sends what OpenSSL has written into its memory.
void flush(int fd, SSL* ssl) {
  BIO* out = SSL_get_wbio(ssl);
  std::size_t size = BIO_ctrl_pending(out);
  std::string waiting(size, '\0');
  BIO_read(out, waiting.data(), static_cast<int>(size));
  for (std::size_t sent = 0; sent < size;) {
    ssize_t n = ::send(fd, waiting.data() + sent, size - sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR) throw Lost{errno};
    if (n > 0) sent += static_cast<std::size_t>(n);
  }
}

// Waits for bytes, and gives them to OpenSSL; 0 at FIN.
ssize_t fill(int fd, SSL* ssl) {
  char buffer[16384];
  ssize_t n;
  do n = ::recv(fd, buffer, sizeof buffer, 0);
  while (n < 0 && errno == EINTR);
  if (n < 0) throw Lost{errno == EAGAIN ? ETIMEDOUT : errno};
  if (n == 0)
    BIO_set_mem_eof_return(SSL_get_rbio(ssl), 0);
  else
    BIO_write(SSL_get_rbio(ssl), buffer, static_cast<int>(n));
  return n;
}

// Calls `step` until it has succeeded or failed for good; its last result.
template <typename Step>
int pump(int fd, SSL* ssl, Step step) {
  while (true) {
    ERR_clear_error();
    int result = step(ssl);
    flush(fd, ssl);
    if (result > 0 || SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
      return result;
    fill(fd, ssl);
  }
}

}  // namespace

Connection::Connection(net::Fd fd, Engine engine, std::string host)
    : fd_(std::move(fd)), engine_(std::move(engine)), host_(std::move(host)) {
  SSL_set_bio(engine_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
}

Connection Connection::connect(net::Fd fd, const Context& context,
                               const EngineOptions& options) {
  Connection made(std::move(fd), new_client(context, options), "");
  made.handshake();
  return made;
}

Connection Connection::accept(net::Fd fd, const Context& context,
                              const EngineOptions& options) {
  Connection made(std::move(fd), new_server(context, options), "");
  made.handshake();
  return made;
}

void Connection::handshake() {
  int result = 0;
  try {
    result = pump(fd_.get(), engine_.get(), SSL_do_handshake);
  } catch (const Lost& lost) {
    throw net::Error::from_errno(lost.number, "handshake");
  }
  if (result == 1) return;
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    throw net::Error::from_errno(ECONNRESET, "handshake");
  }
  fail(result, "handshake");
}

std::size_t Connection::read(std::span<char> into) {
  std::size_t n = 0;
  int result = 0;
  try {
    result = pump(fd_.get(), engine_.get(), [&](SSL* ssl) {
      return SSL_read_ex(ssl, into.data(), into.size(), &n);
    });
  } catch (const Lost& lost) {
    broken_ = true;
    throw net::Error::from_errno(lost.number, "read");
  }
  if (result == 1) return n;
  if (SSL_get_error(engine_.get(), result) == SSL_ERROR_ZERO_RETURN) return 0;
  fail(result, "read");
}

void Connection::write(std::string_view bytes) {
  try {
    // A record at a time, so that the memory stays small.
    for (; !bytes.empty();
         bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 16384))) {
      std::size_t n = 0;
      std::string_view piece = bytes.substr(0, 16384);
      int result = pump(fd_.get(), engine_.get(), [&](SSL* ssl) {
        return SSL_write_ex(ssl, piece.data(), piece.size(), &n);
      });
      if (result != 1) fail(result, "write");
    }
  } catch (const Lost& lost) {
    broken_ = true;
    throw net::Error::from_errno(lost.number, "write");
  }
}

void Connection::shutdown() {
  if (broken_ || std::exchange(ended_, true)) return;
  ERR_clear_error();
  int result = SSL_shutdown(engine_.get());
  if (result < 0) fail(result, "shutdown");
  try {
    flush(fd_.get(), engine_.get());
  } catch (const Lost& lost) {
    broken_ = true;
    throw net::Error::from_errno(lost.number, "shutdown");
  }
}

void Connection::fail(int, const char* doing) {
  broken_ = true;
  bool bad_peer =
      ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED;
  net::Error error = take_error(doing);
  throw bad_peer ? certificate_error(SSL_get_verify_result(engine_.get()))
                 : error;
}

std::optional<net::Error> Connection::authorization_error() const {
  X509* peer = SSL_get1_peer_certificate(engine_.get());
  X509_free(peer);
  long result = SSL_get_verify_result(engine_.get());
  if (!peer) result = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT;
  if (result == X509_V_OK) return {};
  return certificate_error(result);
}

std::string Connection::protocol() const {
  return SSL_get_version(get());
}
std::string Connection::cipher() const {
  return SSL_CIPHER_get_name(SSL_get_current_cipher(get()));
}
std::string Connection::alpn_protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(get(), &name, &size);
  return {name, name + size};
}
std::string Connection::servername() const {
  const char* name = SSL_get_servername(get(), TLSEXT_NAMETYPE_host_name);
  return name ? name : std::string();
}

}  // namespace tls
