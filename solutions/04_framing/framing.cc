#include "chapters/04_framing/framing.h"

#include <cstdint>
#include <deque>
#include <limits>
#include <stdexcept>
#include <utility>

namespace net {

namespace {

// Complete messages that nobody has taken yet. A message leaves by being moved
// out, so what the caller holds has nothing to do with the decoder any more.
std::optional<std::string> take_first(std::deque<std::string>& ready) {
  if (ready.empty()) return std::nullopt;
  std::string message = std::move(ready.front());
  ready.pop_front();
  return message;
}

}  // namespace

struct LineDecoder::State {
  std::size_t limit = 0;
  std::deque<std::string> ready;  // complete, not yet taken
  std::string line;               // the beginning of the next one
  Framing status = Framing::kFine;
};

LineDecoder::LineDecoder(std::size_t limit) : state_(new State) {
  state_->limit = limit;
}

void LineDecoder::feed(std::string_view bytes) {
  State& s = *state_;
  while (s.status == Framing::kFine && !bytes.empty()) {
    // 04.1: only the new bytes are searched; the old ones hold no LF (COST-1).
    std::size_t end = bytes.find('\n');
    s.line.append(bytes.substr(0, end));
    // A CR at the end of what is there may be half of a CRLF: it does not
    // count until a byte other than LF follows.
    std::size_t size = s.line.size() - (s.line.ends_with('\r') ? 1 : 0);
    if (size > s.limit) {
      // 04.4: now, not at the LF: it may never come.
      s.status = Framing::kTooLong;
      s.line = {};
    } else if (end == std::string_view::npos) {
      return;
    } else {
      s.line.resize(size);
      s.ready.push_back(std::exchange(s.line, {}));
      bytes.remove_prefix(end + 1);
    }
  }
}

std::optional<std::string> LineDecoder::next() {
  return take_first(state_->ready);
}

Framing LineDecoder::finish() {
  State& s = *state_;
  // 04.5: after kTooLong nothing is kept, so the first error stays.
  if (!s.line.empty()) s.status = Framing::kCutOff;
  return s.status;
}

Framing LineDecoder::status() const {
  return state_->status;
}

std::string encode_frame(std::string_view payload) {
  // 04.2: checked before the cast, which would keep the low 32 bits.
  if (payload.size() > std::numeric_limits<std::uint32_t>::max())
    throw std::length_error("a frame of 4 GiB or more (FRAME-2)");
  auto size = static_cast<std::uint32_t>(payload.size());
  std::string frame;
  frame.reserve(4 + payload.size());
  for (int shift : {24, 16, 8, 0}) frame += static_cast<char>(size >> shift);
  // One string, so one send(): nobody can send between header and payload.
  return frame.append(payload);
}

namespace {

// Moves bytes from the front of `bytes` to the end of `part` until that has
// `size` of them. Whether it has.
bool fill(std::string& part, std::size_t size, std::string_view& bytes) {
  std::string_view taken = bytes.substr(0, size - part.size());
  part.append(taken);
  bytes.remove_prefix(taken.size());
  return part.size() == size;
}

std::uint32_t read_size(std::string_view header) {
  std::uint32_t size = 0;
  // Through unsigned char: a char of 0x80 or more may be negative.
  for (unsigned char byte : header) size = size << 8 | byte;
  return size;
}

}  // namespace

struct FrameDecoder::State {
  std::size_t limit = 0;
  std::deque<std::string> ready;
  std::string header, payload;  // of the next frame, as far as they have come
  Framing status = Framing::kFine;
};

FrameDecoder::FrameDecoder(std::size_t limit) : state_(new State) {
  state_->limit = limit;
}

void FrameDecoder::feed(std::string_view bytes) {
  State& s = *state_;
  while (s.status == Framing::kFine && !bytes.empty()) {
    // 04.3: true at once where the header is complete since an earlier piece.
    if (!fill(s.header, 4, bytes)) return;
    std::size_t size = read_size(s.header);
    if (size > s.limit) {
      // 04.4: before a byte of the payload is waited for or made room for.
      s.status = Framing::kTooLong;
      return;
    }
    // No look at bytes.empty() in between: an empty payload is complete with
    // its header.
    if (!fill(s.payload, size, bytes)) return;
    s.ready.push_back(std::exchange(s.payload, {}));
    s.header.clear();
  }
}

std::optional<std::string> FrameDecoder::next() {
  return take_first(state_->ready);
}

Framing FrameDecoder::finish() {
  State& s = *state_;
  // 04.5: half a header is half a message, too.
  if (s.status == Framing::kFine && !s.header.empty())
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

// Also right: a machine that looks at one byte after the other and remembers
// in which part of a message it is; or one buffer for all that came, with the
// place where the next message begins and the place where the search goes on,
// moved to the front when half of it is read. What is wrong is to erase() the
// front of that buffer once per message: each erase moves all the rest.

}  // namespace net
