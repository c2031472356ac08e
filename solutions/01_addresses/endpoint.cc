#include "chapters/01_addresses/endpoint.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>

namespace net {
namespace {

constexpr std::size_t kPathOffset = offsetof(sockaddr_un, sun_path);

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw std::invalid_argument("\"" + std::string(text) + "\": " + why);
}

std::uint16_t parse_port(std::string_view port, std::string_view whole) {
  unsigned value = 0;
  const char* end = port.data() + port.size();
  auto [stop, error] = std::from_chars(port.data(), end, value);
  if (error == std::errc::invalid_argument || stop != end)
    refuse(whole, "the port is not a number");
  if (error == std::errc::result_out_of_range || value > 65535)
    refuse(whole, "the port is not between 0 and 65535");
  return static_cast<std::uint16_t>(value);
}

const sockaddr_in& as_v4(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in&>(storage);
}
const sockaddr_in6& as_v6(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in6&>(storage);
}
const sockaddr_un& as_unix(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_un&>(storage);
}

Endpoint parse_path(std::string_view path, std::string_view whole) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  bool abstract = path.starts_with('@');
  if (path.empty() || path == "@") refuse(whole, "the path is empty");
  if (path.find('\0') != path.npos) refuse(whole, "the path has a zero byte");
  // 01.2: a path is stored with the zero byte that ends it; an abstract name
  // begins with one, in place of the '@'.
  std::size_t most = sizeof address.sun_path - (abstract ? 0 : 1);
  if (path.size() > most)
    refuse(whole, "the path is longer than " + std::to_string(most) +
                      " bytes, and would not fit into sockaddr_un");
  path.copy(address.sun_path, path.size());
  if (abstract) address.sun_path[0] = '\0';
  std::size_t size = kPathOffset + path.size() + (abstract ? 0 : 1);
  return Endpoint::from(reinterpret_cast<sockaddr*>(&address),
                        static_cast<socklen_t>(size));
}

Endpoint parse_v6(std::string_view host, std::uint16_t port,
                  std::string_view whole) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  std::size_t percent = host.find('%');
  if (percent != host.npos) {
    std::string zone(host.substr(percent + 1));
    // 01.3: a zone is an interface, by name or by number.
    address.sin6_scope_id = ::if_nametoindex(zone.c_str());
    const char* end = zone.data() + zone.size();
    if (address.sin6_scope_id == 0 &&
        (std::from_chars(zone.data(), end, address.sin6_scope_id).ptr != end ||
         address.sin6_scope_id == 0))
      refuse(whole, "there is no interface \"" + zone + "\"");
  }
  std::string bare(host.substr(0, percent));
  if (::inet_pton(AF_INET6, bare.c_str(), &address.sin6_addr) != 1)
    refuse(whole, "\"" + bare + "\" is not an IPv6 address");
  return Endpoint::from(reinterpret_cast<sockaddr*>(&address), sizeof address);
}

Endpoint parse_v4(std::string_view host, std::uint16_t port,
                  std::string_view whole) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  std::string text(host);
  if (::inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1)
    refuse(whole, "\"" + text + "\" is not an IPv4 address");
  return Endpoint::from(reinterpret_cast<sockaddr*>(&address), sizeof address);
}

}  // namespace

Endpoint Endpoint::parse(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix))
    return parse_path(text.substr(kUnix.size()), text);
  std::size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    std::size_t close = text.find(']');
    if (close == text.npos) refuse(text, "the ']' is missing");
    if (close + 1 != colon) refuse(text, "after ']' comes ':' and a port");
    return parse_v6(text.substr(1, close - 1),
                    parse_port(text.substr(colon + 1), text), text);
  }
  if (colon == text.npos) refuse(text, "there is no ':' and port");
  if (text.find(':') != colon)
    refuse(text, "an IPv6 address is written in brackets: [::1]:80");
  return parse_v4(text.substr(0, colon),
                  parse_port(text.substr(colon + 1), text), text);
}

Endpoint Endpoint::from(const sockaddr* address, socklen_t size) {
  std::size_t least = sizeof(sa_family_t), most = sizeof(sockaddr_storage);
  if (size >= least) {
    switch (address->sa_family) {
      case AF_INET:
        least = most = sizeof(sockaddr_in);
        break;
      case AF_INET6:
        least = most = sizeof(sockaddr_in6);
        break;
      case AF_UNIX:
        most = sizeof(sockaddr_un);
        break;
      default:
        throw std::invalid_argument("family " +
                                    std::to_string(address->sa_family) +
                                    " is neither IPv4, IPv6 nor unix");
    }
  }
  if (size < least)
    throw std::invalid_argument(std::to_string(size) +
                                " bytes are fewer than " +
                                std::to_string(least));
  Endpoint endpoint;
  endpoint.size_ = static_cast<socklen_t>(std::min<std::size_t>(size, most));
  std::memcpy(&endpoint.storage_, address, endpoint.size_);
  return endpoint;
}

