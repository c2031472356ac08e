#include <openssl/err.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "chapters/13_blocking_tls/tls_error.h"
#include "chapters/14_tls_socket/tls_transport.h"

namespace tls {

using net::Error;
using net::IoResult;

namespace {

// Encrypted at once: some records, so that one write() carries them. More would
// only be kept here when the peer does not read.
constexpr std::size_t kBatch = std::size_t{64} * 1024;

// What a call works with. All connections of a thread share one, so an idle
// connection has no buffers.
struct Workspace {
  alignas(4096) char received[256 * 1024];
  std::string made;  // by the engine, and not sent yet
  std::string gathered;
};
thread_local std::unique_ptr<Workspace> spare;

IoResult failed(Error error) {
  return {.kind = IoResult::kFailed, .error = std::move(error)};
}

}  // namespace

struct TlsTransport::State {
  std::unique_ptr<net::Transport> wire;
  Engine engine;
  std::string kept;    // has arrived, and waits for the engine
  std::string unsent;  // encrypted, and waits for the wire
  std::unique_ptr<Workspace> work = {};  // during a call
  std::string_view arrived = {};         // kept, or what was just received
  std::size_t covered = 0;  // bytes whose encrypted ones are in unsent
  bool agreed = false;      // the handshake is done
  bool held = false;        // but must not be over yet
  bool ended = false;       // close_notify is made
  bool wire_ended = false;  // FIN
  std::optional<IoResult> over = {};  // what read() says when all is read

  BIO* make_bio();
  template <typename Call>
  IoResult at_work(Call call);
  IoResult send();
  IoResult receive();
  IoResult step();
  IoResult decrypt(std::span<char> into);
  Error handshake_error();
  std::string_view gather(std::span<const std::string_view> pieces);
  IoResult encrypt(std::span<const std::string_view> pieces);
};

// 14.1: OpenSSL asks for bytes, and brings bytes, through these.
BIO* TlsTransport::State::make_bio() {
  static BIO_METHOD* method = [] {
    BIO_METHOD* it = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
                                  "between the engine and the wire");
    BIO_meth_set_read(it, [](BIO* bio, char* into, int size) {
      auto& arrived = static_cast<State*>(BIO_get_data(bio))->arrived;
      BIO_clear_retry_flags(bio);
      if (arrived.empty()) {
        BIO_set_retry_read(bio);
        return -1;
      }
      std::size_t n = arrived.copy(into, static_cast<std::size_t>(size));
      arrived.remove_prefix(n);
      return static_cast<int>(n);
    });
    BIO_meth_set_write(it, [](BIO* bio, const char* bytes, int size) {
      auto& made = static_cast<State*>(BIO_get_data(bio))->work->made;
      made.append(bytes, static_cast<std::size_t>(size));
      return size;
    });
    BIO_meth_set_ctrl(it, [](BIO*, int command, long, void*) {
      return command == BIO_CTRL_FLUSH ? 1L : 0L;
    });
    return it;
  }();
  BIO* bio = BIO_new(method);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  return bio;
}

TlsTransport::TlsTransport(std::unique_ptr<net::Transport> wire, Engine engine,
                           std::string arrived, std::string unsent)
    : state_(new State{.wire = std::move(wire),
                       .engine = std::move(engine),
                       .kept = std::move(arrived),
                       .unsent = std::move(unsent)}) {
  BIO* bio = state_->make_bio();
  SSL_set_bio(state_->engine.get(), bio, bio);
  // 14.1: an idle connection has no buffers of 16 KiB.
  SSL_set_mode(state_->engine.get(), SSL_MODE_RELEASE_BUFFERS);
}

TlsTransport::~TlsTransport() = default;

// What had arrived comes first, and what is left over is kept. A TLS connection
// inside another one finds no spare workspace, and makes one.
template <typename Call>
IoResult TlsTransport::State::at_work(Call call) {
  work = spare ? std::move(spare) : std::unique_ptr<Workspace>(new Workspace);
  std::string before = std::exchange(kept, {});
  arrived = before;
  IoResult result = call();
  kept = std::exchange(arrived, {});
  spare = std::move(work);
  return result;
}

// Sends what waits, and what the engine has made. kEnd: all of it.
IoResult TlsTransport::State::send() {
  if (!unsent.empty()) unsent += std::exchange(work->made, {});
  std::string_view rest = unsent.empty() ? work->made : unsent;
  IoResult result{.kind = IoResult::kEnd};
  while (!rest.empty()) {
    result = wire->write(std::span(&rest, 1));
    if (result.kind != IoResult::kBytes) break;
    rest.remove_prefix(result.bytes);
  }
  if (rest.empty()) result = {.kind = IoResult::kEnd};
  std::string(rest).swap(unsent);
  work->made.clear();
  return result;
}

IoResult TlsTransport::State::receive() {
  std::span<char> buffer = work->received;
  IoResult result = wire->read(buffer);
  if (result.kind == IoResult::kBytes) arrived = {buffer.data(), result.bytes};
  if (result.kind == IoResult::kEnd) wire_ended = true;
  return result;
}

IoResult TlsTransport::handshake() {
  return state_->at_work([this] {
    IoResult result;
    do {
      result = state_->step();
    } while (result.kind == IoResult::kBytes);
    return result;
  });
}

