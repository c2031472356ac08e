#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "chapters/10_socket/state.h"
#include "common/todo.h"

namespace net {
namespace {

// All sockets of a thread read into one buffer of 256 KiB: what is in it is for
// the listeners, and only while they run. Whole pages: the kernel copies faster
// into them.
struct alignas(4096) Page {
  char bytes[4096];
};
[[maybe_unused]] std::span<char> read_buffer() {
  constexpr std::size_t kPages = 64;
  thread_local std::unique_ptr<Page[]> pages(new Page[kPages]);
  return {pages[0].bytes, kPages * sizeof(Page)};
}

}  // namespace

bool Socket::State::wants_input() const {
  TODO("10.2", "has it begun, not ended, and is there room?");
}

bool Socket::State::wants_output() const {
  TODO("10.3", "does anything wait; 10.4: or the FIN?");
}

void Socket::State::update_interest() {
  TODO("10.2", "tell the loop what is wanted, if that is new; or to agree()");
}

void Socket::State::ready(short) {
  TODO("10.2", "read, or agree(); 10.3: write; an error wakes both");
}

void Socket::State::start() {
  TODO("10.2", "agree() first, then begin to read; 10.3: and to write");
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
  TODO("10.2", "unless it is paused by now (ACC-5); has_pending(), too");
}

void Socket::try_again() {
  state_->defer(&State::start);
}

void Socket::State::read_some() {
  TODO("10.2", "one read(), and what its answer means");
}

void Socket::State::read_pending() {
  TODO("10.2", "what the transport has, and poll() does not know of");
}

void Socket::State::received(std::string_view) {
  TODO("10.2", "to the listeners, or kept for later");
}

// Delivers what is there, as long as somebody wants it; then the end.
void Socket::State::pump() {
  TODO("10.2", "what was kept; 10.4: then the end");
}

void Socket::State::resumed() {
  TODO("10.2", "the flow goes on (FLOW-11)");
}

void Socket::State::emit_end() {
  TODO("10.4", "tell the listeners, and then after_end()");
}

void Socket::State::after_end() {
  TODO("10.4", "end() on its own, unless allow_half_open (HALF-1)");
}

Socket& Socket::pause() {
  TODO("10.2", "no data from here on");
}

Socket& Socket::resume() {
  TODO("10.2", "flow, but not in this call (FLOW-11)");
}

bool Socket::is_paused() const {
  return state_->flow == State::Flow::kPaused;
}

Socket& Socket::set_encoding(Encoding) {
  TODO("10.7", "from here on text, also of what is kept");
}

}  // namespace net
