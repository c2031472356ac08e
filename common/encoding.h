// Encodings: what text is as bytes. Text is UTF-8 in this course, as a string
// of Node is UTF-16 in Node.
//
//   net::encode("caf\xc3\xa9", net::Encoding::kLatin1);  // "caf\xe9"
//
//   net::TextDecoder text(net::Encoding::kHex);
//   text.feed("\x01\xff");  // "01ff"
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "chapters/04_framing/utf8.h"

namespace net {

// As Node's. kBytes: as they are, nothing is done to them.
enum class Encoding { kBytes, kUtf8, kLatin1, kAscii, kHex, kBase64, kUtf16le };

// The bytes that `text` stands for (ENC-5). Where it is no hex or base64 any
// more, it ends; what is no character of latin1 keeps its last 8 bits.
std::string encode(std::string_view text, Encoding encoding);

// Text of a stream of bytes that may be cut anywhere: Node's StringDecoder.
class TextDecoder {
 public:
  explicit TextDecoder(Encoding encoding) : encoding_(encoding) {}

  // The text of these bytes, after those that were kept: of a character, or of
  // base64's groups of three, that is not complete (ENC-1, ENC-4).
  std::string feed(std::string_view bytes);
  std::string finish();  // of what is left at the end (ENC-2)

 private:
  Encoding encoding_;
  std::optional<Utf8Decoder> utf8_;
  std::string kept_;  // fewer than 4 bytes
};

}  // namespace net
