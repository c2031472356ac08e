// Text out of a stream of UTF-8 bytes, whose characters may be cut anywhere.
//
//   net::Utf8Decoder text;
//   while ((n = net::receive_some(fd, buffer, sizeof buffer)) > 0)
//     std::cout << text.feed({buffer, static_cast<std::size_t>(n)});
//   std::cout << text.finish();
//
// What comes out is always valid UTF-8, and it is the same text wherever the
// stream was cut: the text that Node's StringDecoder makes of these bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace net {

// U+FFFD, which stands for bytes that are no character.
inline constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// Keeps at most the three bytes of a character that is not complete.
class Utf8Decoder {
 public:
  Utf8Decoder();
  Utf8Decoder(Utf8Decoder&&) noexcept;
  Utf8Decoder& operator=(Utf8Decoder&&) noexcept;
  ~Utf8Decoder();

  // The text of these bytes, after those that were kept. A character whose
  // bytes come in several pieces is in the text of the last one, whole; the
  // text may be empty (ENC-1). A sequence that breaks off or can be no
  // character is one U+FFFD (ENC-3).
  std::string feed(std::string_view bytes);

  // No more bytes will come. U+FFFD for an incomplete character, else nothing
  // (ENC-2). After that the decoder is as new.
  std::string finish();

 private:
  struct State;  // yours to design: see utf8.cc
  std::unique_ptr<State> state_;
};

}  // namespace net
