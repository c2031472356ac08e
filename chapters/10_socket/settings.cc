#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <utility>

#include "chapters/10_socket/state.h"
#include "common/todo.h"

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
  // TODO(10.6): there was traffic: the idle time begins anew.
}

void Socket::State::start_idle_timer(milliseconds) {
  TODO("10.6", "a timer that does not keep run() going");
}

void Socket::State::idle_timer_is_due() {
  TODO("10.6", "timeout; or traffic came meanwhile, and it waits on");
}

Socket& Socket::set_timeout(milliseconds, std::function<void()>) {
  TODO("10.6", "begin anew, or stop; add the listener, or remove it");
}

Socket& Socket::set_no_delay(bool) {
  TODO("10.7", "remember it, and apply it (OPT-2)");
}

Socket& Socket::set_keep_alive(bool, milliseconds) {
  TODO("10.7", "remember it, and apply it (OPT-2)");
}

// 10.7: an option that this kind of socket does not have is no error.
void Socket::State::set_option(int, int, int) {
  TODO("10.7", "setsockopt(), once there is a descriptor");
}

void Socket::State::apply_no_delay() {
  TODO("10.7", "TCP_NODELAY");
}

void Socket::State::apply_keep_alive() {
  TODO("10.7", "SO_KEEPALIVE and TCP_KEEPIDLE");
}

Socket& Socket::ref() {
  TODO("10.6", "it keeps run() going again");
}

Socket& Socket::unref() {
  TODO("10.6", "it does not");
}

SocketAddress Socket::State::local() const {
  return open() ? ask(::getsockname, c.transport->fd()) : SocketAddress();
}

// Remembered: a `close` listener asks for it, too.
SocketAddress Socket::State::remote() {
  TODO("10.7", "getpeername(), once");
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
  TODO("10.1", "until the end, or destroy()");
}

bool Socket::writable() const {
  TODO("10.1", "until end(), or destroy()");
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
  TODO("10.1", "one of five words (HALF-5)");
}

std::optional<milliseconds> Socket::timeout() const {
  return state_->idle;
}

}  // namespace net
