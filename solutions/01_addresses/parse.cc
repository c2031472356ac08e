#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>

#include "chapters/01_addresses/endpoint.h"

namespace net {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw std::invalid_argument("\"" + std::string(text) + "\": " + why);
}

// The endpoint that a sockaddr_in, sockaddr_in6 or sockaddr_un holds. `size` is
// for a sockaddr_un that is not used to its end.
template <typename Structure>
Endpoint made_of(const Structure& structure,
                 std::size_t size = sizeof(Structure)) {
  return Endpoint::from(reinterpret_cast<const sockaddr*>(&structure),
                        static_cast<socklen_t>(size));
}

std::uint16_t port_number(std::string_view digits, std::string_view whole) {
  unsigned value = 0;
  const char* end = digits.data() + digits.size();
  // 01.3: unlike atoi() and strtoul(), it skips no space, takes no sign, and
  // says where it stopped and whether the number was too large.
  auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error == std::errc::invalid_argument || stop != end)
    refuse(whole, "the port is not a number");
  if (error != std::errc() || value > 65535)
    refuse(whole, "the port is not between 0 and 65535");
  return static_cast<std::uint16_t>(value);
}

Endpoint parse_v4(std::string_view text) {
  std::size_t colon = text.rfind(':');
  if (colon == text.npos) refuse(text, "there is no ':' and port");
  std::string host(text.substr(0, colon));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  // 01.3: not inet_aton(), for which "1.2.3" is 1.2.0.3, and "010" is 8.
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1)
    refuse(text, host.find(':') == host.npos
                     ? "\"" + host + "\" is not an IPv4 address"
                     : "an IPv6 address is written in brackets: [::1]:80");
  address.sin_port = htons(port_number(text.substr(colon + 1), text));
  return made_of(address);
}

// The number of an interface that is given by name or by number.
std::uint32_t zone_number(const std::string& zone, std::string_view whole) {
  std::uint32_t number = ::if_nametoindex(zone.c_str());
  if (number != 0) return number;
  const char* end = zone.data() + zone.size();
  if (std::from_chars(zone.data(), end, number).ptr != end || number == 0)
    refuse(whole, "there is no interface \"" + zone + "\"");
  return number;
}

Endpoint parse_v6(std::string_view text) {
  std::size_t close = text.find("]:");
  if (close == text.npos) refuse(text, "there is no \"]:\" and port");
  std::string_view inside = text.substr(1, close - 1);
  std::size_t percent = inside.find('%');
  std::string host(inside.substr(0, percent));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  if (::inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) != 1)
    refuse(text, "\"" + host + "\" is not an IPv6 address");
  // 01.4: inet_pton() knows no zones.
  if (percent != inside.npos)
    address.sin6_scope_id =
        zone_number(std::string(inside.substr(percent + 1)), text);
  address.sin6_port = htons(port_number(text.substr(close + 2), text));
  return made_of(address);
}

Endpoint parse_unix(std::string_view path, std::string_view whole) {
  if (path.empty()) refuse(whole, "the path is empty");
  bool abstract = path.starts_with('@');
  if (!abstract && path.find('\0') != path.npos)
    refuse(whole, "a path holds no zero byte");
  // 01.5: a zero byte ends a path, and there must be room for it. An abstract
  // name begins with one, in place of its '@', and ends where the size says.
  std::size_t ending = abstract ? 0 : 1;
  sockaddr_un address{};
  std::size_t most = sizeof address.sun_path - ending;
  if (path.size() > most)
    refuse(whole, "the path is longer than " + std::to_string(most) +
                      " bytes: sockaddr_un has no room for it");
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  if (abstract) address.sun_path[0] = '\0';
  return made_of(address,
                 offsetof(sockaddr_un, sun_path) + path.size() + ending);
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

// Also right: getaddrinfo() with AI_NUMERICHOST and AI_NUMERICSERV, which knows
// zones by itself, but takes "1.2.3" for an address and "70000" for a port.

}  // namespace net
