// Messages out of a stream: lines, or frames that begin with their length.
//
//   net::LineDecoder lines;
//   while ((n = net::receive_some(fd, buffer, sizeof buffer)) > 0) {
//     lines.feed({buffer, static_cast<std::size_t>(n)});
//     while (auto line = lines.next()) answer(*line);
//   }
//   if (lines.finish() != net::Framing::kFine) complain();
//
// A decoder knows no socket: feed it what you received, however it was cut.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace net {

// What became of the stream. The first that goes wrong stays (BAD-1).
enum class Framing {
  kFine,
  kTooLong,  // the peer began a message that is longer than the limit
  kCutOff,   // the stream ended inside a message
};

inline constexpr std::size_t kMaxMessage = 64 * 1024;  // bytes

// Lines that end with LF or CRLF (LINE-1, LINE-2). The end is not handed out,
// nor counted: a line has at most `limit` bytes without it (LINE-3).
class LineDecoder {
 public:
  explicit LineDecoder(std::size_t limit = kMaxMessage);
  LineDecoder(LineDecoder&&) noexcept;
  LineDecoder& operator=(LineDecoder&&) noexcept;
  ~LineDecoder();
  void feed(std::string_view bytes);  // what came next; it is copied

  // The oldest complete line that was not taken yet, if there is one. It is
  // yours: feed or destroy the decoder while you work on it (NEXT-1).
  std::optional<std::string> next();

  // No more bytes will come; do not feed after it. A line that lacks its end is
  // kCutOff, and is not handed out (LINE-4). Returns status().
  Framing finish();

  // Up to date after each feed(). Once it is not kFine, what is fed is ignored;
  // lines that were complete before can still be taken (BAD-1).
  Framing status() const;

 private:
  struct State;  // yours to design: see framing.cc
  std::unique_ptr<State> state_;
};

// A frame: the payload's size in 4 bytes, most significant first, then the
// payload (FRAME-1). If 4 bytes are too few: std::length_error (FRAME-2).
std::string encode_frame(std::string_view payload);

// The payloads of such frames (FRAME-3, FRAME-4); one longer than `limit` is
// refused at its header (FRAME-5), an end inside a frame is kCutOff (FRAME-6).
// Otherwise its members promise what those of LineDecoder do.
class FrameDecoder {
 public:
  explicit FrameDecoder(std::size_t limit = kMaxMessage);
  FrameDecoder(FrameDecoder&&) noexcept;
  FrameDecoder& operator=(FrameDecoder&&) noexcept;
  ~FrameDecoder();
  void feed(std::string_view bytes);
  std::optional<std::string> next();
  Framing finish();
  Framing status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace net
