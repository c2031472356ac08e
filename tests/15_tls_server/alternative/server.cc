// Another way to do it: one timer for all handshakes, answers that are counted
// and not ordered, names in a table, and sessions that stay OpenSSL's.
#include <openssl/err.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chapters/15_tls_server/hello.h"
#include "chapters/15_tls_server/sessions.h"
#include "chapters/15_tls_server/tls_server.h"

namespace tls {

using net::Error;
using ContextPtr = std::shared_ptr<const Context>;

namespace {

struct FreeSession {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL_SESSION, FreeSession>;

Session session_from(const std::string& bytes) {
  auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  Session session(
      d2i_SSL_SESSION(nullptr, &from, static_cast<long>(bytes.size())));
  ERR_clear_error();
  return session;
}

std::string id_of(const SSL_SESSION* session) {
  unsigned size = 0;
  const unsigned char* id = SSL_SESSION_get_id(session, &size);
  return {reinterpret_cast<const char*>(id), size};
}

EngineOptions for_engines(const ServerOptions& options) {
  EngineOptions engine;
  engine.alpn_protocols = options.alpn_protocols;
  engine.request_cert = options.request_cert;
  engine.reject_unauthorized = options.reject_unauthorized;
  return engine;
}

}  // namespace

struct Server::State {
  ServerOptions options;
  net::EventLoop& loop;
  TicketKeys keys = {};
  ContextPtr own = {};
  std::vector<std::pair<std::string, ContextPtr>> named = {};

  // Handshakes in the order in which they are due, and one timer for the first.
  struct Due {
    std::weak_ptr<Client> client;
    net::EventLoop::TimePoint when;
  };
  std::deque<Due> due = {};
  net::TimerId timer = net::TimerId::kNone;

  ContextPtr by_name(const std::string& name) const;
  std::string scope_of(const Context& context, const std::string& name) const;
  void drop_finished();
  void set_timer();
  void ring();
  void make_room();
};

class Server::Client : public TlsSocket {
 public:
  Client(std::shared_ptr<Server> server, const ServerOptions& options)
      : TlsSocket(server->state_->loop, for_sockets(options),
                  server->state_->own, for_engines(options), Role::kServer),
        server_(std::move(server)),
        context_(server_->state_->own) {}

  static Client* behind(const SSL* ssl) {
    return dynamic_cast<Client*>(
        static_cast<TlsSocket*>(SSL_get_app_data(ssl)));
  }

  void start(std::shared_ptr<net::Socket> raw) {
    on_close.once([this](bool) {
      report(Error("ECONNRESET", "closed during the handshake"));
    });
    take(std::move(raw));
    if (!server_->state_->options.session_tickets)
      SSL_set_options(engine(), SSL_OP_NO_TICKET);
  }

  bool unfinished() const { return !reported_; }
  const TicketKeys& keys() const { return server_->state_->keys; }
  SSL_SESSION* found() { return found_.release(); }

  // Tells the server, once; whether somebody has heard it.
  bool report(const Error& error) {
    if (std::exchange(reported_, true)) return true;
    return server_->on_tls_client_error.emit(
        error, std::static_pointer_cast<Client>(shared_from_this()));
  }

  void give_up(const Error& error) {
    auto self = shared_from_this();
    report(error);
    destroy();
  }

  int hello(int* alert) {
    Hello hello = parse_hello(engine());
    if (std::exchange(greeted_, true)) {
      if (hello.servername == name_)
        return questions_ > 0 ? SSL_CLIENT_HELLO_RETRY : decided();
      *alert = SSL_AD_ILLEGAL_PARAMETER;
      return SSL_CLIENT_HELLO_ERROR;
    }
    name_ = hello.servername;
    ContextPtr named = server_->state_->by_name(name_);
    if (named) context_ = std::move(named);
    bool store = !hello.session_id.empty() && !hello.has_ticket &&
                 server_->on_resume_session.listener_count() > 0;
    bool callback = !name_.empty() && server_->state_->options.sni_callback;
    questions_ = store + callback;
    if (store) later([this, id = hello.session_id] { ask_store(id); });
    if (callback) later([this] { ask_callback(); });
    return questions_ > 0 ? SSL_CLIENT_HELLO_RETRY : decided();
  }

