// Chapter 04 from outside: streams of random messages, cut at random, and what
// has to come out of them. Each test has the name of the one that it confirms.
#include <algorithm>

#include "common/testing/graded.h"
#include "common/testing/peer.h"
#include "common/testing/subject.h"

using namespace graded;

namespace {

const std::string kFine = "kFine", kTooLong = "kTooLong", kCutOff = "kCutOff";

// 3 to 9 messages of `least` to `most` letters.
Words random_messages(std::size_t least, std::size_t most) {
  Words messages(random_number(3, 9));
  for (std::string& message : messages)
    message = random_text(random_number(least, most));
  return messages;
}

// With a size in front, most significant byte first.
std::string frame(const std::string& payload) {
  std::string bytes;
  for (int shift : {24, 16, 8, 0})
    bytes += static_cast<char>(payload.size() >> shift & 0xff);
  return bytes + payload;
}

std::string framed(const Words& messages) {
  std::string stream;
  for (const std::string& message : messages) stream += frame(message);
  return stream;
}

std::string with_ends(const Words& messages, const std::string& end) {
  std::string stream;
  for (const std::string& message : messages) stream += message + end;
  return stream;
}

// `first`, then the stream in pieces of up to `most` bytes.
Words cut(Words first, std::string_view stream, std::size_t most) {
  while (!stream.empty()) {
    std::size_t n = std::min(stream.size(), random_number(1, most));
    first.emplace_back(stream.substr(0, n));
    stream.remove_prefix(n);
  }
  return first;
}

Words followed_by(Words messages, const std::string& status,
                  const std::string& end) {
  messages.push_back(status);
  messages.push_back(end);
  return messages;
}

constexpr char kWhy[] = "This is what the stream held, and how it ended.";

std::string encoded(char32_t c) {
  auto byte = [](char32_t bits) { return static_cast<char>(bits); };
  auto rest = [&](int shift) { return byte(0x80 | (c >> shift & 0x3f)); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xc0 | c >> 6), rest(0)};
  if (c < 0x10000) return {byte(0xe0 | c >> 12), rest(6), rest(0)};
  return {byte(0xf0 | c >> 18), rest(12), rest(6), rest(0)};
}

// A character of one to four bytes.
std::string random_character() {
  constexpr char32_t kLeast[] = {0x20, 0x80, 0x800, 0x10000};
  constexpr char32_t kMost[] = {0x7e, 0x7ff, 0xd7ff, 0x10ffff};
  std::size_t size = random_number(0, 3);
  return encoded(
      static_cast<char32_t>(random_number(kLeast[size], kMost[size])));
}

const std::string kReplacement = "\xef\xbf\xbd";

}  // namespace

TEST(Lines, ComeOutWholeHoweverTheStreamIsCut) {
  RULE("LINE-1");
  Subject subject;
  Words lines = random_messages(0, 60);

  Words taken = subject.ask(cut({"lines", "1000"}, with_ends(lines, "\n"), 9));

  EXPECT_IS(taken, followed_by(lines, kFine, kFine)) << kWhy;
}

TEST(Lines, EndWithCrLfToo) {
  RULE("LINE-2");
  Subject subject;
  Words lines = random_messages(1, 20);
  lines[1] += "\r";          // of CR CR LF one CR is the line's
  lines[2].insert(1, "\r");  // alone it ends nothing

  Words taken =
      subject.ask(cut({"lines", "1000"}, with_ends(lines, "\r\n"), 3));

  EXPECT_IS(taken, followed_by(lines, kFine, kFine)) << kWhy;
}

TEST(Lines, LongerThanTheLimitAreRefused) {
  RULE("LINE-3");
  Subject subject;
  std::size_t limit = random_number(10, 90);
  Words lines = random_messages(0, limit);
  lines.push_back(random_text(limit));
  std::string stream = with_ends(lines, "\r\n") + random_text(limit + 2);

  Words taken = subject.ask(cut({"lines", std::to_string(limit)}, stream, 30));

  EXPECT_IS(taken, followed_by(lines, kTooLong, kTooLong))
      << "The limit is " << limit << ", and only the last line is longer.";
}

TEST(Lines, WithoutTheirEndAreCutOff) {
  RULE("LINE-4");
  Subject subject;
  Words lines = random_messages(1, 20);
  std::string stream = with_ends(lines, "\n") + random_text(5);

  Words taken = subject.ask(cut({"lines", "1000"}, stream, 30));

  EXPECT_IS(taken, followed_by(lines, kFine, kCutOff)) << kWhy;
}

TEST(Frames, BeginWithTheirSizeInNetworkOrder) {
  RULE("FRAME-1");
  Subject subject;

  for (std::size_t n : {random_number(0, 255), random_number(256, 65535),
                        random_number(65536, 90000)}) {
    std::string payload = random_text(n);
    EXPECT_IS(subject.ask({"encode_frame", payload}), Words{frame(payload)})
        << "The payload has " << n << " bytes.";
  }
}