void TlsTransport::hold(bool on) {
  state_->held = on;
}

// kBytes: there may be more to do.
IoResult TlsTransport::State::step() {
  IoResult sent = send();
  if (sent.kind != IoResult::kEnd) return sent;
  if (agreed) return {.kind = held ? IoResult::kWaits : IoResult::kEnd};
  ERR_clear_error();
  int result = SSL_do_handshake(engine.get());
  agreed = result == 1;
  if (agreed) return {};
  switch (SSL_get_error(engine.get(), result)) {
    case SSL_ERROR_WANT_READ:
      break;
    case SSL_ERROR_WANT_CLIENT_HELLO_CB:
      return {.kind = IoResult::kWaits};
    default:
      Error error = handshake_error();
      // 14.2: the alert, which tells the peer why.
      send();
      return failed(std::move(error));
  }
  // 14.2: the peer answers what it has got; so that goes first.
  sent = send();
  if (sent.kind != IoResult::kEnd) return sent;
  IoResult got = receive();
  if (got.kind == IoResult::kEnd)
    return failed(Error("ECONNRESET",
                        "the peer has disconnected before the TLS connection "
                        "was established"));
  return got;
}

Error TlsTransport::State::handshake_error() {
  long verdict = SSL_get_verify_result(engine.get());
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED &&
      verdict != X509_V_OK) {
    ERR_clear_error();
    return certificate_error(verdict);
  }
  return take_error("handshake");
}

IoResult TlsTransport::read(std::span<char> into) {
  return state_->at_work([&] {
    IoResult result = state_->decrypt(into);
    if (result.kind == IoResult::kWantsRead) {
      result = state_->receive();
      if (result.kind == IoResult::kBytes) result = state_->decrypt(into);
    }
    // 14.3: the engine may have answered by itself: new keys, an alert. If
    // there is no room now, it goes with what is sent next.
    state_->send();
    return result;
  });
}

IoResult TlsTransport::State::decrypt(std::span<char> into) {
  std::size_t total = 0;
  while (!over && total < into.size()) {
    std::size_t n = 0;
    // 14.3: SSL_get_error() looks into a queue that all connections share.
    ERR_clear_error();
    if (SSL_read_ex(engine.get(), into.data() + total, into.size() - total,
                    &n) == 1) {
      total += n;
      if (arrived.empty() && SSL_pending(engine.get()) == 0) break;
      continue;
    }
    int why = SSL_get_error(engine.get(), 0);
    if (why == SSL_ERROR_WANT_READ) break;
    if (why == SSL_ERROR_ZERO_RETURN)
      over = IoResult{.kind = IoResult::kEnd};
    else
      over = failed(take_error("read"));
  }
  if (total > 0) return {.bytes = total};
  return over ? *over : IoResult{.kind = IoResult::kWantsRead};
}

// 14.3: a record of which only a part has arrived is not pending: poll() will
// tell when the rest is there.
bool TlsTransport::has_pending() const {
  return !state_->kept.empty() || state_->over ||
         SSL_pending(state_->engine.get()) > 0;
}

IoResult TlsTransport::write(std::span<const std::string_view> pieces) {
  return state_->at_work([&] { return state_->encrypt(pieces); });
}

IoResult TlsTransport::State::encrypt(
    std::span<const std::string_view> pieces) {
  IoResult sent = send();
  if (sent.kind != IoResult::kEnd) return sent;
  // 14.4: the beginning of `pieces` was encrypted before, and now it is out.
  if (covered > 0) return {.bytes = std::exchange(covered, 0)};
  std::string_view bytes = gather(pieces);
  std::size_t n = 0;
  ERR_clear_error();
  if (SSL_write_ex(engine.get(), bytes.data(), bytes.size(), &n) != 1)
    return failed(take_error("write"));
  sent = send();
  if (sent.kind == IoResult::kEnd) return {.bytes = n};
  covered = n;
  return sent;
}

// 14.4: one record for many small pieces.
std::string_view TlsTransport::State::gather(
    std::span<const std::string_view> pieces) {
  if (pieces.size() == 1) return pieces[0].substr(0, kBatch);
  std::string& bytes = work->gathered;
  bytes.clear();
  for (std::string_view piece : pieces)
    bytes += piece.substr(0, kBatch - bytes.size());
  return bytes;
}

IoResult TlsTransport::shutdown_write() {
  IoResult sent = state_->at_work([this] {
    if (!std::exchange(state_->ended, true)) SSL_shutdown(state_->engine.get());
    ERR_clear_error();
    return state_->send();
  });
  if (sent.kind != IoResult::kEnd) return sent;
  return state_->wire->shutdown_write();
}

bool TlsTransport::truncated() const {
  return state_->wire_ended &&
         !(SSL_get_shutdown(state_->engine.get()) & SSL_RECEIVED_SHUTDOWN);
}

int TlsTransport::fd() const {
  return state_->wire->fd();
}

void TlsTransport::close() {
  state_->wire->close();
}

SSL* TlsTransport::engine() const {
  return state_->engine.get();
}

// Also right: two BIO_s_mem() in place of a BIO of our own; they keep their
// memory, for each connection. Or a BIO over the socket: then OpenSSL waits for
// the socket, SSL_write() has to be repeated with the very same bytes, and each
// record is a system call of its own.

}  // namespace tls
