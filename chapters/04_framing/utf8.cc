#include "chapters/04_framing/utf8.h"

#include <utility>

#include "common/todo.h"

namespace net {

// What the decoder remembers between two calls. Add what you need.
struct Utf8Decoder::State {};

Utf8Decoder::Utf8Decoder() : state_(new State) {}

std::string Utf8Decoder::feed(std::string_view) {
  TODO("04.7", "what is complete now, and U+FFFD for what never will be");
}

std::string Utf8Decoder::finish() {
  TODO("04.7", "U+FFFD for a character that stays incomplete");
}

Utf8Decoder::Utf8Decoder(Utf8Decoder&&) noexcept = default;
Utf8Decoder& Utf8Decoder::operator=(Utf8Decoder&&) noexcept = default;
Utf8Decoder::~Utf8Decoder() = default;

}  // namespace net