 private:
  // Both questions are on their way at the same time. An answer can be given
  // once, and only as long as there is somebody who waits for it.
  struct Question {
    std::weak_ptr<net::Socket> asks;
    bool open = true;
  };
  std::shared_ptr<Question> question() {
    return std::make_shared<Question>(Question{weak_from_this(), true});
  }
  static std::shared_ptr<net::Socket> close(Question& question) {
    if (!std::exchange(question.open, false)) return nullptr;
    auto alive = question.asks.lock();
    return alive && !alive->destroyed() ? alive : nullptr;
  }
  void one_less() {
    if (--questions_ == 0) try_again();
  }

  void ask_store(const std::string& id) {
    auto answer = [this, q = question()](std::string bytes) {
      auto alive = close(*q);
      if (!alive) return;
      found_ = session_from(bytes);
      one_less();
    };
    if (!server_->on_resume_session.emit(id, answer)) answer("");
  }

  void ask_callback() {
    auto answer = [this, q = question()](const Error* error,
                                         ContextPtr context) {
      auto alive = close(*q);
      if (!alive) return;
      if (error) return later([this, error = *error] { give_up(error); });
      if (context) context_ = std::move(context);
      one_less();
    };
    server_->state_->options.sni_callback(name_, answer);
  }

  int decided() {
    listen_to(context_->get(), Role::kServer);
    SSL_set_SSL_CTX(engine(), context_->get());
    std::string scope = server_->state_->scope_of(*context_, name_);
    SSL_set_session_id_context(
        engine(), reinterpret_cast<const unsigned char*>(scope.data()),
        static_cast<unsigned>(scope.size()));
    return SSL_CLIENT_HELLO_SUCCESS;
  }

  void secured() override {
    auto self = std::static_pointer_cast<Client>(shared_from_this());
    reported_ = true;
    TlsSocket::secured();
    if (!destroyed()) server_->on_secure_connection.emit(self);
  }

  void failed(const Error& error) override { give_up(error); }

  void session_made(SSL_SESSION* session) override {
    if (server_->on_new_session.listener_count() == 0) return;
    hold_handshake(true);
    ++unstored_;
    auto done = [this, q = question()] {
      auto alive = close(*q);
      if (alive && --unstored_ == 0) hold_handshake(false);
    };
    later([this, id = id_of(session), bytes = as_bytes(session), done] {
      server_->on_new_session.emit(id, bytes, done);
    });
  }

