#include "tests/14_tls_socket/support.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "chapters/05_unix_sockets/fd.h"
#include "common/testing/openssl_names.h"

namespace graded {
namespace {

SocketPtr adopt(World& world, int fd) {
  return net::Socket::adopt(world.loop,
                            std::make_unique<net::FdTransport>(net::Fd(fd)));
}

TlsEnd::Options without_tickets(TlsEnd::Options options) {
  if (!options.configure)
    options.configure = [](SSL_CTX* context) {
      SSL_CTX_set_num_tickets(context, 0);
      SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    };
  return options;
}

void note(const std::string& call, const IoResult& result) {
  step("you", call + ": " + in_words(result));
}

tls::Engine new_client() {
  static const tls::Context context(trusting_ca());
  return tls::new_client(context, {.servername = "localhost"});
}

}  // namespace

std::string without_issuer(std::string code) {
  if (code == "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" ||
      code == "UNABLE_TO_VERIFY_LEAF_SIGNATURE")
    return "issuer unknown";
  return code;
}

std::vector<Peer::Script> serving(Then then, TlsEnd::Options options) {
  return {[then = std::move(then), options](Connection& wire) {
    block_sigpipe();
    TlsEnd tls(wire, TlsEnd::kServer, without_tickets(options));
    if (tls.handshake() && then) then(tls, wire);
  }};
}

tls::ConnectOptions trusting_ca() {
  tls::ConnectOptions options;
  options.ca = credential("ca-cert.pem");
  options.servername = "localhost";
  return options;
}

tls::ConnectOptions to(const Peer& server) {
  tls::ConnectOptions options = trusting_ca();
  options.host = "127.0.0.1";
  options.port = server.port();
  return options;
}

tls::ConnectOptions over(const SocketPtr& raw) {
  tls::ConnectOptions options = trusting_ca();
  options.socket = raw;
  return options;
}

tls::AcceptOptions as_server() {
  tls::AcceptOptions options;
  options.cert = credential("server-cert.pem");
  options.key = credential("server-key.pem");
  return options;
}

TlsSocketPtr World::connect(tls::ConnectOptions options) {
  TlsSocketPtr socket = tls::connect(loop, std::move(options));
  record(*socket);
  return socket;
}

void World::record(TlsSocket& socket) {
  socket.on_connect([this] { add("connect"); });
  socket.on_secure_connect([this] { add("secure"); });
  socket.on_end([this] { add("end"); });
  socket.on_finish([this] { add("finish"); });
  socket.on_timeout([this] { add("timeout"); });
  socket.on_error([this](const Error& error) {
    add("error " + as_openssl_3_0(error.code));
  });
  socket.on_close([this](bool had_error) {
    add(had_error ? "close after an error" : "close");
  });
}

void World::leave_when_secure(TlsSocket& socket) {
  socket.on_secure_connect([&socket] { socket.destroy(); });
}

void World::read(net::Socket& socket) {
  socket.on_data([this](std::string_view bytes) {
    step("you", "event data " + in_quotes(bytes));
    if (events.empty() || events.back().rfind("data ", 0) != 0)
      events.push_back("data ");
    events.back() += bytes;
  });
}

void World::add(std::string event) {
  step("you", "event " + event);
  events.push_back(std::move(event));
}

void World::run() {
  net::TimerId guard = loop.set_timeout(time_left(), [this] {
    add("(nothing more happens)");
    loop.stop();
  });
  loop.unref(guard);
  loop.run();
  loop.clear_timer(guard);
}

void World::settle() {
  for (int i = 0; i < 5; ++i) loop.run_once(0ms);
}

::testing::AssertionResult World::saw(std::vector<std::string> expected) const {
  Trace trace;
  for (const std::string& event : events)
    trace.add(event.size() > 100 ? std::to_string(event.size()) + " bytes"
                                 : event);
  return trace.is(std::move(expected));
}

IoResult Wire::read(std::span<char> into) {
  if (coming.empty())
    return {.kind = ended ? IoResult::kEnd : IoResult::kWantsRead};
  std::size_t n = coming.copy(into.data(), into.size());
  coming.erase(0, n);
  return {.bytes = n};
}

IoResult Wire::write(std::span<const std::string_view> pieces) {
  std::size_t total = 0;
  for (std::string_view piece : pieces) {
    std::size_t n = std::min(piece.size(), room);
    sent += piece.substr(0, n);
    if (room != std::string::npos) room -= n;
    total += n;
  }
  if (total == 0) return {.kind = IoResult::kWantsWrite};
  return {.bytes = total};
}

IoResult Wire::shutdown_write() {
  shut = true;
  return {.kind = IoResult::kEnd};
}

FarEnd::FarEnd(TlsEnd::Options options, TlsEnd::Role role)
    : tls_(nowhere_, role, without_tickets(std::move(options))) {
  SSL_set_bio(ssl(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
}

void FarEnd::give(std::string_view encrypted) {
  if (encrypted.empty()) return;
  BIO_write(SSL_get_rbio(ssl()), encrypted.data(),
            static_cast<int>(encrypted.size()));
}

std::string FarEnd::take() {
  char* bytes = nullptr;
  long size = BIO_get_mem_data(SSL_get_wbio(ssl()), &bytes);
  std::string taken(bytes, static_cast<std::size_t>(size));
  (void)BIO_reset(SSL_get_wbio(ssl()));
  return taken;
}

void FarEnd::shake_hands() {
  if (is_secure()) return;
  ERR_clear_error();
  SSL_do_handshake(ssl());
  ERR_clear_error();
}

bool FarEnd::is_secure() const {
  return SSL_is_init_finished(ssl());
}

std::string FarEnd::received() {
  std::string all;
  char buffer[16384];
  std::size_t n = 0;
  ERR_clear_error();
  while (SSL_read_ex(ssl(), buffer, sizeof buffer, &n) == 1)
    all.append(buffer, n);
  ERR_clear_error();
  step("peer", "has received " + in_quotes(all));
  return all;
}

Desk::Desk(TlsEnd::Options options) : wire(new Wire), far(std::move(options)) {
  transport = std::make_unique<tls::TlsTransport>(std::unique_ptr<Wire>(wire),
                                                  new_client());
}

void Desk::carry() {
  far.give(std::exchange(wire->sent, {}));
  far.shake_hands();
  wire->coming += far.take();
}

std::string Desk::handshake() {
  IoResult result = transport->handshake();
  note("handshake()", result);
  return in_words(result);
}

void Desk::shake_hands() {
  for (int i = 0; i < 10; ++i) {
    if (handshake() == "end" && far.is_secure()) return;
    carry();
  }
  throw std::runtime_error("the handshake is not over after ten steps");
}

std::string Desk::read(std::size_t most) {
  std::string into(most, '\0');
  IoResult result = transport->read(into);
  note("read()", result);
  if (result.kind != IoResult::kBytes) return in_words(result);
  return into.substr(0, result.bytes);
}

IoResult Desk::write(std::string_view bytes) {
  auto elsewhere = std::make_unique<std::string>(bytes);
  std::string_view piece = *elsewhere;
  IoResult result = transport->write(std::span(&piece, 1));
  note("write() of " + std::to_string(bytes.size()), result);
  return result;
}

std::string Desk::shutdown() {
  IoResult result = transport->shutdown_write();
  note("shutdown_write()", result);
  return in_words(result);
}

void Desk::write_all(std::string bytes) {
  for (int i = 0; i < 1000 && !bytes.empty(); ++i) {
    IoResult result = write(bytes);
    if (result.kind == IoResult::kBytes) bytes.erase(0, result.bytes);
    if (result.kind == IoResult::kFailed) throw *result.error;
    if (result.kind == IoResult::kWantsWrite) wire->room = 100'000;
  }
}

Near::Near(World& in, TlsEnd::Options options, TlsEnd::Role role)
    : world(in),
      wire([&] {
        int theirs;
        Connection ours = unix_pair(theirs);
        raw = adopt(in, theirs);
        return ours;
      }()),
      far(std::move(options), role) {}

std::string Near::arrived() {
  Unwatched ours;
  std::string got;
  char buffer[65536];
  while (true) {
    ssize_t n = ::recv(wire.fd(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n <= 0) return got;
    got.append(buffer, static_cast<std::size_t>(n));
  }
}

void Near::carry(std::size_t most) {
  world.settle();
  far.give(arrived());
  far.shake_hands();
  held += far.take();
  std::string now = held.substr(0, most);
  held.erase(0, now.size());
  if (!now.empty()) wire.send(now);
  world.settle();
}

void Near::shake_hands() {
  if (!socket) socket = world.connect(over(raw));
  for (int i = 0; i < 5; ++i) carry();
}

void Near::send(std::string_view bytes) {
  far.send(bytes);
  wire.send(far.take());
}

const std::string kGarbage("\x17\x03\x03\x00\x20" + std::string(32, 'x'));

void send_tickets(SSL_CTX*) {}

void make_long_tickets(SSL_CTX* context) {
  auto add = [](SSL* ssl, void*) {
    std::string filling(2000, 'x');
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), filling.data(),
                                           filling.size());
  };
  auto take = [](SSL*, SSL_SESSION*, const unsigned char*, std::size_t,
                 SSL_TICKET_STATUS, void*) { return SSL_TICKET_RETURN_USE; };
  SSL_CTX_set_session_ticket_cb(context, add, take, nullptr);
  SSL_CTX_set_max_send_fragment(context, 512);
  SSL_CTX_set_num_tickets(context, 1);
}

}  // namespace graded
