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
#include <cstddef>
#include <functional>
#include <iostream>
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

// Null if `name` is none of those that are kept as they are.
inline std::string* text_option(Options& options, const std::string& name) {
  if (name == "--host") return &options.host;
  if (name == "--path") return &options.path;
  if (name == "--cert") return &options.cert;
  if (name == "--key") return &options.key;
  if (name == "--ca") return &options.ca;
  if (name == "--alpn") return &options.alpn;
  return nullptr;
}

inline void set_option(Options& options, const std::string& name,
                       const std::string& value) {
  std::string* text = text_option(options, name);
  if (name == "--port") {
    options.port = to_number(value, 65535);
  } else if (text) {
    if (value.empty()) throw std::invalid_argument(name + " needs a value");
    *text = value;
  } else if (name == "--backend" && value == "epoll") {
    throw std::invalid_argument("--backend epoll comes with chapter 16");
  } else if (name != "--backend" || value != "poll") {
    throw std::invalid_argument("unknown option " + name + " " + value);
  }
}

inline Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string name = argv[i];
    if (!name.starts_with("--")) {
      options.words.push_back(name);
    } else if (name == "--tls") {
      options.tls = true;
    } else if (name == "--request-cert") {
      options.request_cert = true;
    } else {
      set_option(options, name, i + 1 < argc ? argv[++i] : "");
    }
  }
  if (options.port.has_value() == !options.path.empty())
    throw std::invalid_argument("either --port or --path");
  std::string of_tls = options.cert + options.key + options.ca + options.alpn;
  if (!options.tls && (options.request_cert || !of_tls.empty()))
    throw std::invalid_argument("--tls is missing");
  return options;
}

// 2, with the reason, if the options or the number of words are not right.
inline int run_program(int argc, char** argv, const std::string& usage,
                       std::size_t words,
                       std::function<int(const Options&)> run) try {
  Options options = parse_options(argc, argv);
  if (options.words.size() == words) return run(options);
  throw std::invalid_argument("wrong number of words");
} catch (const std::invalid_argument& wrong) {
  std::cerr << argv[0] << ": " << wrong.what() << "\nusage: " << usage << "\n";
  return 2;
}

}  // namespace net
