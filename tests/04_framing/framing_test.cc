#include "chapters/04_framing/framing.h"

#include <algorithm>
#include <new>
#include <stdexcept>

#include "common/testing/graded.h"
#include "common/testing/peer.h"
#include "tests/04_framing/support.h"
#include "tests/04_framing/work.h"

using namespace graded;
using namespace std::string_literals;
using net::FrameDecoder;
using net::LineDecoder;

namespace {

// A frame of the test's own: encode_frame() may not be written yet.
std::string frame(const std::string& payload) {
  std::string bytes;
  for (int shift : {24, 16, 8, 0})
    bytes += static_cast<char>(payload.size() >> shift & 0xff);
  return bytes + payload;
}

template <typename Decoder>
void feed(Decoder& decoder, const std::string& bytes) {
  step("stream", "has " + in_quotes(bytes));
  decoder.feed(bytes);
}

template <typename Decoder>
std::string status_of(const Decoder& decoder) {
  std::string status = name_of(decoder.status());
  step("you", "status() = " + status);
  return status;
}

template <typename Decoder>
std::string finish(Decoder& decoder) {
  step("stream", "ends");
  std::string status = name_of(decoder.finish());
  step("you", "finish() = " + status);
  return status;
}

// The status, and a message that should not be there, if there is one.
template <typename Decoder>
std::string and_next(const std::string& status, Decoder& decoder) {
  auto message = decoder.next();
  return message ? status + ", and next() = " + in_quotes(*message) : status;
}

// What becomes of a stream that begins with these pieces.
template <typename Decoder>
std::string status_after(const Chunks& chunks, std::size_t limit) {
  Decoder decoder(limit);
  for (const std::string& chunk : chunks) feed(decoder, chunk);
  std::string status = status_of(decoder);
  return status == "kTooLong" ? and_next(status, decoder) : status;
}

// What becomes of a stream that is `bytes`, and what is handed out at the end.
template <typename Decoder>
std::string at_the_end_of(const std::string& bytes) {
  Decoder decoder;
  feed(decoder, bytes);
  while (decoder.next()) {
  }
  return and_next(finish(decoder), decoder);
}

// What finish() makes of the error after these bytes. (That it is one is the
// matter of another rule.)
template <typename Decoder>
std::string end_after_error(const std::string& bytes) {
  Decoder decoder(8);
  feed(decoder, bytes);
  return status_of(decoder) == "kTooLong" ? finish(decoder) : "kTooLong";
}

// Feeds the second and the third piece while messages wait, and destroys the
// decoder while the last message is worked on.
template <typename Decoder>
void take_in_turns(const Chunks& pieces, Trace& trace) {
  auto decoder = std::make_unique<Decoder>();
  feed(*decoder, pieces[0]);
  while (auto message = decoder->next()) {
    step("you", "next() = " + in_quotes(*message));
    if (*message == "1") feed(*decoder, pieces[1]);
    if (*message == "2") feed(*decoder, pieces[2]);
    if (*message == "4") decoder.reset();
    trace.add(*message);
    if (!decoder) return;
  }
}

// What is handed out after each piece, and the status at last.
template <typename Decoder>
void take_with_status(const Chunks& pieces, Trace& trace) {
  Decoder decoder(8);
  for (const std::string& piece : pieces) {
    feed(decoder, piece);
    while (auto message = decoder.next()) {
      step("you", "next() = " + in_quotes(*message));
      trace.add(*message);
    }
  }
  trace.add("status() = ", status_of(decoder));
}

// How often each byte was copied, moved or searched, while `bytes` were fed in
// pieces of `piece` and their `messages` were taken.
template <typename Decoder>
std::string times_touched(const std::string& bytes, std::size_t piece,
                          int messages) {
  Decoder decoder(bytes.size());
  std::string_view rest = bytes;
  Work work;
  while (!rest.empty()) {
    decoder.feed(rest.substr(0, piece));
    for (; decoder.next(); --messages) {
    }
    rest.remove_prefix(std::min(piece, rest.size()));
    // Enough is known: do not go on for minutes.
    if (!rest.empty() && work.touched() > 1000 * bytes.size())
      return "more than 1000 times";
  }
  if (messages != 0) return "not every message came out";
  std::size_t times = work.touched() / bytes.size();
  return times <= 16 ? "at most 16 times" : std::to_string(times) + " times";
}

}  // namespace

