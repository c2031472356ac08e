#include "chapters/01_addresses/endpoint.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>

namespace net {
namespace {

// Where the path begins in a sockaddr_un.
constexpr std::size_t kPathOffset = offsetof(sockaddr_un, sun_path);

// The structure that an endpoint holds: a sockaddr_in, sockaddr_in6 or
// sockaddr_un. A copy, because C++ lets nobody read the bytes of one type
// through a pointer to another.
template <typename Structure>
Structure as(const Endpoint& endpoint) {
  Structure structure;
  std::memcpy(&structure, endpoint.address(), sizeof structure);
  return structure;
}

// The sizes that an address of this family can have.
struct Sizes {
  std::size_t least, most;
};

Sizes sizes_of(int family) {
  switch (family) {
    case AF_INET:
      return {sizeof(sockaddr_in), sizeof(sockaddr_in)};
    case AF_INET6:
      return {sizeof(sockaddr_in6), sizeof(sockaddr_in6)};
    case AF_UNIX:
      return {kPathOffset, sizeof(sockaddr_un)};
  }
  throw std::invalid_argument("address family " + std::to_string(family) +
                              " is neither IPv4, IPv6 nor unix");
}

// "fe80::1%lo"
std::string v6_text(const sockaddr_in6& address) {
  char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];
  ::inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
  std::uint32_t zone = address.sin6_scope_id;
  if (zone == 0) return text;
  // 01.4: the interface may be gone by now; its number still names it.
  bool known = ::if_indextoname(zone, name) != nullptr;
  return std::string(text) + "%" + (known ? name : std::to_string(zone));
}

// The IPv4 address of an endpoint, in host order, also of one in the form
// ::ffff:1.2.3.4; none for other IPv6 addresses and for paths.
std::optional<std::uint32_t> v4_of(const Endpoint& endpoint) {
  if (endpoint.family() == AF_INET)
    return ntohl(as<sockaddr_in>(endpoint).sin_addr.s_addr);
  if (endpoint.family() != AF_INET6) return std::nullopt;
  in6_addr v6 = as<sockaddr_in6>(endpoint).sin6_addr;
  if (!IN6_IS_ADDR_V4MAPPED(&v6)) return std::nullopt;
  std::uint32_t v4;
  std::memcpy(&v4, &v6.s6_addr[12], sizeof v4);
  return ntohl(v4);
}

}  // namespace

Endpoint Endpoint::from(const sockaddr* address, socklen_t size) {
  if (size < sizeof(sa_family_t))
    throw std::invalid_argument("an address of " + std::to_string(size) +
                                " bytes has not even a family");
  Endpoint endpoint;
  std::memcpy(&endpoint.storage_, address,
              std::min<std::size_t>(size, sizeof endpoint.storage_));
  auto [least, most] = sizes_of(endpoint.family());
  if (size < least)
    throw std::invalid_argument("an address of " + std::to_string(size) +
                                " bytes is too short: its family takes " +
                                std::to_string(least));
  // 01.1: callers often pass the size of their buffer, a sockaddr_storage.
  endpoint.size_ = static_cast<socklen_t>(std::min<std::size_t>(size, most));
  return endpoint;
}

const sockaddr* Endpoint::address() const {
  return reinterpret_cast<const sockaddr*>(&storage_);
}

std::string Endpoint::host() const {
  if (family() == AF_INET6) return v6_text(as<sockaddr_in6>(*this));
  if (family() != AF_INET) return "";
  char text[INET_ADDRSTRLEN];
  auto address = as<sockaddr_in>(*this);
  ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  return text;
}

std::uint16_t Endpoint::port() const {
  if (family() == AF_INET) return ntohs(as<sockaddr_in>(*this).sin_port);
  if (family() == AF_INET6) return ntohs(as<sockaddr_in6>(*this).sin6_port);
  return 0;
}

std::string Endpoint::path() const {
  if (family() != AF_UNIX || size_ == kPathOffset) return "";
  auto address = as<sockaddr_un>(*this);
  std::string path(address.sun_path, size_ - kPathOffset);
  // 01.5: an abstract name is all of its bytes, a path ends at its first zero.
  if (path[0] == '\0') return "@" + path.substr(1);
  path.resize(std::min(path.size(), path.find('\0')));
  // A file may be called "@name" too. This is the same file, and no name of
  // the abstract namespace.
  return path[0] == '@' ? "./" + path : path;
}

std::string Endpoint::to_string() const {
  if (family() == AF_UNIX) return "unix:" + path();
  std::string port_text = std::to_string(port());
  if (family() == AF_INET6) return "[" + host() + "]:" + port_text;
  return host() + ":" + port_text;
}

bool Endpoint::is_loopback() const {
  if (auto v4 = v4_of(*this)) return *v4 >> 24 == 127;
  if (family() == AF_UNIX) return true;
  in6_addr v6 = as<sockaddr_in6>(*this).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6);
}

bool Endpoint::is_wildcard() const {
  if (auto v4 = v4_of(*this)) return *v4 == INADDR_ANY;
  if (family() == AF_UNIX) return false;
  in6_addr v6 = as<sockaddr_in6>(*this).sin6_addr;
  return IN6_IS_ADDR_UNSPECIFIED(&v6);
}

bool operator==(const Endpoint& a, const Endpoint& b) {
  // 01.6: field by field. memcmp() would compare sin_zero too, and whatever
  // else lay in the buffers that the two were made from.
  if (a.family() != b.family() || a.port() != b.port()) return false;
  if (a.family() == AF_UNIX) return a.path() == b.path();
  if (a.family() == AF_INET)
    return as<sockaddr_in>(a).sin_addr.s_addr ==
           as<sockaddr_in>(b).sin_addr.s_addr;
  auto left = as<sockaddr_in6>(a), right = as<sockaddr_in6>(b);
  return IN6_ARE_ADDR_EQUAL(&left.sin6_addr, &right.sin6_addr) &&
         left.sin6_scope_id == right.sin6_scope_id;
}

// Also right: to_string() of both sides as operator==, at the price of two
// strings; getnameinfo() with NI_NUMERICHOST in place of inet_ntop(), which
// prints the zone by itself; a union of the three structures in the header.

}  // namespace net
