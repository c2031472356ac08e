#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "chapters/10_socket/state.h"
#include "common/todo.h"

namespace net {
namespace {

[[maybe_unused]] Error destroyed_error() {
  return Error("ERR_STREAM_DESTROYED",
               "Cannot call write after a stream was destroyed");
}

}  // namespace

bool Socket::State::write(std::string_view, Callback&&) {
  TODO("10.3", "at once if it is open; else, and the rest, later");
}

std::optional<Error> Socket::State::why_not_writable() const {
  TODO("10.3", "never connected; 10.4: ended; 10.5: destroyed");
}

// The callback learns of it, after those of earlier writes, and then everybody.
// Of a write to what is destroyed only the callback does (WRITE-8).
void Socket::State::refuse(Callback, const Error&) {
  TODO("10.3", "the callback, error and close; 10.5: the callback only");
}

void Socket::State::write_more() {
  TODO("10.3", "flush what waits");
}

void Socket::State::defer_written() {
  TODO("10.3", "written(), once, after the current callback");
}

// Some writes may be out: drain first, then their callbacks, then the end.
void Socket::State::written() {
  TODO("10.3", "drain, callbacks; 10.4: then the FIN");
}

void Socket::State::take_done() {
  TODO("10.3", "the callbacks that are due");
}

void Socket::State::end(Callback) {
  TODO("10.4", "no more will be written");
}

void Socket::State::finish() {
  TODO("10.4", "FIN, then callbacks and finish");
}

void Socket::State::close_if_over() {
  TODO("10.4", "destroy() when both are; 10.5: see destroy_soon()");
}

// What was written, and is not out: its callbacks get the reason (WRITE-12).
void Socket::State::fail_callbacks(const std::optional<Error>&) {
  TODO("10.5", "of what is not out: the reason; of what is: nothing");
}

// Each of them once, also when one of them throws.
void Socket::State::call_all(std::vector<Callback>, std::optional<Error>) {
  TODO("10.3", "each of them once, also when one of them throws");
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
  TODO("10.5", "end(), and destroy() after finish");
}

Socket& Socket::reset_and_destroy() {
  TODO("10.5", "RST in place of FIN; when it is connecting, later");
}

}  // namespace net
