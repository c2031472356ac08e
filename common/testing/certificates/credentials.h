// The certificates and keys of the tests, which the build has made.
//
//   options.cert = graded::credential("server-cert.pem");
//   options.key = graded::credential("server-key.pem");
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include "common/testing/certificates/passphrase.h"

namespace graded {

extern const std::map<std::string, std::string, std::less<>> kCredentials;

// The bytes of the file; README.md, beside this header, lists them.
inline const std::string& credential(std::string_view file) {
  auto found = kCredentials.find(file);
  if (found == kCredentials.end())
    throw std::logic_error("no test credential " + std::string(file));
  return found->second;
}

}  // namespace graded
