// Streams in pieces, and what a decoder makes of them.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/04_framing/framing.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"

using Chunks = std::vector<std::string>;

// Of the simplest first: in one, in two at every place, byte by byte, and in
// pieces of 1 to 8 bytes at random.
inline std::vector<Chunks> every_cut(const std::string& bytes) {
  std::vector<Chunks> all{{bytes}};
  for (std::size_t i = 1; i < bytes.size(); ++i)
    all.push_back({bytes.substr(0, i), bytes.substr(i)});
  auto pieces = [&](auto size) {
    Chunks chunks;
    for (std::size_t at = 0; at < bytes.size(); at += chunks.back().size())
      chunks.push_back(bytes.substr(at, size()));
    return chunks;
  };
  all.push_back(pieces([] { return std::size_t{1}; }));
  std::string random = graded::random_bytes(20 * bytes.size());
  auto next = random.begin();
  for (int i = 0; i < 20; ++i)
    all.push_back(pieces([&] { return std::size_t{1} + (*next++ & 7); }));
  return all;
}

enum class Log { kNothing, kSteps };

// Feeds the chunks, and takes what there is after each of them.
template <typename Decoder>
void decode(const Chunks& chunks, std::size_t limit, graded::Trace& trace,
            Log log) {
  Decoder decoder(limit);
  for (const std::string& chunk : chunks) {
    if (log == Log::kSteps)
      graded::step("stream", "has " + graded::in_quotes(chunk));
    decoder.feed(chunk);
    while (std::optional<std::string> message = decoder.next()) {
      std::string shown = graded::in_quotes(*message);
      if (log == Log::kSteps) graded::step("you", "next() = " + shown);
      trace.add(shown);
    }
  }
}

// The messages of `bytes` are these, however the stream is cut. The time line
// shows the stream in one piece, and then the first cut that goes wrong.
template <typename Decoder>
::testing::AssertionResult hands_out(const std::string& bytes,
                                     std::vector<std::string> messages,
                                     std::size_t limit = net::kMaxMessage) {
  for (std::string& message : messages) message = graded::in_quotes(message);
  graded::Trace whole;
  decode<Decoder>({bytes}, limit, whole, Log::kSteps);
  if (whole.events() != messages) return whole.is(messages);
  for (const Chunks& chunks : every_cut(bytes)) {
    graded::Trace trace;
    try {
      decode<Decoder>(chunks, limit, trace, Log::kNothing);
      if (trace.events() == messages) continue;
    } catch (...) {
    }
    graded::step("test", "does it again with a new decoder and other cuts");
    graded::Trace again;
    decode<Decoder>(chunks, limit, again, Log::kSteps);
    return again.is(messages);
  }
  return ::testing::AssertionSuccess();
}

inline std::string name_of(net::Framing status) {
  switch (status) {
    case net::Framing::kFine:
      return "kFine";
    case net::Framing::kTooLong:
      return "kTooLong";
    case net::Framing::kCutOff:
      return "kCutOff";
  }
  return "no value of Framing";
}
