#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "chapters/10_socket/state.h"

namespace net {
namespace {

Error destroyed_error() {
  return Error("ERR_STREAM_DESTROYED",
               "Cannot call write after a stream was destroyed");
}

}  // namespace

bool Socket::State::write(std::string_view bytes, Callback&& done) {
  if (std::optional<Error> error = why_not_writable()) {
    refuse(std::move(done), *error);
    return false;
  }
  c.bytes_written += bytes.size();
  if (!open() || !c.agreed) return c.queue.push(bytes, std::move(done));
  bool wants_to_know = static_cast<bool>(done);
  bool room = c.queue.write(*c.transport, bytes, std::move(done));
  touch();
  if (wants_to_know) defer_written();
  // 10.3: before anything is read. To whom poll() reports it, the system has
  // nothing more to say than that the peer has ended.
  if (c.queue.failed()) defer(&State::write_more);
  // 10.3: one that encrypts may have had to read, to be able to write.
  if (c.transport->has_pending()) defer(&State::read_pending);
  if (!c.queue.empty()) update_interest();
  return room;
}

std::optional<Error> Socket::State::why_not_writable() const {
  if (gone()) return destroyed_error();
  if (c.ended && c.end_emitted && !options.allow_half_open) {
    Error error = Error::from_errno(EPIPE, "write");
    error.message = "This socket has been ended by the other party";
    return error;
  }
  if (c.ended) return Error("ERR_STREAM_WRITE_AFTER_END", "write after end");
  if (!alive()) return Error("ERR_SOCKET_CLOSED", "Socket is closed");
  return std::nullopt;
}

// The callback learns of it, after those of earlier writes, and then everybody.
// Of a write to what is destroyed only the callback does (WRITE-8).
void Socket::State::refuse(Callback done, const Error& error) {
  if (gone()) {
    if (done) loop.defer([done = std::move(done), error] { done(&error); });
    return;
  }
  c.queue.push({}, std::move(done));
  destroy(error);
}

void Socket::State::write_more() {
  IoResult result = c.queue.flush(*c.transport);
  c.write_needs = result.kind == IoResult::kWantsRead ? POLLIN : POLLOUT;
  if (result.kind == IoResult::kFailed) return destroy(std::move(result.error));
  if (result.bytes > 0) touch();
  if (c.transport->has_pending()) defer(&State::read_pending);
  written();
}

void Socket::State::defer_written() {
  if (!std::exchange(c.written_deferred, true)) defer(&State::written);
}

// Some writes may be out: drain first, then their callbacks, then the end.
void Socket::State::written() {
  c.written_deferred = false;
  take_done();
  if (c.queue.take_drain() && !c.ended) {
    // 10.3: in case a listener throws. What it writes comes after these.
    if (!c.done.empty()) defer_written();
    self.on_drain.emit();
    take_done();
  }
  // 10.4: FIN is owed, also if a callback throws.
  if (c.ended && !c.done.empty()) defer_written();
  call_all(std::exchange(c.done, {}), {});
  if (!open() || !c.agreed) return;
  if (c.ended && c.queue.empty()) finish();
  update_interest();
}

void Socket::State::take_done() {
  for (Callback& it : c.queue.take_done()) c.done.push_back(std::move(it));
}

void Socket::State::end(Callback done) {
  if (gone() || c.finished) {
    Error error = destroyed_error();
    if (c.finished)
      error = Error("ERR_STREAM_ALREADY_FINISHED",
                    "Cannot call end after a stream was finished");
    if (done) loop.defer([done, error] { done(&error); });
    return;
  }
  if (done) c.end_callbacks.push_back(std::move(done));
  c.ended = true;
  if (open()) defer_written();
}

void Socket::State::finish() {
  if (!c.shut) {
    IoResult result = c.transport->shutdown_write();
    c.write_needs = result.kind == IoResult::kWantsRead ? POLLIN : POLLOUT;
    if (result.kind == IoResult::kWantsRead ||
        result.kind == IoResult::kWantsWrite)
      return;
    // 10.4: done, or the peer is gone and needs no FIN: reading will say so.
    c.shut = true;
  }
  if (std::exchange(c.finished, true)) return;
  // 10.4: after the listeners. Deferred first, in case one of them throws.
  defer(&State::close_if_over);
  call_all(std::exchange(c.end_callbacks, {}), {});
  if (open()) self.on_finish.emit();
}

void Socket::State::close_if_over() {
  if (c.finished && (c.end_emitted || c.destroy_when_finished)) destroy({});
}

// What was written, and is not out: its callbacks get the reason (WRITE-12).
void Socket::State::fail_callbacks(const std::optional<Error>& error) {
  take_done();
  std::vector<Callback> done = std::exchange(c.done, {});
  std::vector<Callback> dropped = c.queue.take_dropped();
  for (Callback& it : std::exchange(c.end_callbacks, {}))
    dropped.push_back(std::move(it));
  if (done.empty() && dropped.empty()) return;
  auto alive = self.shared_from_this();
  loop.defer([alive, done] { alive->state_->call_all(done, {}); });
  loop.defer([alive, dropped, error] {
    alive->state_->call_all(dropped, error ? error : destroyed_error());
  });
}

// Each of them once, also when one of them throws.
void Socket::State::call_all(std::vector<Callback> list,
                             std::optional<Error> error) {
  for (auto it = list.begin(); it != list.end(); ++it) {
    try {
      (*it)(error ? &*error : nullptr);
    } catch (...) {
      loop.defer([alive = self.shared_from_this(),
                  rest = std::vector(it + 1, list.end()),
                  error] { alive->state_->call_all(rest, error); });
      throw;
    }
  }
}

bool Socket::write(std::string_view bytes, Callback done) {
  return state_->write(bytes, std::move(done));
}

bool Socket::write(std::string_view text, Encoding encoding, Callback done) {
  return state_->write(encode(text, encoding), std::move(done));
}

Socket& Socket::end(Callback done) {
  state_->end(std::move(done));
  return *this;
}

Socket& Socket::end(std::string_view bytes, Callback done) {
  write(bytes);
  return end(std::move(done));
}

Socket& Socket::destroy_soon() {
  if (!state_->c.ended) end();
  if (state_->c.finished) return destroy();
  state_->c.destroy_when_finished = true;
  return *this;
}

Socket& Socket::reset_and_destroy() {
  if (state_->attempt) {
    state_->attempt->reset_when_connected = true;
    return *this;
  }
  if (!state_->open())
    return destroy(Error("ERR_SOCKET_CLOSED", "Socket is closed"));
  // With a linger time of zero close() sends RST instead of FIN (socket(7)).
  linger at_once{1, 0};
  ::setsockopt(state_->c.transport->fd(), SOL_SOCKET, SO_LINGER, &at_once,
               sizeof at_once);
  return destroy();
}

// Also right: to gather the writes of one callback, and send them together in
// a deferred task: fewer system calls, a little later.

}  // namespace net
