#include <netdb.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "chapters/01_addresses/endpoint.h"

namespace net {
namespace {

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw std::invalid_argument("\"" + text + "\": " + why);
}

// Refuses what getaddrinfo() would read in a way of its own: "70000" is 4464
// to it, "+80" is 80, and a C string ends at the first zero byte.
void check(const std::string& host, const std::string& service) {
  if ((host + service).find('\0') != std::string::npos)
    refuse(host + ":" + service, "it holds a zero byte");
  if (!std::isalnum(static_cast<unsigned char>(service[0])))
    refuse(service, "this is neither a port nor the name of a service");
  unsigned port = 0;
  const char* end = service.data() + service.size();
  auto [stop, error] = std::from_chars(service.data(), end, port);
  // 01.7: a name may begin with digits ("9pfs"): then `stop` is not the end.
  if (stop == end && (error != std::errc() || port > 65535))
    refuse(service, "the port is not between 0 and 65535");
}

}  // namespace

std::vector<Endpoint> resolve(const std::string& host,
                              const std::string& service) {
  check(host, service);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  // Without it each address comes once per kind of socket: three times.
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const char* name = host.empty() ? nullptr : host.c_str();
  int code = ::getaddrinfo(name, service.c_str(), &hints, &list);
  int system_error = errno;
  // 01.7: errno has the reason in one case only; in the others it is whatever
  // some earlier call left in it.
  if (code == EAI_SYSTEM)
    throw ResolveError(
        code, host + ":" + service + ": " + std::strerror(system_error));
  if (code != 0)
    throw ResolveError(code,
                       host + ":" + service + ": " + ::gai_strerror(code));
  // 01.7: freed also when one of the lines below throws.
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  std::vector<Endpoint> found;
  for (const addrinfo* it = list; it; it = it->ai_next) {
    Endpoint endpoint = Endpoint::from(it->ai_addr, it->ai_addrlen);
    if (std::find(found.begin(), found.end(), endpoint) == found.end())
      found.push_back(endpoint);
  }
  return found;
}

// Also right: freeaddrinfo() by hand, if nothing between it and getaddrinfo()
// can throw; AI_ADDRCONFIG for a program that wants no IPv6 addresses on a
// machine without IPv6 (connect() would refuse them one by one).

}  // namespace net
