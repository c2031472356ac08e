// Another design: lines come from a machine that looks at one byte after the
// other; frames are cut out of one buffer, with a place to read from.
#include "chapters/04_framing/framing.h"

#include <list>
#include <stdexcept>
#include <vector>

namespace net {

struct LineDecoder::State {
  std::size_t limit;
  std::list<std::string> lines;  // the last one is not complete
  bool after_cr = false;         // and that CR is not in the line yet
  bool inside = false;
  Framing status = Framing::kFine;

  void byte(char c) {
    if (c == '\n') {
      after_cr = inside = false;
      lines.emplace_back();
      return;
    }
    inside = true;
    if (after_cr) add('\r');
    after_cr = c == '\r';
    if (!after_cr) add(c);
  }

  void add(char c) {
    if (lines.back().size() == limit) status = Framing::kTooLong;
    if (status == Framing::kFine) lines.back() += c;
  }
};

LineDecoder::LineDecoder(std::size_t limit) : state_(new State{limit, {""}}) {}

void LineDecoder::feed(std::string_view bytes) {
  for (char c : bytes) {
    if (state_->status != Framing::kFine) return;
    state_->byte(c);
  }
}

std::optional<std::string> LineDecoder::next() {
  if (state_->lines.size() == 1) return {};
  std::string line = std::move(state_->lines.front());
  state_->lines.pop_front();
  return line;
}

Framing LineDecoder::finish() {
  if (state_->status == Framing::kFine && state_->inside)
    state_->status = Framing::kCutOff;
  return state_->status;
}

Framing LineDecoder::status() const {
  return state_->status;
}

std::string encode_frame(std::string_view payload) {
  if (payload.size() >> 32) throw std::length_error("payload too long");
  std::string frame(4, '\0');
  for (std::size_t i = 0, size = payload.size(); i < 4; ++i, size >>= 8)
    frame[3 - i] = static_cast<char>(size & 0xff);
  frame += payload;
  return frame;
}

struct FrameDecoder::State {
  std::size_t limit;
  std::vector<char> buffer;
  std::size_t taken = 0;  // what lies before it was handed out
  std::size_t known = 0;  // what lies before it are complete frames
  Framing status = Framing::kFine;

  std::size_t size_at(std::size_t place) const {
    std::size_t size = 0;
    for (int i = 0; i < 4; ++i)
      size = size * 256 + static_cast<unsigned char>(buffer[place + i]);
    return size;
  }

  // Moves what is left to the front, once it is the smaller part.
  void tidy() {
    if (taken < buffer.size() / 2) return;
    buffer.erase(buffer.begin(), buffer.begin() + taken);
    known -= taken;
    taken = 0;
  }
};

FrameDecoder::FrameDecoder(std::size_t limit)
    : state_(new State{limit, {}, 0, 0, Framing::kFine}) {}

void FrameDecoder::feed(std::string_view bytes) {
  State& s = *state_;
  if (s.status != Framing::kFine) return;
  s.tidy();
  s.buffer.insert(s.buffer.end(), bytes.begin(), bytes.end());
  while (s.buffer.size() - s.known >= 4) {
    std::size_t size = s.size_at(s.known);
    if (size > s.limit) {
      s.status = Framing::kTooLong;
      s.buffer.resize(s.known);
      return;
    }
    if (s.buffer.size() - s.known - 4 < size) return;
    s.known += 4 + size;
  }
}

std::optional<std::string> FrameDecoder::next() {
  State& s = *state_;
  if (s.taken == s.known) return {};
  std::size_t size = s.size_at(s.taken);
  std::string payload(s.buffer.data() + s.taken + 4, size);
  s.taken += 4 + size;
  return payload;
}

Framing FrameDecoder::finish() {
  State& s = *state_;
  if (s.status == Framing::kFine && s.known < s.buffer.size())
    s.status = Framing::kCutOff;
  return s.status;
}

Framing FrameDecoder::status() const {
  return state_->status;
}

LineDecoder::LineDecoder(LineDecoder&&) noexcept = default;
LineDecoder& LineDecoder::operator=(LineDecoder&&) noexcept = default;
LineDecoder::~LineDecoder() = default;
FrameDecoder::FrameDecoder(FrameDecoder&&) noexcept = default;
FrameDecoder& FrameDecoder::operator=(FrameDecoder&&) noexcept = default;
FrameDecoder::~FrameDecoder() = default;

}  // namespace net
