#include "chapters/04_framing/framing.h"

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

// What becomes of a stream that begins with these pieces.
template <typename Decoder>
std::string status_after(const Chunks& chunks, std::size_t limit) {
  Decoder decoder(limit);
  for (const std::string& chunk : chunks) {
    step("stream", "has " + in_quotes(chunk));
    decoder.feed(chunk);
  }
  std::string status = name_of(decoder.status());
  step("you", "status() = " + status);
  return status;
}

// What becomes of a stream that is `bytes`, and what is handed out at the end.
template <typename Decoder>
std::string at_the_end_of(const std::string& bytes) {
  Decoder decoder;
  step("stream", "has " + in_quotes(bytes) + ", and ends");
  decoder.feed(bytes);
  while (decoder.next()) {
  }
  std::string status = name_of(decoder.finish());
  step("you", "finish() = " + status);
  auto late = decoder.next();
  return late ? status + ", and next() = " + in_quotes(*late) : status;
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
}

TEST(Frames, BeginWithTheirSizeInNetworkOrder) {
  RULE("FRAME-1");
  std::string longer = random_bytes(70000);

  EXPECT_IS(net::encode_frame("hello"), "\0\0\0\5hello"s)
      << "The size comes in 4 bytes, the most significant first.";
  EXPECT_IS(net::encode_frame(""), "\0\0\0\0"s)
      << "An empty payload has a size, too.";
  EXPECT_IS(net::encode_frame(longer), "\0\1\x11\x70"s + longer)
      << "70,000 is 0x11170.";
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
              largest = random_bytes(300);

  EXPECT_TRUE(hands_out<FrameDecoder>(
      frame("hello") + frame("x") + "\0\0\0\5hell"s, {"hello", "x"}))
      << "A frame is its 4 bytes of size, and as many bytes as they say. The "
         "last one is not complete yet.";
  EXPECT_TRUE(hands_out<FrameDecoder>(
      frame(text) + frame(larger) + frame(largest), {text, larger, largest}))
      << "A payload can have bytes of any value, and any size up to the limit.";
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
  EXPECT_IS(work.allocated() < 1 << 20, true)
      << "Room was made for a payload that is refused: four bytes of a peer's "
         "took "
      << work.allocated() << " bytes of your memory.";
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
}

TEST(Messages, CanBeTakenAndFedInTurns) {
  RULE("NEXT-1");
  auto decoder = std::make_unique<LineDecoder>();
  Trace trace;

  decoder->feed("1\n2\n");
  while (auto line = decoder->next()) {
    if (*line == "1") decoder->feed("3\n4");
    if (*line == "2") decoder->feed("\n");
    if (*line == "4") {
      decoder.reset();
      trace.add(*line, ", decoder destroyed");
      break;
    }
    trace.add(*line);
  }

  EXPECT_TRUE(trace.is({"1", "2", "3", "4, decoder destroyed"}))
      << "The stream is \"1\\n2\\n3\\n4\\n\". The 3 was fed while the 2 "
         "waited.";
}

TEST(Messages, StopForGoodAtTheFirstError) {
  RULE("BAD-1");
  LineDecoder lines(8);
  FrameDecoder frames(8);
  Trace trace;

  for (const char* chunk : {"good\n123456789", "\nlater\n"}) {
    step("stream", "has " + in_quotes(chunk));
    lines.feed(chunk);
    while (auto line = lines.next()) trace.add("line ", *line);
  }
  trace.add("lines end with ", name_of(lines.finish()));
  for (const auto& chunk : {frame("good") + "\0\0\0\x09"s, frame("later")}) {
    step("stream", "has " + in_quotes(chunk));
    frames.feed(chunk);
    while (auto payload = frames.next()) trace.add("frame ", *payload);
  }
  trace.add("frames end with ", name_of(frames.finish()));

  EXPECT_TRUE(trace.is({"line good", "lines end with kTooLong", "frame good",
                        "frames end with kTooLong"}))
      << "The limit is 8 bytes. What was complete before the error is still "
         "good; after it nobody knows where a message begins.";
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
  step("stream", "has one line of 524,288 bytes, in pieces of one byte");
  ASSERT_IS(times_touched<LineDecoder>(long_line + "\n", 1, 1),
            "at most 16 times")
      << "How often each byte was copied, moved or searched. Does one more "
         "byte touch those that are kept already?";
  step("stream", "has one frame of 524,288 bytes, in pieces of one byte");
  ASSERT_IS(times_touched<FrameDecoder>(frame(long_line), 1, 1),
            "at most 16 times")
      << "How often each byte was copied, moved or searched. Does one more "
         "byte touch those that are kept already?";
}
