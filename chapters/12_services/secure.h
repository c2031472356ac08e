// What TLS needs of the options; finished.
#pragma once

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "chapters/12_services/options.h"
#include "chapters/13_blocking_tls/context.h"

namespace net {

inline std::string contents_of(const std::string& file) {
  if (file.empty()) return "";
  std::ifstream in(file, std::ios::binary);
  std::string contents(std::istreambuf_iterator<char>(in), {});
  if (!in) throw std::invalid_argument("cannot read " + file);
  return contents;
}

// `secure` is a tls::ServerOptions or a tls::ConnectOptions.
template <typename SecureOptions>
void add_tls(const Options& options, SecureOptions& secure) {
  secure.cert = contents_of(options.cert);
  secure.key = contents_of(options.key);
  secure.ca = contents_of(options.ca);
  std::string names = options.alpn;
  while (!names.empty()) {
    std::size_t comma = std::min(names.find(','), names.size());
    if (comma == 0 || comma > 255)
      throw std::invalid_argument("--alpn: a name has 1 to 255 bytes");
    secure.alpn_protocols.push_back(names.substr(0, comma));
    names.erase(0, comma + 1);
  }
  try {
    secure.secure_context = tls::create_secure_context(secure);
  } catch (const Error& wrong) {
    throw std::invalid_argument(wrong.message);
  }
}

}  // namespace net
