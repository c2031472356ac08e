// frames HOW: takes messages out of its standard input, or puts them in.
//
//   nc -l -N 127.0.0.1 8080 | frames --lines    what comes, and how it was cut
//   printf 'hi\n\nyou\n' | frames --encode | nc -N 127.0.0.1 8080
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "chapters/04_framing/framing.h"
#include "chapters/04_framing/utf8.h"

namespace {

int usage() {
  std::cerr << "usage: frames --lines | --length-prefix | --utf8 | --encode\n"
               "  --lines          prints each line of the input\n"
               "  --length-prefix  prints the payload of each frame\n"
               "  --utf8           prints the text of each piece\n"
               "  --encode         makes a frame of each line of the input\n";
  return 2;
}

// Calls `piece` with what each read(2) returns, until the end.
template <typename Piece>
void read_input(Piece piece) {
  char buffer[4096];
  while (true) {
    ssize_t n = ::read(0, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw std::runtime_error(std::strerror(errno));
    if (n == 0) return;
    piece(std::string_view(buffer, static_cast<std::size_t>(n)));
  }
}

int outcome(net::Framing status) {
  if (status == net::Framing::kTooLong)
    std::cerr << "frames: a message is longer than " << net::kMaxMessage
              << " bytes\n";
  if (status == net::Framing::kCutOff)
    std::cerr << "frames: the input ends inside a message\n";
  return status == net::Framing::kFine ? 0 : 1;
}

template <typename Decoder, typename Read, typename Message>
int decode(Read read, Message message) {
  Decoder decoder;
  read_input([&](std::string_view bytes) {
    read(bytes);
    decoder.feed(bytes);
    while (auto next = decoder.next()) message(*next);
    std::cout.flush();
  });
  return outcome(decoder.finish());
}

void print_read(std::string_view bytes) {
  std::cout << "read " << bytes.size() << " bytes\n";
}

void print_message(const std::string& message) {
  std::cout << "  message of " << message.size() << ": \"" << message << "\"\n";
}

int print_text() {
  net::Utf8Decoder text;
  read_input([&](std::string_view bytes) {
    print_read(bytes);
    std::cout << "  text: " << text.feed(bytes) << std::endl;
  });
  std::cout << "end\n  text: " << text.finish() << "\n";
  return 0;
}

int encode() {
  return decode<net::LineDecoder>(
      [](std::string_view) {},
      [](const std::string& line) { std::cout << net::encode_frame(line); });
}

int run(std::string_view how) {
  if (how == "--lines")
    return decode<net::LineDecoder>(print_read, print_message);
  if (how == "--length-prefix")
    return decode<net::FrameDecoder>(print_read, print_message);
  if (how == "--utf8") return print_text();
  return encode();
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view how = argc == 2 ? argv[1] : "";
  if (how != "--lines" && how != "--length-prefix" && how != "--utf8" &&
      how != "--encode")
    return usage();
  try {
    return run(how);
  } catch (const std::exception& error) {
    std::cerr << "frames: " << error.what() << "\n";
    return 1;
  }
}
