#include "common/encoding.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace net {
namespace {

constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kHexDigits = "0123456789abcdef";

void append_utf8(std::string& text, std::uint32_t c) {
  auto add = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) return add(c);
  if (c < 0x800) return add(0xc0 | c >> 6), add(0x80 | (c & 0x3f));
  if (c < 0x10000) {
    add(0xe0 | c >> 12), add(0x80 | (c >> 6 & 0x3f)), add(0x80 | (c & 0x3f));
    return;
  }
  add(0xf0 | c >> 18), add(0x80 | (c >> 12 & 0x3f));
  add(0x80 | (c >> 6 & 0x3f)), add(0x80 | (c & 0x3f));
}

// The characters of UTF-8 text, one by one.
template <typename F>
void each_character(std::string_view text, F&& take) {
  while (!text.empty()) {
    unsigned char lead = static_cast<unsigned char>(text[0]);
    std::size_t n = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    n = std::min(n, text.size());
    std::uint32_t c = n == 1 ? lead : lead & (0xffu >> (n + 1));
    for (char byte : text.substr(1, n - 1))
      c = c << 6 | (static_cast<unsigned char>(byte) & 0x3f);
    take(c);
    text.remove_prefix(n);
  }
}

std::string from_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    auto digit = [](char c) {
      return kHexDigits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32)
                                                  : c);
    };
    std::size_t high = digit(text[i]), low = digit(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) break;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::string from_base64(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    if (c == '-') c = '+';  // base64url is read as well
    if (c == '_') c = '/';
    if (c == '=') break;
    std::size_t digit = kBase64Digits.find(c);
    if (digit == std::string_view::npos) continue;  // line ends, spaces
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

std::string to_utf16(std::string_view text) {
  std::string bytes;
  auto unit = [&](std::uint32_t u) {
    bytes += static_cast<char>(u & 0xff);
    bytes += static_cast<char>(u >> 8 & 0xff);
  };
  each_character(text, [&](std::uint32_t c) {
    if (c < 0x10000) return unit(c);
    c -= 0x10000;
    unit(0xd800 | c >> 10), unit(0xdc00 | (c & 0x3ff));
  });
  return bytes;
}

std::uint32_t unit_at(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]) |
         static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + 1]))
             << 8;
}

// `bytes` has no half of a unit, nor the first half of a pair at its end.
std::string from_utf16(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    std::uint32_t c = unit_at(bytes, i);
    if (c >= 0xd800 && c < 0xdc00 && i + 3 < bytes.size()) {
      std::uint32_t low = unit_at(bytes, i + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
        i += 2;
      }
    }
    append_utf8(text, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
  }
  return text;
}

std::string to_base64(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::size_t n = bytes.size() - i < 3 ? bytes.size() - i : 3;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group =
          group << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= n ? kBase64Digits[group >> (18 - 6 * k) & 0x3f] : '=';
  }
  return text;
}

// How many bytes at the end of `bytes` have to wait for more.
std::size_t incomplete(std::string_view bytes, Encoding encoding) {
  if (encoding == Encoding::kBase64) return bytes.size() % 3;
  if (encoding != Encoding::kUtf16le) return 0;
  std::size_t half = bytes.size() % 2;
  if (bytes.size() < 2 + half) return half;
  std::uint32_t last = unit_at(bytes, bytes.size() - half - 2);
  return last >= 0xd800 && last < 0xdc00 ? half + 2 : half;
}

std::string decode(std::string_view bytes, Encoding encoding) {
  if (encoding == Encoding::kBase64) return to_base64(bytes);
  if (encoding == Encoding::kUtf16le) return from_utf16(bytes);
  if (encoding == Encoding::kBytes) return std::string(bytes);
  std::string text;
  for (char c : bytes) {
    unsigned char byte = static_cast<unsigned char>(c);
    if (encoding == Encoding::kHex) {
      text += kHexDigits[byte >> 4];
      text += kHexDigits[byte & 15];
    } else {
      append_utf8(text, encoding == Encoding::kAscii ? byte & 0x7f : byte);
    }
  }
  return text;
}

}  // namespace

std::string encode(std::string_view text, Encoding encoding) {
  switch (encoding) {
    case Encoding::kBytes:
    case Encoding::kUtf8:
      return std::string(text);
    case Encoding::kHex:
      return from_hex(text);
    case Encoding::kBase64:
      return from_base64(text);
    case Encoding::kUtf16le:
      return to_utf16(text);
    case Encoding::kLatin1:
    case Encoding::kAscii:  // on the way out Node makes no difference
      break;
  }
  std::string bytes;
  each_character(
      text, [&](std::uint32_t c) { bytes += static_cast<char>(c & 0xff); });
  return bytes;
}

std::string TextDecoder::feed(std::string_view bytes) {
  if (encoding_ == Encoding::kUtf8) {
    if (!utf8_) utf8_.emplace();
    return utf8_->feed(bytes);
  }
  kept_ += bytes;
  std::size_t whole = kept_.size() - incomplete(kept_, encoding_);
  std::string text =
      decode(std::string_view(kept_).substr(0, whole), encoding_);
  kept_.erase(0, whole);
  return text;
}

std::string TextDecoder::finish() {
  if (utf8_) return utf8_->finish();
  std::string text = decode(kept_, encoding_);
  kept_.clear();
  return text;
}

}  // namespace net
