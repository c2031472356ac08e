#include "chapters/15_tls_server/client.h"

#include <openssl/err.h>

#include <utility>

namespace tls {

using net::Error;

Server::Client::Client(std::shared_ptr<Server> server,
                       net::ConnectOptions options, EngineOptions engine)
    : TlsSocket(server->state_->loop, std::move(options),
                server->state_->own.context, std::move(engine), Role::kServer),
      server_(std::move(server)),
      identity_(server_->state_->own) {}

Server::Client::~Client() {
  leave();
}

Server::Client* Server::Client::of(const SSL* ssl) {
  // A context may be shared with sockets that have no server.
  return dynamic_cast<Client*>(static_cast<TlsSocket*>(SSL_get_app_data(ssl)));
}

void Server::Client::start(std::shared_ptr<net::Socket> raw) {
  Server::State& server = *server_->state_;
  on_close.once([this](bool) { closed(); });
  take(std::move(raw));
  if (!server.options.session_tickets)
    SSL_set_options(engine(), SSL_OP_NO_TICKET);
  place_ = server.unfinished.insert(server.unfinished.end(), this);
  if (server.options.handshake_timeout.count() <= 0) return;
  // 15.1: with plain `this`: leave() clears it.
  timer_ = loop().set_timeout(server.options.handshake_timeout,
                              [this] { too_late(); });
}

// It is no longer among the unfinished ones.
void Server::Client::leave() {
  loop().clear_timer(std::exchange(timer_, net::TimerId::kNone));
  if (place_) server_->state_->unfinished.erase(*place_);
  place_.reset();
}

void Server::Client::secured() {
  auto self = std::static_pointer_cast<Client>(shared_from_this());
  leave();
  told_ = true;
  TlsSocket::secured();
  if (!destroyed()) server_->on_secure_connection.emit(self);
}

void Server::Client::failed(const Error& error) {
  // 15.3: the server is told, not the socket: nobody has got it yet.
  tell(error);
  destroy();
}

bool Server::Client::tell(const Error& error) {
  leave();
  if (std::exchange(told_, true)) return true;
  return server_->on_tls_client_error.emit(
      error, std::static_pointer_cast<Client>(shared_from_this()));
}

void Server::Client::closed() {
  tell(Error("ECONNRESET", "the connection was closed during the handshake"));
}

void Server::Client::too_late() {
  // 15.3: nobody else would.
  if (!tell(Error("ERR_TLS_HANDSHAKE_TIMEOUT", "TLS handshake timeout")))
    destroy();
}

void Server::Client::give_way() {
  failed(Error("ERR_TLS_TOO_MANY_HANDSHAKES",
               "max_handshakes: newer ones have taken its place"));
}

bool Server::Client::asks_for_session() const {
  return !hello_.session_id.empty() && !hello_.has_ticket &&
         server_->on_resume_session.listener_count() > 0;
}

bool Server::Client::asks_for_context() const {
  return !hello_.servername.empty() && server_->state_->options.sni_callback;
}

// 15.2: called again for a second hello of the same client (RFC 8446, section
// 4.1.4), and, 15.4, after each SSL_CLIENT_HELLO_RETRY.
int Server::Client::hello(int* alert) {
  Hello said = parse_hello(engine());
  if (stage_ != Stage::kNew && said.servername != hello_.servername) {
    // 15.2: OpenSSL would take the new name, with the old one's context.
    *alert = SSL_AD_ILLEGAL_PARAMETER;
    return SSL_CLIENT_HELLO_ERROR;
  }
  if (stage_ == Stage::kNew) {
    hello_ = std::move(said);
    // 15.2: else it stays the server's, of when the client came (RELOAD-1).
    const Identity* named = server_->state_->identity_for(hello_.servername);
    if (named && !asks_for_context()) identity_ = *named;
    stage_ = Stage::kAnswered;
    if (asks_for_session() || asks_for_context()) {
      // 15.4: not from here: a listener may do anything, and OpenSSL is busy.
      stage_ = Stage::kSession;
      later([this] { ask_for_session(); });
    }
  }
  if (stage_ != Stage::kAnswered) return SSL_CLIENT_HELLO_RETRY;
  use(identity_);
  return SSL_CLIENT_HELLO_SUCCESS;
}

// 15.2: before OpenSSL looks at the session.
void Server::Client::use(const Identity& identity) {
  listen_to(identity.context->get(), Role::kServer);
  SSL_set_SSL_CTX(engine(), identity.context->get());
  std::string scope = session_scope(identity.scope, hello_.servername);
  SSL_set_session_id_context(
      engine(), reinterpret_cast<const unsigned char*>(scope.data()),
      static_cast<unsigned>(scope.size()));
}

void Server::Client::ask_for_session() {
  if (!asks_for_session()) return ask_for_context();
  auto answer = [weak = weak_from_this(), this](std::string session) {
    auto alive = weak.lock();
    if (!alive || destroyed() || stage_ != Stage::kSession) return;
    resumed_ = std::move(session);
    ask_for_context();
  };
  server_->on_resume_session.emit(hello_.session_id, std::move(answer));
}

void Server::Client::ask_for_context() {
  if (!asks_for_context()) return answered(identity_);
  stage_ = Stage::kContext;
  auto answer = [weak = weak_from_this(), this](
                    const Error* error,
                    std::shared_ptr<const Context> context) {
    auto alive = weak.lock();
    if (!alive || destroyed() || stage_ != Stage::kContext) return;
    if (error) {
      // 15.4: nothing is told inside the call that causes it.
      stage_ = Stage::kAnswered;
      return later([this, error = *error] { failed(error); });
    }
    Server::State& server = *server_->state_;
    answered(context ? server.identify(std::move(context)) : identity_);
  };
  server_->state_->options.sni_callback(hello_.servername, std::move(answer));
}

void Server::Client::answered(Identity identity) {
  identity_ = std::move(identity);
  stage_ = Stage::kAnswered;
  try_again();
}

SSL_SESSION* Server::Client::resumed_session() {
  auto* from = reinterpret_cast<const unsigned char*>(resumed_.data());
  SSL_SESSION* session =
      d2i_SSL_SESSION(nullptr, &from, static_cast<long>(resumed_.size()));
  ERR_clear_error();
  return session;
}

const TicketKeys& Server::Client::ticket_keys() const {
  return server_->state_->ticket_keys;
}

void Server::Client::session_made(SSL_SESSION* session) {
  if (server_->on_new_session.listener_count() == 0) return;
  hold_handshake(true);
  ++unanswered_;
  unsigned size = 0;
  auto* id = reinterpret_cast<const char*>(SSL_SESSION_get_id(session, &size));
  auto waits = std::make_shared<bool>(true);
  auto done = [weak = weak_from_this(), this, waits] {
    auto alive = weak.lock();
    if (!alive || destroyed() || !std::exchange(*waits, false)) return;
    if (--unanswered_ == 0) hold_handshake(false);
  };
  later([this, id = std::string(id, size), bytes = as_bytes(session), done] {
    server_->on_new_session.emit(id, bytes, done);
  });
}

// Also right: to read the hello ourselves before OpenSSL sees it, as Node does;
// a callback of SSL_CTX_set_cert_cb(3), which can wait for a certificate, too,
// but comes after the session was looked for.

}  // namespace tls