  std::shared_ptr<Server> server_;
  ContextPtr context_;
  std::string name_;
  Session found_;
  bool greeted_ = false;
  bool reported_ = false;  // secure, or failed
  int questions_ = 0;
  int unstored_ = 0;
};

ContextPtr Server::State::by_name(const std::string& name) const {
  auto found = std::find_if(named.rbegin(), named.rend(), [&](const auto& it) {
    return matches_name(it.first, name);
  });
  return found == named.rend() ? nullptr : found->second;
}

std::string Server::State::scope_of(const Context& context,
                                    const std::string& name) const {
  Asks asks = options.request_cert ? Asks::kForCertificates : Asks::kNobody;
  return session_scope(
      context_scope(context.get(), options.session_id_context, asks), name);
}

void Server::State::drop_finished() {
  std::erase_if(due, [](const Due& it) {
    auto client = it.client.lock();
    return !client || !client->unfinished();
  });
}

void Server::State::set_timer() {
  loop.clear_timer(std::exchange(timer, net::TimerId::kNone));
  if (due.empty() || options.handshake_timeout.count() <= 0) return;
  auto left = std::chrono::ceil<std::chrono::milliseconds>(due.front().when -
                                                           loop.now());
  timer = loop.set_timeout(std::max(left, std::chrono::milliseconds(0)),
                           [this] { ring(); });
  loop.unref(timer);
}

void Server::State::ring() {
  timer = net::TimerId::kNone;
  drop_finished();
  while (!due.empty() && due.front().when <= loop.now()) {
    auto client = due.front().client.lock();
    due.pop_front();
    if (!client || !client->unfinished()) continue;
    Error late("ERR_TLS_HANDSHAKE_TIMEOUT", "TLS handshake timeout");
    if (!client->report(late)) client->destroy();
  }
  set_timer();
}

void Server::State::make_room() {
  drop_finished();
  if (options.max_handshakes <= 0) return;
  while (due.size() >= static_cast<std::size_t>(options.max_handshakes)) {
    auto client = due.front().client.lock();
    due.pop_front();
    if (client)
      client->give_up(
          Error("ERR_TLS_TOO_MANY_HANDSHAKES", "newer ones have come"));
  }
}

namespace {

std::mutex preparing;

}  // namespace

Server::Server(net::EventLoop& loop, ServerOptions options)
    : net::Server(loop, options),
      state_(new State{.options = options, .loop = loop}) {
  if (!options.ticket_keys.empty()) set_ticket_keys(options.ticket_keys);
  set_secure_context(options.context());
  on_connection([this](std::shared_ptr<net::Socket>& raw) {
    state_->loop.defer([self = shared_from_this(), this, raw] {
      if (raw->pending()) return;
      State& s = *state_;
      s.make_room();
      auto client = std::make_shared<Client>(
          std::static_pointer_cast<Server>(self), s.options);
      if (s.options.pause_on_connect) client->pause();
      s.due.push_back({client, s.loop.now() + s.options.handshake_timeout});
      client->start(raw);
      s.set_timer();
    });
  });
}

Server::~Server() {
  if (state_) state_->loop.clear_timer(state_->timer);
}

std::shared_ptr<Server> Server::create(net::EventLoop& loop,
                                       ServerOptions options) {
  std::shared_ptr<Server> server(new Server(loop, std::move(options)));
  new_server(*server->state_->own, for_engines(server->state_->options));
  return server;
}

void Server::add_context(std::string host, const ContextOptions& options) {
  add_context(std::move(host), create_secure_context(options));
}

void Server::add_context(std::string host, ContextPtr context) {
  state_->named.emplace_back(std::move(host), std::move(context));
}

void Server::set_secure_context(const ContextOptions& options) {
  set_secure_context(create_secure_context(options));
}

void Server::set_secure_context(ContextPtr context) {
  std::lock_guard lock(preparing);
  SSL_CTX* raw = context->get();
  state_->own = std::move(context);
  if (SSL_CTX_sess_get_get_cb(raw)) return;
  SSL_CTX_set_timeout(
      raw, static_cast<long>(state_->options.session_timeout.count()));
  SSL_CTX_set_client_hello_cb(
      raw,
      [](SSL* ssl, int* alert, void*) {
        Client* client = Client::behind(ssl);
        return client ? client->hello(alert) : SSL_CLIENT_HELLO_SUCCESS;
      },
      nullptr);
  SSL_CTX_set_cert_cb(
      raw, [](SSL*, void*) { return 1; }, nullptr);
  SSL_CTX_set_tlsext_servername_callback(
      raw, +[](SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; });
  SSL_CTX_sess_set_get_cb(raw,
                          [](SSL* ssl, const unsigned char*, int, int* copy) {
                            *copy = 0;
                            Client* client = Client::behind(ssl);
                            return client ? client->found() : nullptr;
                          });
  SSL_CTX_set_tlsext_ticket_key_evp_cb(
      raw, [](SSL* ssl, unsigned char* name, unsigned char* iv,
              EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypt) {
        Client* client = Client::behind(ssl);
        if (!client) return 0;
        return client->keys().use(name, iv, cipher, mac, encrypt);
      });
}

void Server::set_ticket_keys(std::string_view keys) {
  state_->keys.set(keys);
}

std::string Server::ticket_keys() const {
  return state_->keys.get();
}

std::shared_ptr<Server> create_server(
    net::EventLoop& loop, ServerOptions options,
    std::function<void(std::shared_ptr<TlsSocket>)> on_secure_connection) {
  auto server = Server::create(loop, std::move(options));
  if (on_secure_connection)
    server->on_secure_connection(std::move(on_secure_connection));
  return server;
}

}  // namespace tls