const sockaddr* Endpoint::address() const {
  return reinterpret_cast<const sockaddr*>(&storage_);
}

std::string Endpoint::host() const {
  char text[INET6_ADDRSTRLEN];
  if (family() == AF_INET) {
    ::inet_ntop(AF_INET, &as_v4(storage_).sin_addr, text, sizeof text);
    return text;
  }
  if (family() != AF_INET6) return "";
  ::inet_ntop(AF_INET6, &as_v6(storage_).sin6_addr, text, sizeof text);
  std::uint32_t zone = as_v6(storage_).sin6_scope_id;
  if (zone == 0) return text;
  char name[IF_NAMESIZE];
  return std::string(text) + "%" +
         (::if_indextoname(zone, name) ? name : std::to_string(zone));
}

std::uint16_t Endpoint::port() const {
  if (family() == AF_INET) return ntohs(as_v4(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(as_v6(storage_).sin6_port);
  return 0;
}

std::string Endpoint::path() const {
  if (family() != AF_UNIX || size_ <= kPathOffset) return "";
  const char* begin = as_unix(storage_).sun_path;
  std::size_t n = size_ - kPathOffset;
  // 01.5: an abstract name is all of its bytes; a path ends at the first zero.
  if (begin[0] == '\0') return "@" + std::string(begin + 1, n - 1);
  return std::string(begin, ::strnlen(begin, n));
}

bool Endpoint::is_loopback() const {
  if (family() == AF_INET)
    return ntohl(as_v4(storage_).sin_addr.s_addr) >> 24 == 127;
  if (family() == AF_INET6)
    return IN6_IS_ADDR_LOOPBACK(&as_v6(storage_).sin6_addr);
  return true;
}

bool Endpoint::is_wildcard() const {
  if (family() == AF_INET)
    return as_v4(storage_).sin_addr.s_addr == htonl(INADDR_ANY);
  if (family() == AF_INET6)
    return IN6_IS_ADDR_UNSPECIFIED(&as_v6(storage_).sin6_addr);
  return false;
}

std::string Endpoint::to_string() const {
  if (family() == AF_UNIX) return "unix:" + path();
  std::string port_text = std::to_string(port());
  if (family() == AF_INET6) return "[" + host() + "]:" + port_text;
  return host() + ":" + port_text;
}

bool operator==(const Endpoint& a, const Endpoint& b) {
  if (a.family() != b.family()) return false;
  if (a.family() == AF_UNIX) return a.path() == b.path();
  if (a.port() != b.port()) return false;
  if (a.family() == AF_INET)
    return as_v4(a.storage_).sin_addr.s_addr ==
           as_v4(b.storage_).sin_addr.s_addr;
  return IN6_ARE_ADDR_EQUAL(&as_v6(a.storage_).sin6_addr,
                            &as_v6(b.storage_).sin6_addr) &&
         as_v6(a.storage_).sin6_scope_id == as_v6(b.storage_).sin6_scope_id;
}

std::vector<Endpoint> resolve(const std::string& host,
                              const std::string& service) {
  // 01.7: getaddrinfo takes "70000" and keeps its low 16 bits.
  if (!service.empty() &&
      std::all_of(service.begin(), service.end(),
                  [](char c) { return c >= '0' && c <= '9'; }))
    parse_port(service, service);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  // Without it each address comes once per kind of socket.
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  int code = ::getaddrinfo(host.empty() ? nullptr : host.c_str(),
                           service.c_str(), &hints, &list);
  if (code != 0) {
    std::string why =
        code == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(code);
    throw ResolveError(code, host + ":" + service + ": " + why);
  }
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list,
                                                             ::freeaddrinfo);
  std::vector<Endpoint> found;
  for (const addrinfo* it = list; it; it = it->ai_next) {
    Endpoint endpoint = Endpoint::from(it->ai_addr, it->ai_addrlen);
    if (std::find(found.begin(), found.end(), endpoint) == found.end())
      found.push_back(endpoint);
  }
  return found;
}

}  // namespace net
