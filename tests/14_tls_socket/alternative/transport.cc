// Another way to write a TlsTransport: a pair of BIOs of OpenSSL's own. One
// half is the engine's; what is put into the other half the engine reads, and
// what it writes is taken out there. The pair has a limit of its own, so a long
// write is cut, and each read() gives one record.
#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "chapters/13_blocking_tls/tls_error.h"
#include "chapters/14_tls_socket/tls_transport.h"

namespace tls {

using net::Error;
using net::IoResult;

struct TlsTransport::State {
  std::unique_ptr<net::Transport> wire;
  Engine engine;
  std::string early, late;  // arrived, and unsent, before there was TLS
  BIO* ours = nullptr;      // our half of the pair
  std::size_t owed = 0;     // bytes of the caller's that are not out yet
  bool secure = false, held = false, said_goodbye = false;
  bool fin = false, done = false;
  std::optional<Error> error = {};

  ~State() { BIO_free(ours); }

  // Takes out what the engine has put in. kEnd: nothing is left.
  IoResult drain() {
    while (true) {
      std::string_view next = late;
      char* place = nullptr;
      if (late.empty()) {
        int n = BIO_nread0(ours, &place);
        if (n <= 0) return {.kind = IoResult::kEnd};
        next = {place, static_cast<std::size_t>(n)};
      }
      IoResult result = wire->write(std::span(&next, 1));
      if (result.kind != IoResult::kBytes) return result;
      if (late.empty())
        BIO_nread(ours, &place, static_cast<int>(result.bytes));
      else
        late.erase(0, result.bytes);
    }
  }

  // Puts in what there is room for.
  IoResult fill() {
    char* place = nullptr;
    int room = BIO_nwrite0(ours, &place);
    if (room <= 0) return {.kind = IoResult::kWantsWrite};
    std::span<char> into(place, static_cast<std::size_t>(room));
    IoResult result;
    if (!early.empty()) {
      result.bytes = early.copy(into.data(), into.size());
      early.erase(0, result.bytes);
    } else {
      result = wire->read(into);
    }
    if (result.kind == IoResult::kBytes)
      BIO_nwrite(ours, &place, static_cast<int>(result.bytes));
    if (result.kind == IoResult::kEnd) fin = true;
    return result;
  }

  // Somebody is asked: the pair has room for what the peer says meanwhile.
  IoResult look() {
    IoResult got;
    while (got.kind == IoResult::kBytes) got = fill();
    if (got.kind == IoResult::kWantsWrite) got.kind = IoResult::kWaits;
    if (got.kind != IoResult::kEnd) return got;
    fin = false;  // read() comes to it again
    if (secure && SSL_is_server(engine.get()) &&
        SSL_version(engine.get()) >= TLS1_3_VERSION)
      return {.kind = IoResult::kWaits};
    return gone();
  }

  static IoResult gone() {
    return {.kind = IoResult::kFailed,
            .error = Error("ECONNRESET", "the peer has gone")};
  }

  Error why(const char* doing) {
    bool certificate =
        ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED;
    Error error = take_error(doing);
    long verdict = SSL_get_verify_result(engine.get());
    if (certificate && verdict != X509_V_OK) return certificate_error(verdict);
    return error;
  }

