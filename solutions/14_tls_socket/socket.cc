#include <openssl/err.h>

#include <mutex>
#include <utility>

#include "chapters/13_blocking_tls/alpn.h"
#include "chapters/14_tls_socket/tls_socket.h"
#include "chapters/14_tls_socket/tls_transport.h"

namespace tls {

using net::Error;

struct TlsSocket::State {
  net::EventLoop& loop;
  std::shared_ptr<const Context> context;
  EngineOptions options;
  Role role;
  std::string session = {};  // to be resumed
  Engine engine = {};        // for the next connection

  TlsTransport* transport = nullptr;  // the Socket owns it

  // What has come of the handshake.
  struct Verdict {
    bool authorized = false;
    std::string authorization_error = {};
    std::string alpn_protocol = {};
    std::string servername = {};
  };
  Verdict verdict = {};
};

namespace {

// Null for one that has nothing to do with a TlsSocket.
TlsSocket* socket_of(const SSL* ssl) {
  return static_cast<TlsSocket*>(SSL_get_app_data(ssl));
}

// What cannot be read is no reason not to connect: the handshake is a full one.
void use_session(SSL* ssl, const std::string& bytes) {
  auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  SSL_SESSION* session =
      d2i_SSL_SESSION(nullptr, &from, static_cast<long>(bytes.size()));
  if (session) SSL_set_session(ssl, session);
  SSL_SESSION_free(session);
  ERR_clear_error();
}

}  // namespace

std::string TlsSocket::as_bytes(SSL_SESSION* session) {
  std::string bytes(static_cast<std::size_t>(i2d_SSL_SESSION(session, nullptr)),
                    '\0');
  auto* to = reinterpret_cast<unsigned char*>(bytes.data());
  i2d_SSL_SESSION(session, &to);
  return bytes;
}

// 14.5: a context calls back for all of its connections. It may be shared by
// threads, so it is told once, by whoever uses it first.
void TlsSocket::listen_to(SSL_CTX* context) {
  static std::mutex one_at_a_time;
  std::lock_guard lock(one_at_a_time);
  if (SSL_CTX_get_keylog_callback(context)) return;
  SSL_CTX_set_keylog_callback(context, [](const SSL* ssl, const char* line) {
    TlsSocket* self = socket_of(ssl);
    if (!self || self->on_keylog.listener_count() == 0) return;
    self->later([self, line = line + std::string("\n")] {
      self->on_keylog.emit(line);
    });
  });
  // Nothing is kept in the context: who wants to resume keeps the session.
  SSL_CTX_set_session_cache_mode(
      context, SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
    if (TlsSocket* self = socket_of(ssl)) self->session_made(session);
    return 0;  // it stays OpenSSL's
  });
}

TlsSocket::TlsSocket(net::EventLoop& loop, net::ConnectOptions options,
                     std::shared_ptr<const Context> context,
                     EngineOptions engine, Role role)
    : net::Socket(loop, std::move(options)),
      state_(new State{.loop = loop,
                       .context = std::move(context),
                       .options = std::move(engine),
                       .role = role}) {
  listen_to(state_->context->get());
}

TlsSocket::~TlsSocket() = default;

std::unique_ptr<net::Transport> TlsSocket::layer(
    std::unique_ptr<net::Transport> wire) {
  return secure({.transport = std::move(wire), .unread = {}, .unsent = {}});
}

std::unique_ptr<net::Transport> TlsSocket::secure(Connection wire) {
  State& s = *state_;
  Engine engine = s.engine ? std::move(s.engine) : new_engine();
  auto transport = std::make_unique<TlsTransport>(
      std::move(wire.transport), std::move(engine), std::move(wire.unread),
      std::move(wire.unsent));
  s.transport = transport.get();
  s.verdict = {};
  return transport;
}

Engine TlsSocket::new_engine() {
  State& s = *state_;
  Engine engine = s.role == Role::kClient ? new_client(*s.context, s.options)
                                          : new_server(*s.context, s.options);
  SSL_set_app_data(engine.get(), this);
  if (!s.session.empty()) use_session(engine.get(), s.session);
  return engine;
}

void TlsSocket::take(std::shared_ptr<net::Socket> raw) {
  adopt(secure(raw->hand_over()));
  // 14.6: weakly: `raw` is held already, by our own listener.
  raw->on_close.once([weak = weak_from_this()](bool) {
    if (auto alive = weak.lock()) alive->destroy();
  });
  on_close.once([raw](bool) { raw->destroy(); });
}

