#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "chapters/10_socket/state.h"

namespace net {
namespace {

// All sockets of a thread read into one buffer of 256 KiB: what is in it is for
// the listeners, and only while they run. Whole pages: the kernel copies faster
// into them.
struct alignas(4096) Page {
  char bytes[4096];
};
std::span<char> read_buffer() {
  constexpr std::size_t kPages = 64;
  thread_local std::unique_ptr<Page[]> pages(new Page[kPages]);
  return {pages[0].bytes, kPages * sizeof(Page)};
}

}  // namespace

bool Socket::State::wants_input() const {
  if (!c.reading || c.at_end) return false;
  // 10.2: as long as nobody listens, no more than the mark is kept here. The
  // rest stays in the kernel, which makes the peer wait (FLOW-8).
  return flow == Flow::kFlowing || c.unread.size() < options.high_water_mark;
}

bool Socket::State::wants_output() const {
  return !c.queue.empty() || (c.ended && !c.shut);
}

void Socket::State::update_interest() {
  if (!open()) return;
  int events =
      (wants_input() ? c.read_needs : 0) | (wants_output() ? c.write_needs : 0);
  if (!c.agreed) events = c.handshake_needs;
  if (events == c.watched) return;
  c.watched = static_cast<short>(events);
  loop.update(c.transport->fd(), c.watched);
}

void Socket::State::ready(short events) {
  if (!c.agreed) return agree();
  // An error or a hang-up is for whoever asks next: the call that fails says
  // what it is. Reading asks first, as in Node.
  if (events & (POLLERR | POLLHUP)) events |= POLLIN | POLLOUT;
  if (events & c.read_needs && wants_input()) read_some();
  if (open() && events & c.write_needs && wants_output()) write_more();
  update_interest();
}

void Socket::State::start() {
  if (!open()) return;
  if (!c.agreed) return agree();
  start_reading();
  write_more();
}

// A step of what the transport and the peer have to agree on, and then start()
// again, also if a listener throws.
void Socket::State::agree() {
  IoResult result = c.transport->handshake();
  touch();
  c.handshake_needs = 0;
  if (result.kind == IoResult::kWantsRead) c.handshake_needs = POLLIN;
  if (result.kind == IoResult::kWantsWrite) c.handshake_needs = POLLOUT;
  update_interest();
  if (result.kind == IoResult::kFailed) return self.disagreed(*result.error);
  if (result.kind != IoResult::kEnd) return;
  c.agreed = true;
  defer(&State::start);
  self.agreed();
}

void Socket::State::start_reading() {
  if (!open() || !c.agreed || flow == Flow::kPaused) return;
  c.reading = true;
  if (c.transport->has_pending()) defer(&State::read_pending);
  update_interest();
}

void Socket::try_again() {
  state_->defer(&State::start);
}

void Socket::State::read_some() {
  std::span<char> buffer = read_buffer();
  if (flow != Flow::kFlowing)
    buffer = buffer.first(
        std::min(buffer.size(), options.high_water_mark - c.unread.size()));
  IoResult result = c.transport->read(buffer);
  c.read_needs = result.kind == IoResult::kWantsWrite ? POLLOUT : POLLIN;
  if (result.kind == IoResult::kFailed) return destroy(std::move(result.error));
  if (result.kind == IoResult::kBytes) {
    c.bytes_read += result.bytes;
    touch();
    received({buffer.data(), result.bytes});
  } else if (result.kind == IoResult::kEnd) {
    c.at_end = true;
    if (c.decoder) c.unread += c.decoder->finish();
    pump();
  }
  if (open() && c.transport->has_pending()) defer(&State::read_pending);
}

void Socket::State::read_pending() {
  if (open() && wants_input()) read_some();
  update_interest();
}

void Socket::State::received(std::string_view bytes) {
  std::string text;
  if (c.decoder) bytes = text = c.decoder->feed(bytes);
  if (flow == Flow::kFlowing && c.unread.empty()) {
    // 10.2: straight out of the buffer, without a copy.
    if (!bytes.empty()) self.on_data.emit(bytes);
  } else {
    c.unread += bytes;
  }
}

// Delivers what is there, as long as somebody wants it; then the end.
void Socket::State::pump() {
  if (flow == Flow::kFlowing && !c.unread.empty()) {
    std::string bytes = std::exchange(c.unread, {});
    // 10.2: comes back for the end, also if a listener throws.
    self.resume();
    self.on_data.emit(bytes);
  } else if (c.at_end && c.unread.empty() && !c.end_emitted) {
    emit_end();
  }
}

void Socket::State::resumed() {
  c.pump_deferred = false;
  start_reading();
  pump();
  update_interest();
}

void Socket::State::emit_end() {
  c.end_emitted = true;
  // 10.4: after the listeners, who may still write, or end() themselves
  // (WRITE-10). Deferred first, in case one of them throws.
  defer(&State::after_end);
  self.on_end.emit();
}

void Socket::State::after_end() {
  if (!options.allow_half_open && !c.ended) end({});
  close_if_over();
}

Socket& Socket::pause() {
  state_->flow = State::Flow::kPaused;
  state_->update_interest();
  return *this;
}

Socket& Socket::resume() {
  state_->flow = State::Flow::kFlowing;
  if (state_->open() && !std::exchange(state_->c.pump_deferred, true))
    state_->defer(&State::resumed);
  return *this;
}

bool Socket::is_paused() const {
  return state_->flow == State::Flow::kPaused;
}

Socket& Socket::set_encoding(Encoding encoding) {
  bool was_bytes = !state_->c.decoder;
  state_->encoding = encoding;
  state_->c.decoder = std::make_unique<TextDecoder>(encoding);
  // 10.7: what waits here was read as bytes, unless it is text already.
  std::string& unread = state_->c.unread;
  if (was_bytes) unread = state_->c.decoder->feed(unread);
  return *this;
}

// Also right: to read until EAGAIN, within bounds (one socket must not keep
// the others waiting); to peek at a paused socket instead of reading ahead.

}  // namespace net
