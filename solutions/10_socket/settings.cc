#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <utility>

#include "chapters/10_socket/state.h"

namespace net {
namespace {

using std::chrono::milliseconds;

using AddressCall = int (*)(int, sockaddr*, socklen_t*) noexcept;

SocketAddress ask(AddressCall call, int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (call(fd, address, &size) < 0) return {};
  Endpoint end = Endpoint::from(address, size);
  if (end.family() == AF_UNIX) return {};
  return {end.host(), end.family() == AF_INET ? "IPv4" : "IPv6", end.port()};
}

}  // namespace

// 10.6: traffic only notes the time. The timer looks at it when it is due, and
// goes on for what is left: it is not made anew for each byte.
void Socket::State::touch() {
  if (!idle || *idle == milliseconds::zero()) return;
  last_traffic = loop.now();
  if (idle_timer == TimerId::kNone) start_idle_timer(*idle);
}

void Socket::State::start_idle_timer(milliseconds rest) {
  // 10.6: weakly: it is no reason for a socket to live.
  idle_timer = loop.set_timeout(rest, [weak = self.weak_from_this()] {
    if (auto alive = weak.lock()) alive->state_->idle_timer_is_due();
  });
  loop.unref(idle_timer);
}

void Socket::State::idle_timer_is_due() {
  idle_timer = TimerId::kNone;
  auto rest = last_traffic + *idle - loop.now();
  if (rest > rest.zero())
    start_idle_timer(std::chrono::ceil<milliseconds>(rest));
  else
    self.on_timeout.emit();
}

Socket& Socket::set_timeout(milliseconds idle, std::function<void()> listener) {
  State& state = *state_;
  if (idle < milliseconds::zero())
    throw UsageError("ERR_OUT_OF_RANGE", "a negative timeout");
  if (state.gone()) return *this;
  state.idle = idle;
  state.loop.clear_timer(std::exchange(state.idle_timer, TimerId::kNone));
  if (idle == milliseconds::zero()) {
    if (listener) on_timeout.off(state.idle_listener);
    return *this;
  }
  if (listener) state.idle_listener = on_timeout.once(std::move(listener));
  state.touch();
  return *this;
}

Socket& Socket::set_no_delay(bool on) {
  state_->options.no_delay = on;
  state_->apply_no_delay();
  return *this;
}

Socket& Socket::set_keep_alive(bool on, milliseconds initial_delay) {
  state_->options.keep_alive = on;
  state_->options.keep_alive_initial_delay = initial_delay;
  state_->apply_keep_alive();
  return *this;
}

// 10.7: an option that this kind of socket does not have is no error.
void Socket::State::set_option(int level, int name, int value) {
  if (open())
    ::setsockopt(c.transport->fd(), level, name, &value, sizeof value);
}

void Socket::State::apply_no_delay() {
  set_option(IPPROTO_TCP, TCP_NODELAY, options.no_delay);
}

void Socket::State::apply_keep_alive() {
  set_option(SOL_SOCKET, SO_KEEPALIVE, options.keep_alive);
  int seconds = static_cast<int>(options.keep_alive_initial_delay /
                                 std::chrono::seconds(1));
  if (options.keep_alive && seconds > 0)
    set_option(IPPROTO_TCP, TCP_KEEPIDLE, seconds);
}

Socket& Socket::ref() {
  state_->referenced = true;
  state_->hold();
  return *this;
}

Socket& Socket::unref() {
  state_->referenced = false;
  state_->hold();
  return *this;
}

SocketAddress Socket::State::local() const {
  return open() ? ask(::getsockname, c.transport->fd()) : SocketAddress();
}

// Remembered: a `close` listener asks for it, too.
SocketAddress Socket::State::remote() {
  if (!c.remote && open())
    c.remote =
        std::make_unique<SocketAddress>(ask(::getpeername, c.transport->fd()));
  return c.remote ? *c.remote : SocketAddress();
}

SocketAddress Socket::address() const {
  return state_->local();
}

std::string Socket::remote_address() const {
  return state_->remote().address;
}

std::string Socket::remote_family() const {
  return state_->remote().family;
}

int Socket::remote_port() const {
  return state_->remote().port;
}

std::string Socket::local_address() const {
  return address().address;
}

std::string Socket::local_family() const {
  return address().family;
}

int Socket::local_port() const {
  return address().port;
}

std::uint64_t Socket::bytes_read() const {
  return state_->c.bytes_read;
}

std::uint64_t Socket::bytes_written() const {
  return state_->c.bytes_written;
}

std::size_t Socket::writable_length() const {
  return state_->c.queue.size();
}

std::size_t Socket::high_water_mark() const {
  return state_->options.high_water_mark;
}

bool Socket::writable_need_drain() const {
  return state_->c.queue.needs_drain() && writable();
}

bool Socket::writable_ended() const {
  return state_->c.ended;
}

bool Socket::writable_finished() const {
  return state_->c.finished;
}

bool Socket::readable() const {
  return !state_->gone() && !state_->c.end_emitted;
}

bool Socket::writable() const {
  return !state_->gone() && !state_->c.ended;
}

bool Socket::connecting() const {
  return state_->phase == State::Phase::kConnecting;
}

bool Socket::pending() const {
  return !state_->open();
}

bool Socket::destroyed() const {
  return state_->gone();
}

std::string_view Socket::ready_state() const {
  if (connecting()) return "opening";
  if (readable()) return writable() ? "open" : "readOnly";
  return writable() ? "writeOnly" : "closed";
}

std::optional<milliseconds> Socket::timeout() const {
  return state_->idle;
}

// Also right: TCP_NODELAY for each socket from the beginning; a timer that is
// cleared and made anew with each byte, if the loop's timers are cheap.

}  // namespace net