TEST(Lines, ComeOutWholeHoweverTheStreamIsCut) {
  RULE("LINE-1");
  std::string stream = "GET /\n\nanother line\nx\nnot yet";

  EXPECT_TRUE(
      hands_out<LineDecoder>(stream, {"GET /", "", "another line", "x"}))
      << "A line ends at LF, whatever the pieces are in which the stream "
         "comes. An empty line is a line; the last one has not ended yet.";
}

TEST(Lines, EndWithCrLfToo) {
  RULE("LINE-2");
  std::string stream = "a\r\nb\nc\rd\r\ne\r\r\n";

  EXPECT_TRUE(hands_out<LineDecoder>(stream, {"a", "b", "c\rd", "e\r"}))
      << "One CR before the LF belongs to the end, even if the LF comes "
         "later. Any other CR belongs to the line.";
}

TEST(Lines, LongerThanTheLimitAreRefused) {
  RULE("LINE-3");

  EXPECT_TRUE(hands_out<LineDecoder>("12345678\nabcdefgh\n",
                                     {"12345678", "abcdefgh"}, 8))
      << "The limit is 8 bytes, and so long these lines are.";
  EXPECT_IS(status_after<LineDecoder>({"12345678\r\n"}, 8), "kFine")
      << "The limit is 8 bytes. The end of a line does not count.";
  EXPECT_IS(status_after<LineDecoder>({"12345678\r"}, 8), "kFine")
      << "The limit is 8 bytes. The CR may be half of the line's end.";
  EXPECT_IS(status_after<LineDecoder>({"12345678\r", "9"}, 8), "kTooLong")
      << "The limit is 8 bytes. No LF has followed the CR, so it counts.";
  EXPECT_IS(status_after<LineDecoder>({"123456789"}, 8), "kTooLong")
      << "The limit is 8 bytes. Do not wait for a LF that may never come: "
         "the peer could fill your memory.";
  EXPECT_IS(status_after<LineDecoder>({"1234", "5678", "9"}, 8), "kTooLong")
      << "The limit is 8 bytes, for all pieces together.";
  EXPECT_IS(status_after<LineDecoder>({"123456789\n"}, 8), "kTooLong")
      << "The limit is 8 bytes. The LF came with the line, and the line is too "
         "long all the same.";
  EXPECT_IS(status_after<LineDecoder>({"123456789\r\n"}, 8), "kTooLong")
      << "The limit is 8 bytes. Without its CR LF the line has 9.";
}

TEST(Lines, WithoutTheirEndAreCutOff) {
  RULE("LINE-4");

  EXPECT_IS(at_the_end_of<LineDecoder>("a\nb"), "kCutOff")
      << "Half a line is no line: nobody knows what is missing.";
  EXPECT_IS(at_the_end_of<LineDecoder>("a\nb\r"), "kCutOff")
      << "A CR alone does not end a line.";
  EXPECT_IS(at_the_end_of<LineDecoder>("a\nb\r\n"), "kFine")
      << "The stream ends after a line.";
  EXPECT_IS(at_the_end_of<LineDecoder>(""), "kFine")
      << "A stream without a line is complete, too.";
  EXPECT_IS(end_after_error<LineDecoder>("123456789"), "kTooLong")
      << "The limit is 8 bytes. finish() keeps an error that was there before.";
}

TEST(Frames, BeginWithTheirSizeInNetworkOrder) {
  RULE("FRAME-1");
  std::string longer = random_bytes(70000);
  std::string any = random_bytes(random_number(256, 65535));
  char high = static_cast<char>(any.size() >> 8);
  char low = static_cast<char>(any.size());

  EXPECT_IS(net::encode_frame("hello"), "\0\0\0\5hello"s)
      << "The size comes in 4 bytes, the most significant first.";
  EXPECT_IS(net::encode_frame(""), "\0\0\0\0"s)
      << "An empty payload has a size, too.";
  EXPECT_IS(net::encode_frame(longer), "\0\1\x11\x70"s + longer)
      << "70,000 is 0x11170.";
  EXPECT_IS(net::encode_frame(any), "\0\0"s + high + low + any)
      << "The payload has " << any.size() << " bytes.";
}

