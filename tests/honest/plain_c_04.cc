// As somebody writes who comes from C: buffers by hand, indices, goto.
#include <cstdlib>
#include <cstring>
#include <deque>
#include <stdexcept>

#include "framing.h"

namespace net {

struct Buffer {
  char* bytes = nullptr;
  std::size_t used = 0, room = 0;
  ~Buffer() { std::free(bytes); }
  void add(const char* more, std::size_t n) {
    if (used + n > room) {
      room = 2 * (used + n);
      bytes = static_cast<char*>(std::realloc(bytes, room));
    }
    if (n) std::memcpy(bytes + used, more, n);
    used += n;
  }
};

struct LineDecoder::State {
  std::size_t limit;
  Buffer line;
  std::deque<std::string> ready;
  Framing status = Framing::kFine;
};

LineDecoder::LineDecoder(std::size_t limit)
    : state_(new State{limit, {}, {}}) {}
LineDecoder::LineDecoder(LineDecoder&&) noexcept = default;
LineDecoder& LineDecoder::operator=(LineDecoder&&) noexcept = default;
LineDecoder::~LineDecoder() = default;

void LineDecoder::feed(std::string_view bytes) {
  State* s = state_.get();
  const char *at = bytes.data(), *end = at + bytes.size();
again:
  if (s->status != Framing::kFine || at == end) return;
  auto n = static_cast<std::size_t>(end - at);
  auto* lf = static_cast<const char*>(std::memchr(at, '\n', n));
  s->line.add(at, lf ? static_cast<std::size_t>(lf - at) : n);
  std::size_t size = s->line.used;
  if (size > 0 && s->line.bytes[size - 1] == '\r') --size;
  if (size > s->limit) {
    s->status = Framing::kTooLong;
    return;
  }
  if (!lf) return;
  s->ready.emplace_back(s->line.bytes ? s->line.bytes : "", size);
  s->line.used = 0;
  at = lf + 1;
  goto again;
}

std::optional<std::string> LineDecoder::next() {
  if (state_->ready.empty()) return {};
  std::string line = std::move(state_->ready.front());
  state_->ready.pop_front();
  return line;
}

Framing LineDecoder::finish() {
  if (state_->status == Framing::kFine && state_->line.used)
    state_->status = Framing::kCutOff;
  return state_->status;
}

Framing LineDecoder::status() const {
  return state_->status;
}

std::string encode_frame(std::string_view payload) {
  if (payload.size() > 0xffffffffu) throw std::length_error("frame");
  std::string frame(4 + payload.size(), 0);
  for (int i = 0; i < 4; i++)
    frame[i] = static_cast<char>((payload.size() >> (24 - 8 * i)) & 255);
  std::copy(payload.begin(), payload.end(), frame.begin() + 4);
  return frame;
}

struct FrameDecoder::State {
  std::size_t limit;
  Buffer frame;
  std::deque<std::string> ready;
  Framing status = Framing::kFine;
};

FrameDecoder::FrameDecoder(std::size_t limit)
    : state_(new State{limit, {}, {}}) {}
FrameDecoder::FrameDecoder(FrameDecoder&&) noexcept = default;
FrameDecoder& FrameDecoder::operator=(FrameDecoder&&) noexcept = default;
FrameDecoder::~FrameDecoder() = default;

void FrameDecoder::feed(std::string_view bytes) {
  State* s = state_.get();
  while (s->status == Framing::kFine && !bytes.empty()) {
    std::size_t whole = 4;
    if (s->frame.used >= 4) {
      std::size_t size = 0;
      for (int i = 0; i < 4; i++)
        size = size << 8 | static_cast<unsigned char>(s->frame.bytes[i]);
      whole += size;
    }
    std::size_t n = std::min(whole - s->frame.used, bytes.size());
    s->frame.add(bytes.data(), n);
    bytes.remove_prefix(n);
    if (s->frame.used < 4) return;
    std::size_t size = 0;
    for (int i = 0; i < 4; i++)
      size = size << 8 | static_cast<unsigned char>(s->frame.bytes[i]);
    if (size > s->limit) {
      s->status = Framing::kTooLong;
    } else if (s->frame.used == 4 + size) {
      s->ready.emplace_back(s->frame.bytes + 4, size);
      s->frame.used = 0;
    }
  }
}

std::optional<std::string> FrameDecoder::next() {
  if (state_->ready.empty()) return {};
  std::string payload = std::move(state_->ready.front());
  state_->ready.pop_front();
  return payload;
}

Framing FrameDecoder::finish() {
  if (state_->status == Framing::kFine && state_->frame.used)
    state_->status = Framing::kCutOff;
  return state_->status;
}

Framing FrameDecoder::status() const {
  return state_->status;
}

}  // namespace net
