#include <openssl/err.h>

#include <mutex>
#include <utility>

#include "chapters/14_tls_socket/state.h"

namespace tls {
namespace {

// Null for one that has nothing to do with a TlsSocket.
TlsSocket* socket_of(const SSL* ssl) {
  return static_cast<TlsSocket*>(SSL_get_app_data(ssl));
}

}  // namespace

void TlsSocket::State::write_keys(const SSL* ssl, const char* line) {
  TlsSocket* self = socket_of(ssl);
  if (!self || self->on_keylog.listener_count() == 0) return;
  self->later(
      [self, line = line + std::string("\n")] { self->on_keylog.emit(line); });
}

std::string TlsSocket::as_bytes(SSL_SESSION* session) {
  std::string bytes(static_cast<std::size_t>(i2d_SSL_SESSION(session, nullptr)),
                    '\0');
  auto* to = reinterpret_cast<unsigned char*>(bytes.data());
  i2d_SSL_SESSION(session, &to);
  return bytes;
}

// 14.8: what cannot be read is no reason not to connect: the handshake is a
// full one.
void TlsSocket::use_session(SSL* ssl, const std::string& bytes) {
  if (bytes.empty()) return;
  auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  SSL_SESSION* session =
      d2i_SSL_SESSION(nullptr, &from, static_cast<long>(bytes.size()));
  if (session) SSL_set_session(ssl, session);
  SSL_SESSION_free(session);
  ERR_clear_error();
}

// 14.8: a context calls back for all of its connections. It may be shared by
// threads, so it is told once, by whoever uses it first.
void TlsSocket::listen_to(SSL_CTX* context, Role role) {
  static std::mutex one_at_a_time;
  std::lock_guard lock(one_at_a_time);
  // With this OpenSSL writes out each secret as text, whoever listens.
  if (role == Role::kClient && !SSL_CTX_get_keylog_callback(context))
    SSL_CTX_set_keylog_callback(context, State::write_keys);
  if (SSL_CTX_sess_get_new_cb(context)) return;
  // Nothing is kept in the context: who wants to resume keeps the session.
  SSL_CTX_set_session_cache_mode(
      context, SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
    if (TlsSocket* self = socket_of(ssl)) self->session_made(session);
    return 0;  // it stays OpenSSL's
  });
}

void TlsSocket::session_made(SSL_SESSION* session) {
  if (state_->role == Role::kServer || on_session.listener_count() == 0) return;
  later([this, bytes = as_bytes(session)] { on_session.emit(bytes); });
}

// 14.8: OpenSSL calls back from within its own calls, in which it must not be
// used again; a listener may do anything.
void TlsSocket::later(std::function<void()> step) {
  state_->loop.defer([weak = weak_from_this(), step = std::move(step)] {
    auto alive = weak.lock();
    if (alive && !alive->destroyed()) step();
  });
}

net::EventLoop& TlsSocket::loop() const {
  return state_->loop;
}

// 14.9: after destroy() the transport is still there, for truncated() alone.
SSL* TlsSocket::engine() const {
  if (pending() || !state_->transport) return nullptr;
  return state_->transport->engine();
}

// 14.9: before that OpenSSL answers, too: with its highest version, and with
// the certificate and the cipher of a session that the server may not resume.
SSL* TlsSocket::agreed_engine() const {
  return state_->verdict.agreed ? engine() : nullptr;
}

bool TlsSocket::authorized() const {
  return state_->verdict.authorized;
}

std::string TlsSocket::authorization_error() const {
  return state_->verdict.authorization_error;
}

std::string TlsSocket::alpn_protocol() const {
  return state_->verdict.alpn_protocol;
}

std::string TlsSocket::servername() const {
  return state_->verdict.servername;
}

bool TlsSocket::is_session_reused() const {
  return agreed_engine() && SSL_session_reused(agreed_engine());
}

std::optional<Certificate> TlsSocket::peer_certificate() const {
  X509* peer =
      agreed_engine() ? SSL_get0_peer_certificate(agreed_engine()) : nullptr;
  if (!peer) return std::nullopt;
  return describe(peer);
}

std::optional<std::string> TlsSocket::protocol() const {
  if (!agreed_engine()) return std::nullopt;
  return SSL_get_version(agreed_engine());
}

std::optional<Cipher> TlsSocket::cipher() const {
  const SSL_CIPHER* cipher =
      agreed_engine() ? SSL_get_current_cipher(agreed_engine()) : nullptr;
  if (!cipher) return std::nullopt;
  return Cipher{SSL_CIPHER_get_name(cipher), SSL_CIPHER_standard_name(cipher)};
}

std::optional<std::string> TlsSocket::session() const {
  SSL_SESSION* session =
      agreed_engine() ? SSL_get_session(agreed_engine()) : nullptr;
  if (!session) return std::nullopt;
  return as_bytes(session);
}

// Also right: a callback for each context with a list of its sockets; or to
// look for new sessions after each call of OpenSSL's, by SSL_get1_session().

}  // namespace tls