TEST(Frames, CannotHoldWhatTheHeaderCannotCount) {
  RULE("FRAME-2");
  std::string outcome = "no exception";
  std::size_t size = std::size_t{1} << 32;

  step("test", "calls encode_frame() with 4,294,967,296 bytes");
  try {
    // There is but one byte. Whoever reads the others is wrong already.
    net::encode_frame({"x", size});
  } catch (const std::length_error&) {
    outcome = "std::length_error";
  } catch (const std::bad_alloc&) {
    outcome = "std::bad_alloc: it tried to make the frame";
  }

  EXPECT_IS(outcome, "std::length_error")
      << "The size does not fit into 4 bytes: its low 32 bits are 0. The peer "
         "would take the payload for frames.";
}

TEST(Frames, ComeOutWholeHoweverTheStreamIsCut) {
  RULE("FRAME-3");
  // Sizes whose lowest byte is negative as a char, and that need two bytes.
  std::string text = "a\nb\r\n\0\xff"s, larger = random_bytes(200),
              largest = random_bytes(300),
              any = random_bytes(random_number(256, 4000));

  EXPECT_TRUE(hands_out<FrameDecoder>(
      frame("hello") + frame("x") + "\0\0\0\5hell"s, {"hello", "x"}))
      << "A frame is its 4 bytes of size, and as many bytes as they say. The "
         "last one is not complete yet.";
  EXPECT_TRUE(hands_out<FrameDecoder>(frame(text), {text}))
      << "A payload can have bytes of any value.";
  EXPECT_TRUE(hands_out<FrameDecoder>(frame(larger) + frame(largest),
                                      {larger, largest}))
      << "The headers are 00 00 00 c8, 200 bytes, and 00 00 01 2c, 300 bytes. "
         "If a frame never comes: is your c8 a negative char?";
  EXPECT_TRUE(hands_out<FrameDecoder>(frame(any), {any}))
      << "This payload has " << any.size() << " bytes.";
}

TEST(Frames, CanBeEmpty) {
  RULE("FRAME-4");
  Trace trace;

  decode<FrameDecoder>({frame("a") + frame("") + frame("b"), frame("")}, 8,
                       trace, Log::kSteps);

  EXPECT_TRUE(trace.is({"\"a\"", "\"\"", "\"b\"", "\"\""}))
      << "A frame of size 0 is a message. It is complete with its header, and "
         "must not wait for another byte.";
}

TEST(Frames, LongerThanTheLimitAreRefusedAtTheirHeader) {
  RULE("FRAME-5");

  EXPECT_IS(status_after<FrameDecoder>({frame("12345678")}, 8), "kFine")
      << "The limit is 8 bytes, and so long is this payload.";
  EXPECT_IS(status_after<FrameDecoder>({"\0\0\0\x09"s}, 8), "kTooLong")
      << "The header announces 9 bytes, and 8 is the limit.";
  Work work;
  EXPECT_IS(status_after<FrameDecoder>({"\x3f\xff\xff\xff"s}, 8), "kTooLong")
      << "The header announces 1 GiB, and 8 bytes is the limit.";
  std::size_t bytes = work.allocated();
  std::string room = bytes < 1 << 20 ? "little" : std::to_string(bytes);
  EXPECT_IS(room, "little")
      << "So many bytes of memory were taken for those four bytes of a peer's. "
         "The payload is refused: make no room for it.";
  EXPECT_IS(status_after<FrameDecoder>({"\x80\0\0\0"s}, 8), "kTooLong")
      << "0x80000000 is 2,147,483,648. Only as an int is it below zero.";
}

