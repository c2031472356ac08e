// The expected values are what Node's Buffer and StringDecoder give.
#include "common/encoding.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace {

using net::Encoding;

// However the bytes are cut in two, the text is the same.
void expect_text(Encoding encoding, std::string_view bytes,
                 const std::string& text) {
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    net::TextDecoder decoder(encoding);
    std::string got = decoder.feed(bytes.substr(0, cut));
    got += decoder.feed(bytes.substr(cut));
    got += decoder.finish();
    EXPECT_EQ(got, text) << "cut after " << cut << " bytes";
  }
}

}  // namespace

TEST(Encode, HexEndsWhereItIsNoHex) {
  EXPECT_EQ(net::encode("6869zz41", Encoding::kHex), "hi");
  EXPECT_EQ(net::encode("Ff0", Encoding::kHex), "\xff");
}

TEST(Encode, Base64TakesBothAlphabets) {
  EXPECT_EQ(net::encode("aGk/+w==", Encoding::kBase64), "hi?\xfb");
  EXPECT_EQ(net::encode("aGk_-w", Encoding::kBase64), "hi?\xfb");
  EXPECT_EQ(net::encode("aG kh\nIQ==xx", Encoding::kBase64), "hi!!");
}

TEST(Encode, Latin1KeepsTheLast8Bits) {
  EXPECT_EQ(net::encode("\xc3\xa9\xe2\x82\xac", Encoding::kLatin1), "\xe9\xac");
  EXPECT_EQ(net::encode("\xc3\xa9\xe2\x82\xac", Encoding::kAscii), "\xe9\xac");
}

TEST(Encode, Utf16HasPairs) {
  EXPECT_EQ(net::encode("a\xf0\x9f\x98\x80", Encoding::kUtf16le),
            std::string("a\0\x3d\xd8\x00\xde", 6));
}

TEST(TextDecoder, HexIsReadyAtOnce) {
  expect_text(Encoding::kHex, "\x01\xff", "01ff");
}

TEST(TextDecoder, Base64WaitsForGroupsOfThree) {
  expect_text(Encoding::kBase64, "abcd", "YWJjZA==");
  net::TextDecoder decoder(Encoding::kBase64);
  EXPECT_EQ(decoder.feed("abcd"), "YWJj");
}

TEST(TextDecoder, Latin1AndAscii) {
  expect_text(Encoding::kLatin1, "\xe9", "\xc3\xa9");
  expect_text(Encoding::kAscii, "\xe9", "i");
}

TEST(TextDecoder, Utf16WaitsForBothHalves) {
  expect_text(Encoding::kUtf16le, std::string_view("\x3d\xd8\x00\xde\x61\0", 6),
              "\xf0\x9f\x98\x80"
              "a");
}

TEST(TextDecoder, Utf8WaitsForWholeCharacters) {
  expect_text(Encoding::kUtf8, "\xe2\x82\xac", "\xe2\x82\xac");
  expect_text(Encoding::kUtf8, "a\xe2\x82", "a\xef\xbf\xbd");
}
