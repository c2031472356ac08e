#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>

#include "chapters/01_addresses/endpoint.h"
#include "common/todo.h"

namespace net {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw std::invalid_argument("\"" + std::string(text) + "\": " + why);
}

// The endpoint that a sockaddr_in, sockaddr_in6 or sockaddr_un holds. `size` is
// for a sockaddr_un that is not used to its end.
//
//   sockaddr_in address{};
//   ... fill it ...
//   return made_of(address);
template <typename Structure>
Endpoint made_of(const Structure& structure,
                 std::size_t size = sizeof(Structure)) {
  return Endpoint::from(reinterpret_cast<const sockaddr*>(&structure),
                        static_cast<socklen_t>(size));
}

Endpoint parse_v4(std::string_view) {
  TODO("01.3", "an IPv4 address, ':' and a port");
}

Endpoint parse_v6(std::string_view) {
  TODO("01.4", "'[', an IPv6 address, maybe '%' and a zone, \"]:\" and a port");
}

// `path` is what follows "unix:" in `whole`.
Endpoint parse_unix(std::string_view, std::string_view) {
  TODO("01.5", "a path, or '@' and an abstract name");
}

}  // namespace

Endpoint Endpoint::parse(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix))
    return parse_unix(text.substr(kUnix.size()), text);
  // The C functions would take it for the end.
  if (text.find('\0') != text.npos) refuse(text, "it holds a zero byte");
  return text.starts_with('[') ? parse_v6(text) : parse_v4(text);
}

}  // namespace net
