#include <utility>

#include "chapters/13_blocking_tls/tls_error.h"
#include "chapters/14_tls_socket/state.h"

namespace tls {

using net::Error;

TlsSocket::TlsSocket(net::EventLoop& loop, net::ConnectOptions options,
                     std::shared_ptr<const Context> context,
                     EngineOptions engine, Role role)
    : net::Socket(loop, std::move(options)),
      state_(new State{.loop = loop,
                       .context = std::move(context),
                       .options = std::move(engine),
                       .role = role}) {
  listen_to(state_->context->get(), role);
}

TlsSocket::~TlsSocket() = default;

net::Socket& TlsSocket::connect(net::ConnectOptions options,
                                std::function<void()> connected) {
  net::Socket::connect(std::move(options), std::move(connected));
  // 14.6: now, and not when it has worked: the transport is gone already, and
  // whoever is asked meanwhile knows of no peer.
  state_->transport = nullptr;
  state_->verdict = {};
  return *this;
}

std::unique_ptr<net::Transport> TlsSocket::layer(
    std::unique_ptr<net::Transport> wire) {
  return secure({.transport = std::move(wire), .unread = {}, .unsent = {}});
}

std::unique_ptr<net::Transport> TlsSocket::secure(Connection wire) {
  State& s = *state_;
  // 14.6: the first was made by connect() already; another connection has
  // another engine.
  Engine engine = s.engine ? std::move(s.engine) : new_engine();
  auto transport = std::make_unique<TlsTransport>(
      std::move(wire.transport), std::move(engine), std::move(wire.unread),
      std::move(wire.unsent));
  s.transport = transport.get();
  return transport;
}

Engine TlsSocket::new_engine() {
  State& s = *state_;
  Engine engine = s.role == Role::kClient ? new_client(*s.context, s.options)
                                          : new_server(*s.context, s.options);
  SSL_set_app_data(engine.get(), this);
  use_session(engine.get(), s.session);
  return engine;
}

// 14.7: what `raw` had read is for the handshake; what it could not send yet
// goes out first, as it is.
void TlsSocket::take(std::shared_ptr<net::Socket> raw) {
  adopt(secure(raw->hand_over()));
  // 14.7: one that encrypts, too: the transport is not its own any more.
  if (auto* tls = dynamic_cast<TlsSocket*>(raw.get()))
    tls->state_->transport = nullptr;
  // 14.7: weakly: `raw` is held already, by our own listener.
  raw->on_close.once([weak = weak_from_this()](bool) {
    if (auto alive = weak.lock()) alive->destroy();
  });
  on_close.once([raw](bool) { raw->destroy(); });
}

// The handshake is over. Whether the peer is who it should be is for us to say.
void TlsSocket::agreed() {
  State& s = *state_;
  s.verdict.agreed = true;
  s.verdict.alpn_protocol = tls::alpn_protocol(engine());
  const char* name = SSL_get_servername(engine(), TLSEXT_NAMETYPE_host_name);
  if (name) s.verdict.servername = name;
  if (s.role == Role::kClient || s.options.request_cert) {
    std::optional<Error> error = tls::authorization_error(
        engine(),
        s.options.servername.empty() ? s.options.host : s.options.servername);
    s.verdict.authorized = !error;
    if (error) s.verdict.authorization_error = error->code;
    // 14.6: no data was sent or read yet, and none will be.
    if (error && s.options.reject_unauthorized) return failed(*error);
  }
  secured();
}

void TlsSocket::secured() {
  on_secure_connect.emit();
}

void TlsSocket::disagreed(const Error& error) {
  // 14.6: one that does not reject goes on with a bad certificate, and then
  // something else may go wrong.
  long result = SSL_get_verify_result(engine());
  if (result != X509_V_OK && error.code == certificate_error(result).code)
    state_->verdict.authorization_error = error.code;
  failed(error);
}

void TlsSocket::failed(const Error& error) {
  destroy(error);
}

bool TlsSocket::truncated() const {
  return state_->transport && state_->transport->truncated();
}

void TlsSocket::hold_handshake(bool on) {
  state_->transport->hold(on);
  if (!on) try_again();
}

void TlsSocket::forget_listeners() {
  net::Socket::forget_listeners();
  on_secure_connect.clear();
  on_session.clear();
  on_keylog.clear();
}

std::shared_ptr<TlsSocket> connect(net::EventLoop& loop, ConnectOptions options,
                                   std::function<void()> secure) {
  if (options.host.empty()) options.host = "localhost";
  EngineOptions engine;
  engine.servername = options.servername;
  engine.host = options.host;
  engine.alpn_protocols = options.alpn_protocols;
  engine.reject_unauthorized = options.reject_unauthorized;
  std::shared_ptr<TlsSocket> socket(
      new TlsSocket(loop, options, options.context(), std::move(engine),
                    TlsSocket::Role::kClient));
  socket->state_->session = options.session;
  // 14.6: what cannot be used throws now, not when the peer has answered.
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
  EngineOptions engine;
  engine.alpn_protocols = options.alpn_protocols;
  engine.request_cert = options.request_cert;
  engine.reject_unauthorized = options.reject_unauthorized;
  net::ConnectOptions own;
  own.allow_half_open = options.allow_half_open;
  std::shared_ptr<TlsSocket> socket(new TlsSocket(loop, own, options.context(),
                                                  std::move(engine),
                                                  TlsSocket::Role::kServer));
  socket->take(std::move(raw));
  return socket;
}

// Also right: to verify the peer in OpenSSL's own callback, name and all
// (SSL_set1_host()); to keep what a connection was agreed on only in the
// engine, and to ask it each time.

}  // namespace tls