void TlsSocket::agreed() {
  State& s = *state_;
  s.verdict.alpn_protocol = tls::alpn_protocol(engine());
  const char* name = SSL_get_servername(engine(), TLSEXT_NAMETYPE_host_name);
  if (name) s.verdict.servername = name;
  if (s.role == Role::kClient || s.options.request_cert) {
    std::optional<Error> error = tls::authorization_error(
        engine(),
        s.options.servername.empty() ? s.options.host : s.options.servername);
    s.verdict.authorized = !error;
    if (error) s.verdict.authorization_error = error->code;
    if (error && s.options.reject_unauthorized) return disagreed(*error);
  }
  secured();
}

void TlsSocket::secured() {
  on_secure_connect.emit();
}

void TlsSocket::disagreed(const Error& error) {
  if (SSL_get_verify_result(state_->transport->engine()) != X509_V_OK)
    state_->verdict.authorization_error = error.code;
  failed(error);
}

void TlsSocket::failed(const Error& error) {
  destroy(error);
}

void TlsSocket::forget_listeners() {
  net::Socket::forget_listeners();
  on_secure_connect.clear();
  on_session.clear();
  on_keylog.clear();
}

void TlsSocket::session_made(SSL_SESSION* session) {
  if (on_session.listener_count() == 0) return;
  later([this, bytes = as_bytes(session)] { on_session.emit(bytes); });
}

// 14.5: OpenSSL calls back from within its own calls, in which it must not be
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

SSL* TlsSocket::engine() const {
  if (!state_->transport || destroyed()) return nullptr;
  return state_->transport->engine();
}

void TlsSocket::hold_handshake(bool on) {
  state_->transport->hold(on);
  if (!on) try_again();
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

bool TlsSocket::truncated() const {
  return state_->transport && state_->transport->truncated();
}

bool TlsSocket::is_session_reused() const {
  return engine() && SSL_session_reused(engine());
}

std::optional<Certificate> TlsSocket::peer_certificate() const {
  X509* peer = engine() ? SSL_get0_peer_certificate(engine()) : nullptr;
  if (!peer) return std::nullopt;
  return describe(peer);
}

std::optional<std::string> TlsSocket::protocol() const {
  if (!engine()) return std::nullopt;
  return SSL_get_version(engine());
}

std::optional<Cipher> TlsSocket::cipher() const {
  const SSL_CIPHER* cipher =
      engine() ? SSL_get_current_cipher(engine()) : nullptr;
  if (!cipher) return std::nullopt;
  return Cipher{SSL_CIPHER_get_name(cipher), SSL_CIPHER_standard_name(cipher)};
}

std::optional<std::string> TlsSocket::session() const {
  SSL_SESSION* session = engine() ? SSL_get_session(engine()) : nullptr;
  if (!session) return std::nullopt;
  return as_bytes(session);
}

std::shared_ptr<TlsSocket> connect(net::EventLoop& loop, ConnectOptions options,
                                   std::function<void()> secure) {
  if (options.host.empty()) options.host = "localhost";
  std::shared_ptr<const Context> context = options.secure_context;
  if (!context) context = create_secure_context(options);
  EngineOptions engine;
  engine.servername = options.servername;
  engine.host = options.host;
  engine.alpn_protocols = options.alpn_protocols;
  engine.reject_unauthorized = options.reject_unauthorized;
  std::shared_ptr<TlsSocket> socket(
      new TlsSocket(loop, options, std::move(context), std::move(engine),
                    TlsSocket::Role::kClient));
  socket->state_->session = options.session;
  // What cannot be used throws now, not when the peer has answered.
  socket->state_->engine = socket->new_engine();
  if (secure) socket->on_secure_connect.once(std::move(secure));
  if (options.socket)
    socket->take(options.socket);
  else
    socket->connect(options);
  return socket;
}

std::shared_ptr<TlsSocket> accept(net::EventLoop& loop,
                                  std::shared_ptr<net::Socket> raw,
                                  AcceptOptions options) {
  std::shared_ptr<const Context> context = options.secure_context;
  if (!context) context = create_secure_context(options);
  EngineOptions engine;
  engine.alpn_protocols = options.alpn_protocols;
  engine.request_cert = options.request_cert;
  engine.reject_unauthorized = options.reject_unauthorized;
  net::ConnectOptions own;
  own.allow_half_open = options.allow_half_open;
  std::shared_ptr<TlsSocket> socket(new TlsSocket(loop, own, std::move(context),
                                                  std::move(engine),
                                                  TlsSocket::Role::kServer));
  socket->take(std::move(raw));
  return socket;
}

// Also right: to verify the peer in OpenSSL's own callback; to keep what a
// connection was agreed on only in the engine, and to ask it each time.

}  // namespace tls