TEST(Frames, ComeOutWholeHoweverTheStreamIsCut) {
  RULE("FRAME-3");
  Subject subject;
  Words payloads = random_messages(1, 300);
  payloads.push_back(std::string("a\nb\0c", 5) + random_bytes(200));

  Words taken = subject.ask(cut({"frames", "1000"}, framed(payloads), 9));

  EXPECT_IS(taken, followed_by(payloads, kFine, kFine)) << kWhy;
}

TEST(Frames, CanBeEmpty) {
  RULE("FRAME-4");
  Subject subject;
  Words payloads = random_messages(0, 1);
  payloads.resize(payloads.size() + random_number(1, 5));

  Words taken = subject.ask(cut({"frames", "1000"}, framed(payloads), 7));

  EXPECT_IS(taken, followed_by(payloads, kFine, kFine)) << kWhy;
}

TEST(Frames, LongerThanTheLimitAreRefusedAtTheirHeader) {
  RULE("FRAME-5");
  Subject subject;
  std::size_t limit = random_number(10, 90);
  Words payloads = random_messages(0, limit);
  payloads.push_back(random_text(limit));
  // Of the longer one there is the header and nothing else.
  std::string stream =
      framed(payloads) + frame(random_text(limit + 1)).substr(0, 4);

  Words taken = subject.ask(cut({"frames", std::to_string(limit)}, stream, 30));

  EXPECT_IS(taken, followed_by(payloads, kTooLong, kTooLong))
      << "The limit is " << limit << ", and only the last one is longer.";
}

TEST(Frames, CutAnywhereAreCutOff) {
  RULE("FRAME-6");
  Subject subject;
  Words payloads = random_messages(1, 30);
  std::string last = frame(random_text(30));

  for (std::size_t n : {random_number(1, 3), random_number(4, 33)}) {
    std::string stream = framed(payloads) + last.substr(0, n);
    EXPECT_IS(subject.ask(cut({"frames", "1000"}, stream, 30)),
              followed_by(payloads, kFine, kCutOff))
        << "Of the last frame came " << n << " bytes.";
  }
}

TEST(Messages, CanBeTakenAndFedInTurns) {
  RULE("NEXT-1");
  Subject subject;
  Words messages = random_messages(1, 20);

  Words lines =
      subject.ask(cut({"lines in turns"}, with_ends(messages, "\n"), 50));
  Words frames = subject.ask(cut({"frames in turns"}, framed(messages), 50));

  EXPECT_IS(lines, messages) << "Those that wait stay in their order.";
  EXPECT_IS(frames, messages) << "Those that wait stay in their order.";
}

TEST(Messages, StopForGoodAtTheFirstError) {
  RULE("BAD-1");
  Subject subject;
  Words before = random_messages(1, 10), after = random_messages(1, 10);
  std::string longer = random_text(random_number(11, 50));

  Words lines = subject.ask(cut(
      {"lines", "10"},
      with_ends(before, "\n") + longer + "\n" + with_ends(after, "\n"), 20));
  Words frames = subject.ask(cut(
      {"frames", "10"}, framed(before) + frame(longer) + framed(after), 20));

  EXPECT_IS(lines, followed_by(before, kTooLong, kTooLong))
      << "After a line that is too long nothing more comes out.";
  EXPECT_IS(frames, followed_by(before, kTooLong, kTooLong))
      << "After a frame that is too long nothing more comes out.";
}

TEST(Utf8, CharactersAreHandedOutWhole) {
  RULE("ENC-1");
  Subject subject;
  Words order{"utf8"}, expected;
  for (std::size_t n = random_number(10, 40); n > 0; --n) {
    // A character in as many pieces as it has bytes: the last has it whole.
    std::string character = random_character();
    for (char byte : character) {
      order.push_back(std::string(1, byte));
      expected.push_back("");
    }
    expected.back() = character;
  }
  expected.push_back("");

  EXPECT_IS(subject.ask(order), expected)
      << "A character is in the text of its last byte.";
}

TEST(Utf8, CharactersThatStayIncompleteAreReplaced) {
  RULE("ENC-2");
  Subject subject;
  std::string before = random_text(10);
  std::string whole =
      encoded(static_cast<char32_t>(random_number(0x10000, 0x10ffff)));

  Words texts =
      subject.ask({"utf8", before + whole.substr(0, random_number(1, 3))});

  EXPECT_IS(texts, (Words{before, kReplacement}))
      << "The stream ends inside a character.";
}

TEST(Utf8, BytesThatAreNoCharacterAreReplaced) {
  RULE("ENC-3");
  Subject subject;
  std::string stream, expected;
  for (std::size_t n = random_number(10, 40); n > 0; --n) {
    bool bad = random_number(0, 2) == 0;
    // Neither begins a character.
    std::string next =
        bad ? std::string(1, n % 2 ? '\xff' : '\x80') : random_text(1);
    stream += next;
    expected += bad ? kReplacement : next;
  }
  Words order = cut({"utf8"}, stream, 5);

  std::string text;
  for (const std::string& part : subject.ask(order)) text += part;

  EXPECT_IS(text, expected) << "Each of these bytes stands alone.";
}
