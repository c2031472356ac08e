// What the tests of a queue write to: a Transport that is no socket. It has
// room for so many bytes, and the test decides when there is more.
//
//   Wire wire(5);
//   queue.write(wire, "hello world");  // "hello" is on the wire
//   wire.more(100);
//   queue.flush(wire);
//   EXPECT_IS(wire.taken, "hello world") << "...";
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chapters/09_streams/transport.h"
#include "chapters/09_streams/write_queue.h"
#include "common/testing/graded.h"
#include "common/testing/on_loop.h"

namespace graded {

inline constexpr std::size_t kAnyNumber = static_cast<std::size_t>(-1);

class Wire : public net::Transport {
 public:
  explicit Wire(std::size_t room = kAnyNumber) : room_(room) {}

  std::string taken;      // all bytes that were written to it
  std::size_t calls = 0;  // of write()

  void more(std::size_t bytes) {
    room_ += bytes;
    if (quiet_) return;
    step("wire", "has room for " + std::to_string(bytes) + " bytes more");
  }
  // Takes no more than so many with one call, though there is room for more.
  void take_at_once(std::size_t bytes) { at_once_ = bytes; }
  // What write() answers when there is no room.
  void when_full(net::IoResult answer) { full_ = std::move(answer); }
  void quiet() { quiet_ = true; }  // no lines in the time line

  net::IoResult write(std::span<const std::string_view> pieces) override {
    ++calls;
    std::size_t offered = 0, rest = std::min(room_, at_once_);
    for (std::string_view piece : pieces) {
      std::string_view part = piece.substr(0, rest);
      taken += part;
      rest -= part.size();
      offered += piece.size();
    }
    std::size_t bytes = std::min(room_, at_once_) - rest;
    if (room_ != kAnyNumber) room_ -= bytes;
    if (offered == 0)
      ADD_FAILURE() << "The transport was asked to write no bytes at all. "
                       "transport.h: the pieces are not all empty.";
    net::IoResult result = full_;
    if (bytes > 0) result = {.bytes = bytes};
    if (!quiet_)
      step("wire", "write(): " + std::to_string(offered) + " bytes in " +
                       std::to_string(pieces.size()) +
                       (pieces.size() == 1 ? " piece: " : " pieces: ") +
                       in_words(result));
    return result;
  }

  net::IoResult read(std::span<char>) override { return not_asked("read"); }
  net::IoResult shutdown_write() override { return not_asked("shutdown"); }
  int fd() const override { return -1; }
  void close() override { not_asked("close"); }

 private:
  static net::IoResult not_asked(const std::string& what) {
    throw std::logic_error("a queue only writes; it called " + what + "()");
  }

  std::size_t room_;
  std::size_t at_once_ = kAnyNumber;
  net::IoResult full_{.kind = net::IoResult::kWantsWrite};
  bool quiet_ = false;
};

// Takes everything, and remembers nothing.
class Sink : public Wire {
 public:
  net::IoResult write(std::span<const std::string_view> pieces) override {
    std::size_t bytes = 0;
    for (std::string_view piece : pieces) bytes += piece.size();
    return {.bytes = bytes};
  }
};

// Flushes, and adds a line to the time line.
inline std::string flush(net::WriteQueue& queue, Wire& wire) {
  net::IoResult result = queue.flush(wire);
  step("you", "flush(): " + in_words(result) + ", size() " +
                  std::to_string(queue.size()));
  return in_words(result);
}

// Takes the callbacks that are due, and calls them.
inline void call_done(net::WriteQueue& queue) {
  for (const net::Callback& done : queue.take_done()) done(nullptr);
}

}  // namespace graded
