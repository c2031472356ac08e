#include <openssl/err.h>

#include <cerrno>
#include <new>
#include <optional>
#include <utility>

#include "chapters/13_blocking_tls/tls_error.h"
#include "chapters/14_tls_socket/memory_bio.h"
#include "chapters/14_tls_socket/tls_transport.h"
#include "common/todo.h"

namespace tls {

using net::Error;
using net::IoResult;

namespace {

// Encrypted at once: some records, so that one write() carries them. More would
// only be kept here when the peer does not read.
[[maybe_unused]] constexpr std::size_t kBatch = std::size_t{64} * 1024;

// What a call works with. All connections of a thread share one, so an idle
// connection has no buffers.
struct Workspace {
  alignas(4096) char received[256 * 1024];
  std::string made;
  std::string gathered;
};
thread_local std::unique_ptr<Workspace> spare;

[[maybe_unused]] IoResult failed(Error error) {
  return {.kind = IoResult::kFailed, .error = std::move(error)};
}

[[maybe_unused]] IoResult gone() {
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
  TODO("14.2", "unsent first, then box.made; what is left is unsent");
}

IoResult TlsTransport::State::receive() {
  TODO("14.2", "one read() of the wire, into box.arrived");
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
  TODO("14.2", "SSL_do_handshake(); send what it made, then receive");
}

// Somebody here is asked. Meanwhile the peer may leave, and only a read tells.
// What it says waits, but not without end.
IoResult TlsTransport::State::read_ahead() {
  TODO("14.2", "read(), as long as less than kBatch waits; an end is gone()");
}

Error TlsTransport::State::handshake_error() {
  TODO("14.2", "a certificate, or what else; with an empty queue");
}

IoResult TlsTransport::read(std::span<char>) {
  TODO("14.3", "at_work(): decrypt(); receive() only if it has nothing");
}

IoResult TlsTransport::State::decrypt(std::span<char>) {
  TODO("14.3", "as many records as fit; then an end, or an error");
}

bool TlsTransport::has_pending() const {
  TODO("14.3", "what read() has, and poll() does not know of");
}

IoResult TlsTransport::write(std::span<const std::string_view> pieces) {
  return state_->at_work([&] { return state_->encrypt(pieces); });
}

IoResult TlsTransport::State::encrypt(std::span<const std::string_view>) {
  TODO("14.4", "what waits goes first; then one SSL_write_ex()");
}

// Of a message to the engine itself only a part has come. Before the rest
// is read OpenSSL writes nothing. What follows it is kept for read().
IoResult TlsTransport::State::finish_message() {
  TODO("14.4", "SSL_in_init(): read until it is over");
}

// One record for many small pieces.
std::string_view TlsTransport::State::gather(
    std::span<const std::string_view>) {
  TODO("14.4", "at most kBatch bytes of them, in one piece");
}

IoResult TlsTransport::shutdown_write() {
  return state_->at_work([this] { return state_->end(); });
}

IoResult TlsTransport::State::end() {
  TODO("14.5", "close_notify, once; when it is out, the end of the wire");
}

bool TlsTransport::truncated() const {
  TODO("14.5", "SSL_get_shutdown() knows what has come");
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

}  // namespace tls
