// Another right solution: text goes through getaddrinfo() and getnameinfo(), in
// both directions, and an endpoint is compared and judged by its text.
#include "chapters/01_addresses/endpoint.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>

namespace net {
namespace {

struct List {
  addrinfo* first = nullptr;
  ~List() {
    if (first) ::freeaddrinfo(first);
  }
};

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

bool is_port(const std::string& text) {
  return is_number(text) && text.size() <= 5 && std::stoul(text) <= 65535;
}

[[noreturn]] void refuse(const std::string& text) {
  throw std::invalid_argument("cannot understand \"" + text + "\"");
}

// The numeric names of an address: host and port.
struct Names {
  char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";
  explicit Names(const Endpoint& it) {
    ::getnameinfo(it.address(), it.size(), host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV);
  }
};

Endpoint numeric(int family, const std::string& host, const std::string& port,
                 const std::string& whole) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  List list;
  if (!is_port(port) || whole.find('\0') != whole.npos ||
      ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list.first) != 0)
    refuse(whole);
  return Endpoint::from(list.first->ai_addr, list.first->ai_addrlen);
}

Endpoint parse_unix(std::string path, const std::string& whole) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty()) refuse(whole);
  if (path[0] == '@') {
    path[0] = '\0';
  } else {
    if (path.find('\0') != path.npos) refuse(whole);
    path += '\0';
  }
  if (path.size() > sizeof address.sun_path) refuse(whole);
  path.copy(address.sun_path, path.size());
  auto size = offsetof(sockaddr_un, sun_path) + path.size();
  return Endpoint::from(reinterpret_cast<sockaddr*>(&address),
                        static_cast<socklen_t>(size));
}

}  // namespace

Endpoint Endpoint::parse(std::string_view text) {
  std::string whole(text);
  if (whole.rfind("unix:", 0) == 0) return parse_unix(whole.substr(5), whole);
  std::size_t colon = whole.rfind(':');
  if (colon == whole.npos) refuse(whole);
  std::string host = whole.substr(0, colon), port = whole.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    return numeric(AF_INET6, host.substr(1, host.size() - 2), port, whole);
  Endpoint endpoint = numeric(AF_INET, host, port, whole);
  // getaddrinfo() reads "1.2.3" too; an address has one spelling.
  if (endpoint.host() != host) refuse(whole);
  return endpoint;
}

Endpoint Endpoint::from(const sockaddr* address, socklen_t size) {
  sa_family_t family = AF_UNSPEC;
  if (size >= sizeof family) family = address->sa_family;
  socklen_t least = family == AF_INET    ? sizeof(sockaddr_in)
                    : family == AF_INET6 ? sizeof(sockaddr_in6)
                                         : sizeof family;
  bool known = family == AF_INET || family == AF_INET6 || family == AF_UNIX;
  if (!known || size < least) throw std::invalid_argument("no such address");
  Endpoint endpoint;
  endpoint.size_ = least;
  if (family == AF_UNIX)
    endpoint.size_ = std::min<socklen_t>(size, sizeof(sockaddr_un));
  std::memcpy(&endpoint.storage_, address, endpoint.size_);
  return endpoint;
}

const sockaddr* Endpoint::address() const {
  return reinterpret_cast<const sockaddr*>(&storage_);
}

std::string Endpoint::host() const {
  return family() == AF_UNIX ? "" : Names(*this).host;
}

std::uint16_t Endpoint::port() const {
  if (family() == AF_UNIX) return 0;
  return static_cast<std::uint16_t>(std::stoul(Names(*this).port));
}

std::string Endpoint::path() const {
  std::size_t offset = offsetof(sockaddr_un, sun_path);
  if (family() != AF_UNIX || size_ <= offset) return "";
  std::string all(reinterpret_cast<const char*>(&storage_), size_);
  std::string path = all.substr(offset);
  if (path[0] == '\0') return "@" + path.substr(1);
  path = path.c_str();
  return path[0] == '@' ? "./" + path : path;
}

std::string Endpoint::to_string() const {
  if (family() == AF_UNIX) return "unix:" + path();
  Names names(*this);
  std::string host = names.host;
  if (family() == AF_INET6) host = "[" + host + "]";
  return host + ":" + names.port;
}

bool Endpoint::is_loopback() const {
  if (family() == AF_UNIX) return true;
  std::string text = host();
  return text == "::1" || text.rfind("127.", 0) == 0 ||
         text.rfind("::ffff:127.", 0) == 0;
}

bool Endpoint::is_wildcard() const {
  std::string text = host();
  return text == "0.0.0.0" || text == "::" || text == "::ffff:0.0.0.0";
}

bool operator==(const Endpoint& a, const Endpoint& b) {
  return a.to_string() == b.to_string();
}

std::vector<Endpoint> resolve(const std::string& host,
                              const std::string& service) {
  std::string whole = host + ":" + service;
  bool name = !is_number(service) && !service.empty() &&
              std::string("+- \t\n\v\f\r").find(service[0]) == whole.npos;
  if (whole.find('\0') != whole.npos || (!name && !is_port(service)))
    refuse(whole);
  List list;
  int code = ::getaddrinfo(host.empty() ? nullptr : host.data(), service.data(),
                           nullptr, &list.first);
  int error = errno;
  if (code == EAI_SYSTEM)
    throw ResolveError(code, std::generic_category().message(error));
  if (code != 0) throw ResolveError(code, ::gai_strerror(code));
  std::vector<Endpoint> found;
  for (addrinfo* it = list.first; it; it = it->ai_next) {
    // Without hints, each address comes once for each kind of socket.
    if (it->ai_socktype != SOCK_STREAM) continue;
    Endpoint next = Endpoint::from(it->ai_addr, it->ai_addrlen);
    if (std::count(found.begin(), found.end(), next) == 0)
      found.push_back(next);
  }
  return found;
}

}  // namespace net