TEST(Frames, CutAnywhereAreCutOff) {
  RULE("FRAME-6");

  EXPECT_IS(at_the_end_of<FrameDecoder>(frame("a") + "\0\0"s), "kCutOff")
      << "The stream ends inside a header.";
  EXPECT_IS(at_the_end_of<FrameDecoder>(frame("a") + "\0\0\0\5"s), "kCutOff")
      << "5 bytes were announced, none came.";
  EXPECT_IS(at_the_end_of<FrameDecoder>(frame("a") + "\0\0\0\5hell"s),
            "kCutOff")
      << "5 bytes were announced, 4 came.";
  EXPECT_IS(at_the_end_of<FrameDecoder>(frame("a") + frame("b")), "kFine")
      << "The stream ends after a frame.";
  EXPECT_IS(at_the_end_of<FrameDecoder>(""), "kFine")
      << "A stream without a frame is complete, too.";
  EXPECT_IS(end_after_error<FrameDecoder>("\0\0\0\x09"s), "kTooLong")
      << "The limit is 8 bytes. finish() keeps an error that was there before.";
}

TEST(Messages, CanBeTakenAndFedInTurns) {
  RULE("NEXT-1");
  Trace lines, frames;

  take_in_turns<LineDecoder>({"1\n2\n", "3\n4", "\n"}, lines);
  EXPECT_TRUE(lines.is({"1", "2", "3", "4"}))
      << "The lines are 1, 2, 3 and 4. The 3 was fed while the 2 waited.";

  take_in_turns<FrameDecoder>(
      {frame("1") + frame("2"), frame("3") + "\0\0\0\1"s, "4"}, frames);
  EXPECT_TRUE(frames.is({"1", "2", "3", "4"}))
      << "The payloads are 1, 2, 3 and 4. The 3 was fed while the 2 waited.";
}

TEST(Messages, StopForGoodAtTheFirstError) {
  RULE("BAD-1");
  Trace lines, frames;

  take_with_status<LineDecoder>({"good\n123456789", "\nlater\n"}, lines);
  EXPECT_TRUE(lines.is({"good", "status() = kTooLong"}))
      << "The limit is 8 bytes. What was complete before the error is still "
         "good; after it nobody knows where a line begins.";

  take_with_status<FrameDecoder>(
      {frame("good") + "\0\0\0\x09"s, frame("later")}, frames);
  EXPECT_TRUE(frames.is({"good", "status() = kTooLong"}))
      << "The limit is 8 bytes. What was complete before the error is still "
         "good; after it nobody knows where a frame begins.";
}

TEST(Messages, CostTheSameForEachByte) {
  RULE("COST-1");
  std::string long_line(1 << 19, 'x'), short_lines, short_frames;
  for (int i = 0; i < 1 << 15; ++i) short_lines += "x\n";
  for (int i = 0; i < 1 << 14; ++i) short_frames += frame("x");

  step("stream", "has 32,768 lines in one piece");
  ASSERT_IS(
      times_touched<LineDecoder>(short_lines, short_lines.size(), 1 << 15),
      "at most 16 times")
      << "How often each byte was copied, moved or searched. Does taking one "
         "line touch those that wait behind it?";
  step("stream", "has 16,384 frames in one piece");
  ASSERT_IS(
      times_touched<FrameDecoder>(short_frames, short_frames.size(), 1 << 14),
      "at most 16 times")
      << "How often each byte was copied, moved or searched. Does taking one "
         "frame touch those that wait behind it?";
  const char* hint = "no end? A loop looks at all that is kept, for each byte";
  step("stream", "has one line of 524,288 bytes, in pieces of one byte");
  step("test", hint);
  ASSERT_IS(times_touched<LineDecoder>(long_line + "\n", 1, 1),
            "at most 16 times")
      << "How often each byte was copied, moved or searched. Does one more "
         "byte touch those that are kept already?";
  step("stream", "has one frame of 524,288 bytes, in pieces of one byte");
  step("test", hint);
  ASSERT_IS(times_touched<FrameDecoder>(frame(long_line), 1, 1),
            "at most 16 times")
      << "How often each byte was copied, moved or searched. Does one more "
         "byte touch those that are kept already?";
}
