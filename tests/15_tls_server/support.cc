#include "tests/15_tls_server/support.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace graded {
namespace {

net::EventLoop::Clock clock_of(const World& world) {
  return [&world] { return net::EventLoop::TimePoint(world.now); };
}

std::string why(SSL* ssl, int result) {
  std::string words =
      "SSL_get_error() = " + std::to_string(SSL_get_error(ssl, result));
  if (const char* reason = ERR_reason_error_string(ERR_peek_error()))
    words = reason;
  ERR_clear_error();
  return words;
}

}  // namespace

tls::ContextOptions context_of(const std::string& name) {
  tls::ContextOptions options;
  options.cert = credential(name + "-cert.pem");
  options.key = credential(name + "-key.pem");
  options.ca = credential("ca-cert.pem");
  return options;
}

tls::ServerOptions with(const std::string& name) {
  tls::ServerOptions options;
  static_cast<tls::ContextOptions&>(options) = context_of(name);
  return options;
}

tls::ServerOptions asking() {
  tls::ServerOptions options = with("server");
  options.request_cert = true;
  return options;
}

void only_tls12(SSL_CTX* context) {
  SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
}

std::string code_of(World& world, const tls::ServerOptions& options) {
  try {
    tls::create_server(world.loop, options);
  } catch (const Error& error) {
    return error.code;
  } catch (const net::UsageError& error) {
    return error.code;
  }
  return "nothing was thrown";
}

World::World() : loop(std::make_unique<net::PollPoller>(), clock_of(*this)) {}

void World::serve(tls::ServerOptions options) {
  server = tls::create_server(loop, std::move(options));
  record(*server);
  server->listen(0, "127.0.0.1");
  until("listening()", [this] { return server->listening(); });
  settle();
}

void World::record(tls::Server& it) {
  it.on_connection([this](SocketPtr&) { add("connection"); });
  it.on_secure_connection([this](TlsSocketPtr socket) {
    add("secure");
    accepted.push_back(socket);
    socket->on_error([](const Error&) {});
    if (then) then(socket);
  });
  it.on_tls_client_error([this](const Error& error, TlsSocketPtr socket) {
    add("failed " + error.code);
    failed.push_back(socket);
  });
  it.on_error([this](const Error& error) { add("error " + error.code); });
  it.on_close([this] { add("close"); });
}

void World::turn() {
  loop.run_once(10ms);
  for (Client* client : std::vector<Client*>(clients_)) client->move();
}

void World::until(const std::string& what, const std::function<bool()>& done) {
  while (!done()) {
    if (time_left() == 0ms) return add("(waits for " + what + " in vain)");
    turn();
  }
}

void World::until(const std::string& event) {
  until(event, [&] {
    return std::find(events.begin(), events.end(), event) != events.end();
  });
}

void World::settle() {
  for (int i = 0; i < 5; ++i) turn();
}

void World::shake_hands(Client& client) {
  until("the end of the handshake", [&] {
    return client.is_secure() || !client.failure().empty() || client.ended;
  });
  settle();
}

void World::pass(std::chrono::milliseconds time) {
  step("test", std::to_string(time.count()) + " ms go by");
  now += time;
  settle();
}

void World::add(std::string event) {
  step("you", "event " + event);
  events.push_back(std::move(event));
}

::testing::AssertionResult World::saw(std::vector<std::string> expected) const {
  Trace trace;
  for (const std::string& event : events) trace.add(event);
  return trace.is(std::move(expected));
}

Client::Client(World& world, TlsEnd::Options options, int port)
    : wire(Connection::to_port(
          static_cast<std::uint16_t>(port > 0 ? port : world.port()),
          "client")),
      world_(world),
      tls_(nowhere_, TlsEnd::kClient, options) {
  SSL_set_bio(ssl(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_app_data(ssl(), this);
  SSL_CTX* context = SSL_get_SSL_CTX(ssl());
  SSL_CTX_set_session_cache_mode(
      context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, [](SSL* from, SSL_SESSION* session) {
    static_cast<Client*>(SSL_get_app_data(from))->session_ =
        SessionPtr(session, SSL_SESSION_free);
    return 1;
  });
  world_.clients_.push_back(this);
}

Client::~Client() {
  // Without a farewell OpenSSL would think that its session is no good.
  SSL_set_shutdown(ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  std::erase(world_.clients_, this);
}

void Client::resume(const SessionPtr& session) {
  if (!session) return;
  // A copy: OpenSSL uses a session of TLS 1.3 once.
  SessionPtr copy(SSL_SESSION_dup(session.get()), SSL_SESSION_free);
  SSL_set_session(ssl(), copy.get());
}

SessionPtr Client::session() const {
  return session_;
}

bool Client::is_secure() const {
  return SSL_is_init_finished(ssl());
}

void Client::flush() {
  char* bytes = nullptr;
  long size = BIO_get_mem_data(SSL_get_wbio(ssl()), &bytes);
  std::string taken(bytes, static_cast<std::size_t>(size));
  (void)BIO_reset(SSL_get_wbio(ssl()));
  if (taken.empty() || ended) return;
  Unwatched ours;
  // Whoever has hung up hears no more of it.
  (void)!::send(wire.fd(), taken.data(), taken.size(), MSG_NOSIGNAL);
}

// What has come by now, one step of the handshake or what can be decrypted.
void Client::move() {
  if (silent || ended || wire.fd() < 0) return;
  {
    Unwatched ours;
    char buffer[65536];
    ssize_t n = ::recv(wire.fd(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n > 0) BIO_write(SSL_get_rbio(ssl()), buffer, static_cast<int>(n));
    ended = n == 0 || (n < 0 && errno != EAGAIN);
  }
  ERR_clear_error();
  char plain[16384];
  std::size_t got = 0;
  int result = 0;
  while ((result = SSL_read_ex(ssl(), plain, sizeof plain, &got)) == 1)
    received_.append(plain, got);
  int kind = SSL_get_error(ssl(), result);
  if (failure_.empty() && kind == SSL_ERROR_SSL) {
    failure_ = why(ssl(), result);
    step("client", "failed: " + failure_);
  }
  ERR_clear_error();
  flush();
}

std::string Client::certificate() const {
  X509* shown = SSL_get0_peer_certificate(ssl());
  if (!shown) return "none";
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name,
                            sizeof name);
  return name;
}

std::string Client::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl(), &name, &size);
  return std::string(reinterpret_cast<const char*>(name), size);
}

void Client::send(std::string_view bytes) {
  ERR_clear_error();
  std::size_t n = 0;
  SSL_write_ex(ssl(), bytes.data(), bytes.size(), &n);
  ERR_clear_error();
  flush();
}

std::string Client::received() {
  step("client", "has received " + in_quotes(received_));
  return std::exchange(received_, {});
}

std::string shown_to(World& world, const std::string& servername) {
  Client client(world, {.servername = servername});
  world.shake_hands(client);
  return client.is_secure() ? client.certificate() : client.failure();
}

}  // namespace graded
