#include <openssl/err.h>

#include <cerrno>
#include <new>
#include <optional>
#include <utility>

#include "chapters/13_blocking_tls/tls_error.h"
#include "chapters/14_tls_socket/memory_bio.h"
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
  std::string made;
  std::string gathered;
};
thread_local std::unique_ptr<Workspace> spare;

IoResult failed(Error error) {
  return {.kind = IoResult::kFailed, .error = std::move(error)};
}

IoResult gone() {
  return failed(Error("ECONNRESET",
                      "the peer has disconnected before the TLS connection was "
                      "established"));
}

}  // namespace

struct TlsTransport::State {
  std::unique_ptr<net::Transport> wire;
  Engine engine;
  std::string kept;    // has arrived, and waits for the engine
  std::string unsent;  // encrypted, and waits for the wire
  Mailbox box = {};    // between the two, during a call
  std::unique_ptr<Workspace> work = {};
  std::size_t covered = 0;  // bytes whose encrypted ones are in unsent
  bool agreed = false;      // the handshake is done
  bool held = false;        // but must not be over yet
  bool ended = false;       // close_notify is made
  bool wire_ended = false;  // FIN
  std::optional<IoResult> over = {};  // what read() says when all is read
  bool told = false;                  // it has

  template <typename Call>
  IoResult at_work(Call call);
  IoResult send();
  IoResult receive();
  IoResult step();
  IoResult read_ahead();
  Error handshake_error();
  IoResult decrypt(std::span<char> into);
  IoResult finish_message();
  std::string_view gather(std::span<const std::string_view> pieces);
  IoResult encrypt(std::span<const std::string_view> pieces);
  IoResult end();
};

TlsTransport::TlsTransport(std::unique_ptr<net::Transport> wire, Engine engine,
                           std::string arrived, std::string unsent)
    : state_(new State{.wire = std::move(wire),
                       .engine = std::move(engine),
                       .kept = std::move(arrived),
                       .unsent = std::move(unsent)}) {
  BIO* bio = new_memory_bio(&state_->box);
  if (!bio) throw std::bad_alloc();
  SSL_set_bio(state_->engine.get(), bio, bio);
  // An idle connection has no buffers of 16 KiB.
  SSL_set_mode(state_->engine.get(), SSL_MODE_RELEASE_BUFFERS);
}

TlsTransport::~TlsTransport() = default;

// What had arrived comes first, and what is left over waits. A TLS connection
// inside another one finds no spare workspace, and makes one.
template <typename Call>
IoResult TlsTransport::State::at_work(Call call) {
  work = spare ? std::move(spare) : std::unique_ptr<Workspace>(new Workspace);
  std::string before = std::exchange(kept, {});
  box.arrived = before;
  box.made.swap(work->made);
  IoResult result = call();
  kept = std::exchange(box.arrived, {});
  unsent += box.made;
  box.made.clear();
  box.made.swap(work->made);
  spare = std::move(work);
  return result;
}

// Sends what waits, and what the engine has made. kEnd: all of it.
IoResult TlsTransport::State::send() {
  if (!unsent.empty()) unsent += std::exchange(box.made, {});
  std::string_view rest = unsent.empty() ? box.made : unsent;
  IoResult result;
  while (!rest.empty()) {
    result = wire->write(std::span(&rest, 1));
    if (result.kind != IoResult::kBytes) break;
    rest.remove_prefix(result.bytes);
  }
  if (rest.empty()) result = {.kind = IoResult::kEnd};
  std::string(rest).swap(unsent);
  box.made.clear();
  return result;
}

IoResult TlsTransport::State::receive() {
  std::span<char> buffer = work->received;
  IoResult result = wire->read(buffer);
  if (result.kind == IoResult::kBytes)
    box.arrived = {buffer.data(), result.bytes};
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
  // 14.2: its last message waits, too: with it the peer would be done.
  if (agreed && held) return read_ahead();
  IoResult sent = send();
  if (sent.kind != IoResult::kEnd || agreed) return sent;
  ERR_clear_error();
  int result = SSL_do_handshake(engine.get());
  agreed = result == 1;
  if (agreed) return {};
  switch (SSL_get_error(engine.get(), result)) {
    case SSL_ERROR_WANT_READ:
      break;
    case SSL_ERROR_WANT_CLIENT_HELLO_CB:
      return read_ahead();
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
  return got.kind == IoResult::kEnd ? gone() : got;
}

// Somebody here is asked. Meanwhile the peer may leave, and only a read tells.
// What it says waits, but not without end.
IoResult TlsTransport::State::read_ahead() {
  if (box.arrived.size() >= kBatch) return {.kind = IoResult::kWaits};
  std::string all(box.arrived);
  IoResult got = wire->read(work->received);
  if (got.kind == IoResult::kBytes) all.append(work->received, got.bytes);
  kept = std::move(all);
  box.arrived = kept;
  if (got.kind != IoResult::kEnd) return got;
  // 14.2: with TLS 1.3 a server holds back tickets and no more: the client is
  // done, and may have said all.
  bool done = agreed && SSL_is_server(engine.get()) &&
              SSL_version(engine.get()) >= TLS1_3_VERSION;
  return done ? IoResult{.kind = IoResult::kWaits} : gone();
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
    // 14.3: the engine may have answered by itself, with an alert. If there is
    // no room now, it goes with what is sent next.
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
      if (box.arrived.empty() && SSL_pending(engine.get()) == 0) break;
      continue;
    }
    int why = SSL_get_error(engine.get(), 0);
    // 14.3: half a record, or one that was not for us: a ticket, new keys.
    if (why == SSL_ERROR_WANT_READ) break;
    if (why == SSL_ERROR_ZERO_RETURN)
      over = IoResult{.kind = IoResult::kEnd};
    else
      over = failed(take_error("read"));
  }
  if (total > 0) return {.bytes = total};
  if (!over) return {.kind = IoResult::kWantsRead};
  told = true;
  return *over;
}

// 14.3: a record of which only a part has arrived is not pending: poll() will
// tell when the rest is there.
bool TlsTransport::has_pending() const {
  return !state_->kept.empty() || (state_->over && !state_->told) ||
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
  IoResult ready = finish_message();
  if (ready.kind != IoResult::kEnd) return ready;
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

// 14.4: of a message to the engine itself only a part has come. Before the rest
// is read OpenSSL writes nothing. What follows it is kept for read().
IoResult TlsTransport::State::finish_message() {
  while (SSL_in_init(engine.get())) {
    ERR_clear_error();
    int result = SSL_do_handshake(engine.get());
    if (result == 1) break;
    if (SSL_get_error(engine.get(), result) != SSL_ERROR_WANT_READ)
      return failed(take_error("write"));
    IoResult got = receive();
    if (got.kind == IoResult::kEnd)
      return failed(Error::from_errno(EPIPE, "write"));
    if (got.kind != IoResult::kBytes) return got;
  }
  return {.kind = IoResult::kEnd};
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
  return state_->at_work([this] { return state_->end(); });
}

IoResult TlsTransport::State::end() {
  if (!ended) {
    IoResult ready = finish_message();
    if (ready.kind != IoResult::kEnd) return ready;
    ERR_clear_error();
    SSL_shutdown(engine.get());
    ended = true;
  }
  IoResult sent = send();
  return sent.kind == IoResult::kEnd ? wire->shutdown_write() : sent;
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

// Also right: to send what OpenSSL has made in the BIO's own write function,
// one record at a time; to ask SSL_pending() alone, if read() takes no more of
// the wire than one record.

}  // namespace tls
