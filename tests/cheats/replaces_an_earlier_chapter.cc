// Brings its own version of what the tests trust: chapter 01.
#include "chapters/01_addresses/endpoint.h"

namespace net {

std::vector<Endpoint> resolve(const std::string&, const std::string&) {
  return {};
}

}  // namespace net