  // Runs `call` of OpenSSL's until it says something else than "later". kBytes:
  // it has succeeded.
  // It reads the wire at most so often.
  template <typename Call>
  IoResult insist(const char* doing, int reads, Call call) {
    while (true) {
      ERR_clear_error();
      int result = call();
      int kind =
          result == 1 ? SSL_ERROR_NONE : SSL_get_error(engine.get(), result);
      if (kind == SSL_ERROR_SSL || kind == SSL_ERROR_SYSCALL)
        error = why(doing);
      if (kind == SSL_ERROR_NONE && held) return {};
      IoResult sent = drain();
      if (kind == SSL_ERROR_NONE) return {};
      if (kind == SSL_ERROR_ZERO_RETURN) return {.kind = IoResult::kEnd};
      if (kind == SSL_ERROR_WANT_CLIENT_HELLO_CB) return look();
      if (error) return {.kind = IoResult::kFailed, .error = error};
      if (sent.kind != IoResult::kEnd) return sent;
      if (kind == SSL_ERROR_WANT_WRITE) continue;
      if (early.empty() && reads-- == 0) return {.kind = IoResult::kWantsRead};
      IoResult got = fill();
      if (got.kind != IoResult::kBytes) return got;
    }
  }
};

TlsTransport::TlsTransport(std::unique_ptr<net::Transport> wire, Engine engine,
                           std::string arrived, std::string unsent)
    : state_(new State{.wire = std::move(wire),
                       .engine = std::move(engine),
                       .early = std::move(arrived),
                       .late = std::move(unsent)}) {
  BIO* theirs = nullptr;
  BIO_new_bio_pair(&state_->ours, 40'000, &theirs, 40'000);
  SSL_set_bio(state_->engine.get(), theirs, theirs);
  SSL_set_mode(state_->engine.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                         SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

TlsTransport::~TlsTransport() = default;

IoResult TlsTransport::handshake() {
  State& s = *state_;
  if (s.secure && s.held) return s.look();
  IoResult sent = s.drain();
  if (sent.kind != IoResult::kEnd || s.secure) return sent;
  IoResult result = s.insist("handshake", 100,
                             [&] { return SSL_do_handshake(s.engine.get()); });
  if (result.kind == IoResult::kEnd) return State::gone();
  if (result.kind != IoResult::kBytes) return result;
  s.secure = true;
  return handshake();
}

void TlsTransport::hold(bool on) {
  state_->held = on;
}

IoResult TlsTransport::read(std::span<char> into) {
  State& s = *state_;
  std::size_t n = 0;
  IoResult result = s.insist("read", 1, [&] {
    return SSL_read_ex(s.engine.get(), into.data(), into.size(), &n);
  });
  if (result.kind == IoResult::kEnd) s.done = true;
  // What keeps the answer back is no reason to wait for it.
  if (result.kind == IoResult::kWantsWrite) result = s.fill();
  if (result.kind == IoResult::kBytes) result.bytes = n;
  if (result.kind == IoResult::kBytes && n == 0)
    result.kind = IoResult::kWantsRead;
  return result;
}

bool TlsTransport::has_pending() const {
  return !state_->done && !state_->error &&
         (!state_->early.empty() || SSL_pending(state_->engine.get()) > 0 ||
          BIO_wpending(state_->ours) > 0);
}

IoResult TlsTransport::write(std::span<const std::string_view> pieces) {
  State& s = *state_;
  IoResult sent = s.drain();
  if (sent.kind != IoResult::kEnd) return sent;
  if (s.owed > 0) return {.bytes = std::exchange(s.owed, 0)};
  std::string bytes;
  for (std::string_view piece : pieces) bytes += piece.substr(0, 16'384);
  std::size_t n = 0;
  IoResult result = s.insist("write", 1, [&] {
    return SSL_write_ex(s.engine.get(), bytes.data(),
                        std::min<std::size_t>(bytes.size(), 16'384), &n);
  });
  if (result.kind == IoResult::kEnd)
    return {.kind = IoResult::kFailed,
            .error = Error::from_errno(EPIPE, "write")};
  if (n == 0) return result;
  sent = s.drain();
  if (sent.kind == IoResult::kEnd) return {.bytes = n};
  s.owed = n;
  return sent;
}

IoResult TlsTransport::shutdown_write() {
  State& s = *state_;
  if (!s.said_goodbye) {
    IoResult result = s.insist("shutdown", 1, [&] {
      if (SSL_in_init(s.engine.get())) {
        int done = SSL_do_handshake(s.engine.get());
        if (done != 1) return done;
      }
      SSL_shutdown(s.engine.get());
      return 1;
    });
    if (result.kind != IoResult::kBytes) return result;
    s.said_goodbye = true;
  }
  IoResult sent = s.drain();
  return sent.kind == IoResult::kEnd ? s.wire->shutdown_write() : sent;
}

bool TlsTransport::truncated() const {
  return state_->fin &&
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

}  // namespace tls
