#include "chapters/01_addresses/endpoint.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "common/todo.h"

namespace net {
namespace {

// The structure that an endpoint holds: a sockaddr_in, sockaddr_in6 or
// sockaddr_un. A copy, because C++ lets nobody read the bytes of one type
// through a pointer to another.
//
//   std::uint16_t port = ntohs(as<sockaddr_in>(*this).sin_port);
template <typename Structure>
Structure as(const Endpoint& endpoint) {
  Structure structure;
  std::memcpy(&structure, endpoint.address(), sizeof structure);
  return structure;
}

}  // namespace

Endpoint Endpoint::from(const sockaddr*, socklen_t) {
  TODO("01.1", "keep a copy of the address, and its family's size");
}

const sockaddr* Endpoint::address() const {
  TODO("01.1", "what the kernel is to read");
}

std::string Endpoint::host() const {
  TODO("01.2", "the IPv4 or IPv6 address as text; its zone is step 01.4");
}

std::uint16_t Endpoint::port() const {
  TODO("01.2", "the port, in the byte order of this machine");
}

std::string Endpoint::path() const {
  TODO("01.5", "the path, or '@' and the abstract name");
}

std::string Endpoint::to_string() const {
  TODO("01.2", "what parse() reads; \"unix:\" is step 01.5");
}

bool Endpoint::is_loopback() const {
  TODO("01.6", "does it stay on this machine?");
}

bool Endpoint::is_wildcard() const {
  TODO("01.6", "does it mean every address of this machine?");
}

bool operator==(const Endpoint&, const Endpoint&) {
  TODO("01.6", "do both name the same place?");
}

}  // namespace net
