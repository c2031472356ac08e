// What TLS needs of the options; finished.
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>

#include "chapters/12_services/options.h"
#include "common/program.h"

namespace net {

// `secure` is a tls::ServerOptions or a tls::ConnectOptions.
template <typename SecureOptions>
void add_tls(const Options& options, SecureOptions& secure) {
  std::string names = options.alpn;
  while (!names.empty()) {
    std::size_t comma = std::min(names.find(','), names.size());
    if (comma == 0 || comma > 255)
      throw std::invalid_argument("--alpn: a name has 1 to 255 bytes");
    secure.alpn_protocols.push_back(names.substr(0, comma));
    names.erase(0, comma + 1);
  }
  try {
    if (!options.cert.empty()) secure.cert = contents_of(options.cert);
    if (!options.key.empty()) secure.key = contents_of(options.key);
    if (!options.ca.empty()) secure.ca = contents_of(options.ca);
    secure.secure_context = secure.context();
  } catch (const std::exception& wrong) {
    throw std::invalid_argument(wrong.what());
  }
}

}  // namespace net
