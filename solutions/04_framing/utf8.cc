#include "chapters/04_framing/utf8.h"

#include <utility>

namespace net {

struct Utf8Decoder::State {
  std::string kept;  // the beginning of a character, valid so far
  int missing = 0;   // bytes until it is complete
  unsigned char least = 0x80, most = 0xbf;  // what the next of them may be

  bool begin(unsigned char byte);
};

Utf8Decoder::Utf8Decoder() : state_(new State) {}

// Whether a character of several bytes can begin with `byte`; if so, what must
// follow. The second byte is bounded where the first alone would allow a
// longer form of a short character (E0, F0), a surrogate (ED) or a number
// above U+10FFFF (F4).
bool Utf8Decoder::State::begin(unsigned char byte) {
  if (byte < 0xc2 || byte > 0xf4) return false;
  least = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
  most = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
  missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  return true;
}

std::string Utf8Decoder::feed(std::string_view bytes) {
  State& s = *state_;
  std::string text;
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    if (s.missing > 0 && s.least <= byte && byte <= s.most) {
      s.kept += c;
      s.least = 0x80, s.most = 0xbf;
      if (--s.missing == 0) text += std::exchange(s.kept, {});
      continue;
    }
    // 04.7: the character breaks off here; this byte is not part of it, and
    // begins something of its own.
    if (s.missing > 0) text += finish();
    if (byte < 0x80)
      text += c;
    else if (s.begin(byte))
      s.kept = c;
    else
      text += kReplacement;
  }
  return text;
}

std::string Utf8Decoder::finish() {
  State& s = *state_;
  s.missing = 0;
  return std::exchange(s.kept, {}).empty() ? "" : std::string(kReplacement);
}

Utf8Decoder::Utf8Decoder(Utf8Decoder&&) noexcept = default;
Utf8Decoder& Utf8Decoder::operator=(Utf8Decoder&&) noexcept = default;
Utf8Decoder::~Utf8Decoder() = default;

// Also right: what Node does: keep back an unfinished character at the end of
// a piece, put it before the next one, and let a decoder of whole strings do
// the rest; or a table of states and byte classes, one look-up per byte.

}  // namespace net
