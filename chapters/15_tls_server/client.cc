#include "chapters/15_tls_server/client.h"

#include <utility>

#include "common/todo.h"

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

void Server::Client::start(std::shared_ptr<net::Socket>) {
  TODO("15.1", "take it, be unfinished, and set the timer");
}

// It is no longer among the unfinished ones.
void Server::Client::leave() {
  loop().clear_timer(std::exchange(timer_, net::TimerId::kNone));
  if (place_) server_->state_->unfinished.erase(*place_);
  place_.reset();
}

void Server::Client::secured() {
  TODO("15.1", "it is finished, and the server tells");
}

void Server::Client::failed(const Error&) {
  TODO("15.3", "tell the server, and close");
}

bool Server::Client::tell(const Error&) {
  TODO("15.3", "on_tls_client_error, once");
}

void Server::Client::closed() {
  // TODO(15.3): if it was not finished: ECONNRESET.
}

void Server::Client::too_late() {
  TODO("15.3", "tell; who closes it?");
}

void Server::Client::give_way() {
  TODO("15.3", "ERR_TLS_TOO_MANY_HANDSHAKES");
}

bool Server::Client::asks_for_session() const {
  // TODO(15.5): it has an id, no ticket, and somebody listens.
  return false;
}

bool Server::Client::asks_for_context() const {
  // TODO(15.4): it has said a name, and there is a callback.
  return false;
}

// Called again for a second hello of the same client (RFC 8446, section
// 4.1.4), and, 15.4, after each SSL_CLIENT_HELLO_RETRY.
int Server::Client::hello(int*) {
  // TODO(15.2): read it, and use() the identity of its name. 15.4: but whose
  // answers are needed? SSL_CLIENT_HELLO_RETRY until they are there. It cannot
  // throw: OpenSSL calls it.
  return SSL_CLIENT_HELLO_SUCCESS;
}

void Server::Client::use(const Identity&) {
  TODO("15.2", "its context; 15.6: and its scope, with the name");
}

void Server::Client::ask_for_session() {
  // TODO(15.5): on_resume_session first, if it asks for a session.
  ask_for_context();
}

void Server::Client::ask_for_context() {
  TODO("15.4", "the callback, whose answer comes once, or never");
}

void Server::Client::answered(Identity) {
  TODO("15.4", "remember it, and go on with the handshake");
}

SSL_SESSION* Server::Client::resumed_session() {
  // TODO(15.5): of the bytes in resumed_. OpenSSL calls it, too.
  return nullptr;
}

const TicketKeys& Server::Client::ticket_keys() const {
  return server_->state_->ticket_keys;
}

void Server::Client::session_made(SSL_SESSION*) {
  // TODO(15.5): on_new_session, later; hold the handshake. OpenSSL calls it.
}

}  // namespace tls
