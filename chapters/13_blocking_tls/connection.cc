#include "chapters/13_blocking_tls/connection.h"

#include <openssl/err.h>

#include <new>
#include <utility>

#include "chapters/13_blocking_tls/socket_bio.h"
#include "chapters/13_blocking_tls/tls_error.h"
#include "common/todo.h"

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
  TODO("13.7", "shake hands, and look whose certificate it is");
}

Connection Connection::accept(net::Fd fd, const Context& context,
                              const EngineOptions& options) {
  Connection connection(std::move(fd), new_server(context, options), "");
  connection.handshake();
  return connection;
}

void Connection::handshake() {
  TODO("13.7", "SSL_do_handshake(), with an empty queue");
}

std::size_t Connection::read(std::span<char> into) {
  (void)into;
  TODO("13.9", "SSL_read_ex(); tell the end from a cut");
}

void Connection::write(std::string_view bytes) {
  (void)bytes;
  TODO("13.9", "SSL_write_ex()");
}

void Connection::shutdown() {
  TODO("13.10", "close_notify: once, and not after an error");
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
  (void)result;
  (void)doing;
  TODO("13.7", "SSL_get_error(): a system call, the certificate, or OpenSSL");
}

}  // namespace tls
