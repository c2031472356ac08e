#include "chapters/04_framing/framing.h"

#include <cstdint>
#include <deque>
#include <limits>
#include <stdexcept>
#include <utility>

#include "common/todo.h"

namespace net {

// What a decoder remembers between two calls. Add what you need.
struct LineDecoder::State {
  std::size_t limit = 0;
};

LineDecoder::LineDecoder(std::size_t limit) : state_(new State) {
  state_->limit = limit;
}

void LineDecoder::feed(std::string_view) {
  TODO("04.1", "put the lines that are complete aside, keep the rest");
}

std::optional<std::string> LineDecoder::next() {
  TODO("04.1", "the oldest line that was put aside");
}

Framing LineDecoder::finish() {
  TODO("04.5", "did the stream end inside a line?");
}

Framing LineDecoder::status() const {
  TODO("04.4", "the first thing that went wrong, if any");
}

std::string encode_frame(std::string_view) {
  TODO("04.2", "the size in 4 bytes, then the payload");
}

struct FrameDecoder::State {
  std::size_t limit = 0;
};

FrameDecoder::FrameDecoder(std::size_t limit) : state_(new State) {
  state_->limit = limit;
}

void FrameDecoder::feed(std::string_view) {
  TODO("04.3", "collect 4 bytes of header, then as many as they say");
}

std::optional<std::string> FrameDecoder::next() {
  TODO("04.3", "the oldest payload that is complete");
}

Framing FrameDecoder::finish() {
  TODO("04.5", "did the stream end inside a frame?");
}

Framing FrameDecoder::status() const {
  TODO("04.4", "the first thing that went wrong, if any");
}

LineDecoder::LineDecoder(LineDecoder&&) noexcept = default;
LineDecoder& LineDecoder::operator=(LineDecoder&&) noexcept = default;
LineDecoder::~LineDecoder() = default;
FrameDecoder::FrameDecoder(FrameDecoder&&) noexcept = default;
FrameDecoder& FrameDecoder::operator=(FrameDecoder&&) noexcept = default;
FrameDecoder::~FrameDecoder() = default;

}  // namespace net
