#include "chapters/04_framing/utf8.h"

#include "common/testing/graded.h"
#include "tests/04_framing/support.h"
#include "tests/04_framing/utf8_golden.h"

using namespace graded;

namespace {

std::string hexadecimal(unsigned number) {
  char text[16];
  std::snprintf(text, sizeof text, "%02x", number);
  return text;
}

// "61 20ac fffd": the code points of a text, "-" for none. Bytes of it that are
// no UTF-8 are shown as "byte-e2".
std::string code_points(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    auto lead = static_cast<unsigned char>(text[0]);
    std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    unsigned point = size == 1 ? lead : lead & (0x7f >> size);
    bool good = size <= text.size() && (lead < 0x80 || lead >= 0xc2);
    for (std::size_t i = 1; good && i < size; ++i) {
      good = (text[i] & 0xc0) == 0x80;
      point = point << 6 | (text[i] & 0x3f);
    }
    if (!out.empty()) out += ' ';
    out += good ? hexadecimal(point) : "byte-" + hexadecimal(lead);
    text.remove_prefix(good ? size : 1);
  }
  return out.empty() ? "-" : out;
}

// "e2 82 | ac" as two chunks.
Chunks chunks_of(std::string_view row) {
  Chunks chunks{""};
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == '|') chunks.emplace_back();
    if (row[i] == '|' || row[i] == ' ') continue;
    int byte = std::stoi(std::string(row.substr(i++, 2)), nullptr, 16);
    chunks.back() += static_cast<char>(byte);
  }
  return chunks;
}

// What each chunk gives and, at last, the end: "- | 20ac | -".
std::string in_pieces(const Chunks& chunks) {
  net::Utf8Decoder decoder;
  std::string out;
  for (const std::string& chunk : chunks)
    out += code_points(decoder.feed(chunk)) + " | ";
  return out + code_points(decoder.finish());
}

// What all of them give, without the end.
std::string together(const Chunks& chunks) {
  net::Utf8Decoder decoder;
  std::string text;
  for (const std::string& chunk : chunks) text += decoder.feed(chunk);
  return code_points(text);
}

// The first place where the stream leaves the README's table in a way that is
// easily overlooked, as a sentence.
std::string off_the_table(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto first = static_cast<unsigned char>(bytes[i]);
    auto second =
        i + 1 < bytes.size() ? static_cast<unsigned char>(bytes[i + 1]) : 0;
    bool continues = second >= 0x80 && second <= 0xbf;
    if (first == 0xc0 || first == 0xc1 || first > 0xf4)
      return hexadecimal(first) + " begins nothing. ";
    if (first == 0xe0 && continues && second < 0xa0)
      return "After e0 only a0 to bf fit. ";
    if (first == 0xed && continues && second > 0x9f)
      return "After ed only 80 to 9f fit. ";
    if (first == 0xf0 && continues && second < 0x90)
      return "After f0 only 90 to bf fit. ";
    if (first == 0xf4 && continues && second > 0x8f)
      return "After f4 only 80 to 8f fit. ";
  }
  return "";
}

std::string shown(const Chunks& chunks) {
  std::string out;
  for (const std::string& chunk : chunks) {
    out += out.empty() ? "" : " |";
    for (unsigned char byte : chunk)
      out += (out.empty() ? "" : " ") + hexadecimal(byte);
  }
  return out;
}

}  // namespace

TEST(Utf8, CharactersAreHandedOutWhole) {
  RULE("ENC-1");

  for (const Utf8Row& row : kValid)
    ASSERT_IS(in_pieces(chunks_of(row.bytes)), row.text)
        << "The stream is " << row.bytes << ", a bar is a cut. You see the "
        << "code points of each piece, then those of finish(); - is nothing. "
        << "A character is in the text of the piece that completes it.";
}

TEST(Utf8, CharactersThatStayIncompleteAreReplaced) {
  RULE("ENC-2");

  for (const Utf8Row& row : kCutOff)
    ASSERT_IS(in_pieces(chunks_of(row.bytes)), row.text)
        << "The stream is " << row.bytes << ", a bar is a cut. You see the "
        << "code points of each piece, then those of finish(); - is nothing. "
        << "What is left of a character is one U+FFFD, and comes at the end.";

  net::Utf8Decoder decoder;
  decoder.feed("\xe2\x82");
  decoder.finish();
  EXPECT_IS(code_points(decoder.feed("\xac")), "fffd")
      << "After e2 82 came the end. Then the decoder is as new, and ac alone "
         "begins no character.";
}

TEST(Utf8, BytesThatAreNoCharacterAreReplaced) {
  RULE("ENC-3");

  for (const Utf8Row& row : kBroken)
    for (const Chunks& chunks : every_cut(chunks_of(row.bytes)[0]))
      ASSERT_IS(together(chunks), row.text)
          << "The stream is " << shown(chunks)
          << (chunks.size() > 1 ? ", a bar is a cut. " : ". ")
          << off_the_table(chunks_of(row.bytes)[0])
          << "You see the code points of the whole text.";
}
