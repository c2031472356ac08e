// From a command line to options, and to an exit status; finished.
#pragma once

#include <cstddef>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>

#include "chapters/12_services/options.h"

namespace net {

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
