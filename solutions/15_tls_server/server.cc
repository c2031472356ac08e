#include <mutex>
#include <utility>

#include "chapters/15_tls_server/client.h"

namespace tls {
namespace {

EngineOptions for_engines(const ServerOptions& options) {
  EngineOptions engine;
  engine.alpn_protocols = options.alpn_protocols;
  engine.request_cert = options.request_cert;
  engine.reject_unauthorized = options.reject_unauthorized;
  return engine;
}

}  // namespace

// A context may be shared by servers, also in other threads: it asks the
// client, which knows its server.
void Server::State::prepare(SSL_CTX* context, std::chrono::seconds timeout) {
  static std::mutex one_at_a_time;
  std::lock_guard lock(one_at_a_time);
  if (SSL_CTX_sess_get_get_cb(context)) return;
  SSL_CTX_set_timeout(context, static_cast<long>(timeout.count()));
  SSL_CTX_set_client_hello_cb(
      context,
      [](SSL* ssl, int* alert, void*) {
        Client* client = Client::of(ssl);
        return client ? client->hello(alert) : SSL_CLIENT_HELLO_SUCCESS;
      },
      nullptr);
  // Without it, and without a certificate, OpenSSL falls back to TLS 1.2, and
  // says that there is no shared cipher.
  SSL_CTX_set_cert_cb(
      context, [](SSL*, void*) { return 1; }, nullptr);
  // Only with a callback OpenSSL keeps the name with the session, and knows it
  // of a client that resumes one.
  SSL_CTX_set_tlsext_servername_callback(
      context, +[](SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; });
  SSL_CTX_sess_set_get_cb(context,
                          [](SSL* ssl, const unsigned char*, int, int* copy) {
                            *copy = 0;  // it is OpenSSL's from then on
                            Client* client = Client::of(ssl);
                            return client ? client->resumed_session() : nullptr;
                          });
  SSL_CTX_set_tlsext_ticket_key_evp_cb(
      context, [](SSL* ssl, unsigned char* name, unsigned char* iv,
                  EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypt) {
        Client* client = Client::of(ssl);
        if (!client) return 0;
        return client->ticket_keys().use(name, iv, cipher, mac, encrypt);
      });
}

Identity Server::State::identify(std::shared_ptr<const Context> context) const {
  prepare(context->get(), options.session_timeout);
  Asks asks = options.request_cert ? Asks::kForCertificates : Asks::kNobody;
  std::string scope =
      context_scope(context->get(), options.session_id_context, asks);
  return {std::move(context), std::move(scope)};
}

const Identity* Server::State::identity_for(
    const std::string& servername) const {
  for (auto it = named.rbegin(); it != named.rend(); ++it)
    if (matches_name(it->pattern, servername)) return &it->identity;
  return nullptr;
}

void Server::State::begin(std::shared_ptr<net::Socket> raw) {
  // 15.1: a listener of on_connection may have closed it, or taken it.
  if (raw->pending()) return;
  if (options.max_handshakes > 0 &&
      unfinished.size() >= static_cast<std::size_t>(options.max_handshakes))
    unfinished.front()->give_way();
  auto server = std::static_pointer_cast<Server>(self.shared_from_this());
  auto client = std::make_shared<Client>(
      std::move(server), for_sockets(options), for_engines(options));
  if (options.pause_on_connect) client->pause();
  client->start(std::move(raw));
}

Server::Server(net::EventLoop& loop, ServerOptions options)
    : net::Server(loop, options),
      state_(new State{
          .self = *this, .loop = loop, .options = std::move(options)}) {
  if (!state_->options.ticket_keys.empty())
    set_ticket_keys(state_->options.ticket_keys);
  set_secure_context(state_->options.context());
  // 15.1: a little later, so that all its listeners see the raw connection.
  on_connection([this](std::shared_ptr<net::Socket>& raw) {
    state_->loop.defer(
        [alive = shared_from_this(), this, raw] { state_->begin(raw); });
  });
}

Server::~Server() = default;

std::shared_ptr<Server> Server::create(net::EventLoop& loop,
                                       ServerOptions options) {
  std::shared_ptr<Server> server(new Server(loop, std::move(options)));
  // 15.1: what cannot be used throws now, not when somebody comes.
  new_server(*server->state_->own.context,
             for_engines(server->state_->options));
  return server;
}

void Server::add_context(std::string host, const ContextOptions& options) {
  add_context(std::move(host), create_secure_context(options));
}

void Server::add_context(std::string host,
                         std::shared_ptr<const Context> context) {
  Identity identity = state_->identify(std::move(context));
  state_->named.push_back({std::move(host), std::move(identity)});
}

void Server::set_secure_context(const ContextOptions& options) {
  set_secure_context(create_secure_context(options));
}

void Server::set_secure_context(std::shared_ptr<const Context> context) {
  state_->own = state_->identify(std::move(context));
}

void Server::set_ticket_keys(std::string_view keys) {
  state_->ticket_keys.set(keys);
}

std::string Server::ticket_keys() const {
  return state_->ticket_keys.get();
}

std::shared_ptr<Server> create_server(
    net::EventLoop& loop, ServerOptions options,
    std::function<void(std::shared_ptr<TlsSocket>)> on_secure_connection) {
  auto server = Server::create(loop, std::move(options));
  if (on_secure_connection)
    server->on_secure_connection(std::move(on_secure_connection));
  return server;
}

// Also right: a server that has a net::Server instead of being one; one context
// for each combination of options, without a callback for each client.

}  // namespace tls
