// No chapter 10 at all. Every function gives way to one of the same name.
#include "socket.h"

#define NOTHING __attribute__((weak))

namespace net {

struct Socket::State {};

NOTHING Socket::Socket(EventLoop&, ConnectOptions) {}
NOTHING Socket::~Socket() = default;
NOTHING std::shared_ptr<Socket> Socket::create(EventLoop& loop,
                                               ConnectOptions options) {
  return std::shared_ptr<Socket>(new Socket(loop, options));
}
NOTHING std::shared_ptr<Socket> Socket::adopt(EventLoop& loop,
                                              std::unique_ptr<Transport>,
                                              ConnectOptions options) {
  return create(loop, options);
}
NOTHING void Socket::adopt(std::unique_ptr<Transport>) {}
NOTHING std::shared_ptr<Socket> connect(EventLoop& loop, ConnectOptions options,
                                        std::function<void()> connected) {
  auto socket = Socket::create(loop, options);
  socket->connect(options, connected);
  return socket;
}
NOTHING std::shared_ptr<Socket> connect(EventLoop& loop, int port,
                                        std::string host,
                                        std::function<void()> connected) {
  return connect(loop, {.host = host, .port = port}, connected);
}
NOTHING Socket& Socket::connect(ConnectOptions, std::function<void()>) {
  return *this;
}
NOTHING Socket& Socket::connect(int port, std::string host,
                                std::function<void()> connected) {
  return connect({.host = host, .port = port}, connected);
}
NOTHING bool Socket::write(std::string_view, Callback) {
  return true;
}
NOTHING bool Socket::write(std::string_view, Encoding, Callback) {
  return true;
}
NOTHING Socket& Socket::end(Callback) {
  return *this;
}
NOTHING Socket& Socket::end(std::string_view, Callback done) {
  return end(done);
}
NOTHING Socket& Socket::destroy(std::optional<Error>) {
  return *this;
}
NOTHING Socket& Socket::destroy_soon() {
  return *this;
}
NOTHING Socket& Socket::reset_and_destroy() {
  return *this;
}
NOTHING Socket& Socket::pause() {
  return *this;
}
NOTHING Socket& Socket::resume() {
  return *this;
}
NOTHING bool Socket::is_paused() const {
  return false;
}
NOTHING Socket& Socket::set_encoding(Encoding) {
  return *this;
}
NOTHING Socket& Socket::set_timeout(std::chrono::milliseconds,
                                    std::function<void()>) {
  return *this;
}
NOTHING Socket& Socket::set_no_delay(bool) {
  return *this;
}
NOTHING Socket& Socket::set_keep_alive(bool, std::chrono::milliseconds) {
  return *this;
}
NOTHING Socket& Socket::ref() {
  return *this;
}
NOTHING Socket& Socket::unref() {
  return *this;
}
NOTHING SocketAddress Socket::address() const {
  return {};
}
NOTHING std::string Socket::remote_address() const {
  return "";
}
NOTHING std::string Socket::remote_family() const {
  return "";
}
NOTHING int Socket::remote_port() const {
  return 0;
}
NOTHING std::string Socket::local_address() const {
  return "";
}
NOTHING std::string Socket::local_family() const {
  return "";
}
NOTHING int Socket::local_port() const {
  return 0;
}
NOTHING std::uint64_t Socket::bytes_read() const {
  return 0;
}
NOTHING std::uint64_t Socket::bytes_written() const {
  return 0;
}
NOTHING std::size_t Socket::writable_length() const {
  return 0;
}
NOTHING std::size_t Socket::high_water_mark() const {
  return 0;
}
NOTHING bool Socket::writable_need_drain() const {
  return false;
}
NOTHING bool Socket::writable_ended() const {
  return false;
}
NOTHING bool Socket::writable_finished() const {
  return false;
}
NOTHING bool Socket::readable() const {
  return false;
}
NOTHING bool Socket::writable() const {
  return false;
}
NOTHING bool Socket::connecting() const {
  return false;
}
NOTHING bool Socket::pending() const {
  return false;
}
NOTHING bool Socket::destroyed() const {
  return false;
}
NOTHING std::string_view Socket::ready_state() const {
  return "";
}
NOTHING std::optional<std::chrono::milliseconds> Socket::timeout() const {
  return {};
}
NOTHING Socket::Connection Socket::hand_over() {
  return {};
}
NOTHING void Socket::forget_listeners() {}
NOTHING void Socket::try_again() {}

}  // namespace net
