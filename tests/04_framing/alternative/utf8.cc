// Another design, and Node's own: keep back what may be an unfinished
// character at the end of a chunk, and translate the rest as a whole. Broken
// bytes come out a little later than they could, but they are the same text.
#include "chapters/04_framing/utf8.h"

namespace net {
namespace {

bool continues(char c) {
  return (c & 0xc0) == 0x80;
}

// How many bytes a character has that begins so; 1 for what begins none.
std::size_t size_of(char lead) {
  auto byte = static_cast<unsigned char>(lead);
  return byte >> 5 == 6 ? 2 : byte >> 4 == 14 ? 3 : byte >> 3 == 30 ? 4 : 1;
}

// Whether these can be the first two bytes of a character.
bool fit(unsigned char one, unsigned char two) {
  unsigned both = one << 8 | two;
  if ((two & 0xc0) != 0x80 || one < 0xc2 || one > 0xf4) return false;
  return !(one == 0xe0 && both < 0xe0a0) && !(one == 0xed && both > 0xed9f) &&
         !(one == 0xf0 && both < 0xf090) && !(one == 0xf4 && both > 0xf48f);
}

// Takes the next character, or the next bytes that are none, from `bytes`.
std::string_view take(std::string_view& bytes) {
  std::size_t size = size_of(bytes[0]), n = 1;
  if (size > 1 && bytes.size() > 1 && fit(bytes[0], bytes[1]))
    for (n = 2; n < size && n < bytes.size() && continues(bytes[n]);) ++n;
  std::string_view taken = bytes.substr(0, n);
  bytes.remove_prefix(n);
  bool good = n == size && (n > 1 || !(taken[0] & 0x80));
  return good ? taken : kReplacement;
}

std::string translated(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) text += take(bytes);
  return text;
}

// Where a character begins at the end of `bytes` that lacks its own end.
std::size_t unfinished(std::string_view bytes) {
  std::size_t size = bytes.size();
  for (std::size_t back = 1; back <= 3 && back <= size; ++back) {
    char c = bytes[size - back];
    if (!continues(c)) return size_of(c) > back ? size - back : size;
  }
  return size;
}

}  // namespace

struct Utf8Decoder::State {
  std::string kept;
};

Utf8Decoder::Utf8Decoder() : state_(new State) {}

std::string Utf8Decoder::feed(std::string_view bytes) {
  std::string all = state_->kept + std::string(bytes);
  std::size_t end = unfinished(all);
  state_->kept = all.substr(end);
  return translated(std::string_view(all).substr(0, end));
}

std::string Utf8Decoder::finish() {
  std::string text = translated(state_->kept);
  state_->kept.clear();
  return text;
}

Utf8Decoder::Utf8Decoder(Utf8Decoder&&) noexcept = default;
Utf8Decoder& Utf8Decoder::operator=(Utf8Decoder&&) noexcept = default;
Utf8Decoder::~Utf8Decoder() = default;

}  // namespace net
