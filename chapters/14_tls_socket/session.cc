#include <mutex>
#include <utility>

#include "chapters/14_tls_socket/state.h"
#include "common/todo.h"

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

std::string TlsSocket::as_bytes(SSL_SESSION*) {
  TODO("14.8", "i2d_SSL_SESSION(), twice: how long, and then where to");
}

// What cannot be read is no reason not to connect: the handshake is a
// full one.
void TlsSocket::use_session(SSL*, const std::string& bytes) {
  if (bytes.empty()) return;
  TODO("14.8", "d2i_SSL_SESSION(), and SSL_set_session() if it is one");
}

// A context calls back for all of its connections. It may be shared by
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

void TlsSocket::session_made(SSL_SESSION*) {
  // TODO(14.8): on_session, but later(). A client only.
}

// OpenSSL calls back from within its own calls, in which it must not be
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

// After destroy() the transport is still there, for truncated() alone.
SSL* TlsSocket::engine() const {
  if (pending() || !state_->transport) return nullptr;
  return state_->transport->engine();
}

// Before that OpenSSL answers, too: with its highest version, and with the
// certificate and the cipher of a session that the server may not resume.
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
  TODO("14.8", "SSL_session_reused()");
}

std::optional<Certificate> TlsSocket::peer_certificate() const {
  TODO("14.9", "describe() what the peer has shown, if it has");
}

std::optional<std::string> TlsSocket::protocol() const {
  TODO("14.9", "SSL_get_version()");
}

std::optional<Cipher> TlsSocket::cipher() const {
  TODO("14.9", "SSL_get_current_cipher(), by both of its names");
}

std::optional<std::string> TlsSocket::session() const {
  TODO("14.9", "SSL_get_session(), as bytes");
}

}  // namespace tls
