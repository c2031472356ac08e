// What a driver can ask of chapter 04's code.
#include "chapters/04_framing/framing.h"
#include "chapters/04_framing/utf8.h"
#include "common/testing/commands.h"

using namespace graded;

namespace {

std::string name_of(net::Framing status) {
  return status == net::Framing::kFine      ? "kFine"
         : status == net::Framing::kTooLong ? "kTooLong"
                                            : "kCutOff";
}

// KIND LIMIT PIECE... -> the messages after each piece, status(), and what
// finish() says
template <typename Decoder>
Words take(const Order& order) {
  Decoder decoder(static_cast<std::size_t>(order.number(1)));
  Words taken;
  for (std::size_t i = 2; i < order.words.size(); ++i) {
    decoder.feed(order.word(i));
    while (auto message = decoder.next()) taken.push_back(*message);
  }
  taken.push_back(name_of(decoder.status()));
  taken.push_back(name_of(decoder.finish()));
  return taken;
}

// The same, one message after each piece and the rest at the end.
template <typename Decoder>
Words take_in_turns(const Order& order) {
  Decoder decoder;
  Words taken;
  for (std::size_t i = 1; i < order.words.size(); ++i) {
    decoder.feed(order.word(i));
    if (auto message = decoder.next()) taken.push_back(*message);
  }
  while (auto message = decoder.next()) taken.push_back(*message);
  return taken;
}

// utf8 PIECE... -> the text of each piece, and of the end
Words decode(const Order& order) {
  net::Utf8Decoder decoder;
  Words texts;
  for (std::size_t i = 1; i < order.words.size(); ++i)
    texts.push_back(decoder.feed(order.word(i)));
  texts.push_back(decoder.finish());
  return texts;
}

}  // namespace

int main() {
  return obey({
      {"lines", take<net::LineDecoder>},
      {"frames", take<net::FrameDecoder>},
      {"lines in turns", take_in_turns<net::LineDecoder>},
      {"frames in turns", take_in_turns<net::FrameDecoder>},
      {"encode_frame",
       [](const Order& order) -> Words {
         return {net::encode_frame(order.word(1))};
       }},
      {"utf8", decode},
  });
}
