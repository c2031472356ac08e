#include <utility>

#include "chapters/14_tls_socket/state.h"
#include "common/todo.h"

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

net::Socket& TlsSocket::connect(net::ConnectOptions, std::function<void()>) {
  TODO("14.6", "the Socket's own, and then all of the last one is forgotten");
}

std::unique_ptr<net::Transport> TlsSocket::layer(
    std::unique_ptr<net::Transport>) {
  TODO("14.6", "TLS over the wire that has just been connected");
}

std::unique_ptr<net::Transport> TlsSocket::secure(Connection) {
  TODO("14.6", "a TlsTransport, with an engine; it is remembered");
}

Engine TlsSocket::new_engine() {
  State& s = *state_;
  Engine engine = s.role == Role::kClient ? new_client(*s.context, s.options)
                                          : new_server(*s.context, s.options);
  SSL_set_app_data(engine.get(), this);
  use_session(engine.get(), s.session);
  return engine;
}

void TlsSocket::take(std::shared_ptr<net::Socket>) {
  TODO("14.7", "adopt what is handed over; both end together");
}

// The handshake is over. Whether the peer is who it should be is for us to say.
void TlsSocket::agreed() {
  TODO("14.6", "the verdict, and then secured() or failed()");
}

void TlsSocket::secured() {
  on_secure_connect.emit();
}

void TlsSocket::disagreed(const Error&) {
  TODO("14.6", "is it about the certificate? then failed()");
}

void TlsSocket::failed(const Error& error) {
  destroy(error);
}

bool TlsSocket::truncated() const {
  TODO("14.6", "the transport knows, if there is one");
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

std::shared_ptr<TlsSocket> connect(net::EventLoop&, ConnectOptions,
                                   std::function<void()>) {
  TODO("14.6", "a context, an engine, a socket; 14.7: over another one");
}

std::shared_ptr<TlsSocket> accept(net::EventLoop&, std::shared_ptr<net::Socket>,
                                  AcceptOptions) {
  TODO("14.7", "the same from the other end");
}

}  // namespace tls
