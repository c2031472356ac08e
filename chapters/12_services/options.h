// The options of this chapter's programs; finished.
//
//   --port N [--host H]   0: any free port; without --host it is 127.0.0.1
//   --path P              a unix socket
//   --backend poll        how the loop waits; chapter 16 makes another
//   --tls                 the same over TLS (chapters 13 to 15), and then
//     --cert FILE --key FILE   who we are: a server must, a client may say so
//     --ca FILE                whom to trust
//     --request-cert           a server's: only those whom --ca knows
//     --alpn A,B               protocols, the best first
#pragma once

#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace net {

struct Options {
  std::optional<int> port = {};
  std::string host = "127.0.0.1";
  std::string path = {};
  bool tls = false;
  std::string cert = {}, key = {}, ca = {};  // names of files
  bool request_cert = false;
  std::string alpn = {};
  std::vector<std::string> words = {};  // what is no option
};

// std::invalid_argument if it is none, or more than `most`.
inline int to_number(const std::string& text, int most) {
  int number = -1;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end || number < 0 || number > most)
    throw std::invalid_argument("\"" + text + "\" is no number from 0 to " +
                                std::to_string(most));
  return number;
}

}  // namespace net
