// Addresses as the kernel has them, made and read byte by byte, so that no test
// needs the code that it judges for anything but what it judges.
#pragma once

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include "chapters/01_addresses/endpoint.h"
#include "common/testing/graded.h"
#include "common/todo.h"

namespace raw {

inline sockaddr_in v4(const char* host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

inline sockaddr_in6 v6(const char* host, std::uint16_t port,
                       std::uint32_t zone = 0) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_scope_id = zone;
  ::inet_pton(AF_INET6, host, &address.sin6_addr);
  return address;
}

// `bytes` are all of sun_path that the size covers, as getsockname(2) might
// report them: what follows is not zero.
struct Unix {
  sockaddr_un address;
  socklen_t size;
};
inline Unix unix_name(std::string_view bytes) {
  Unix made;
  std::memset(&made.address, 'Z', sizeof made.address);
  made.address.sun_family = AF_UNIX;
  bytes.copy(made.address.sun_path, bytes.size());
  made.size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + bytes.size());
  return made;
}

// The last byte before memory that nobody may read: code that looks at a second
// one is ended by SIGSEGV.
inline const sockaddr* last_byte() {
  auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* pages = ::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::runtime_error("mmap failed");
  char* border = static_cast<char*>(pages) + page;
  ::mprotect(border, page, PROT_NONE);
  return reinterpret_cast<const sockaddr*>(border - 1);
}

template <typename Structure>
net::Endpoint endpoint(const Structure& address,
                       socklen_t size = sizeof(Structure)) {
  return net::Endpoint::from(reinterpret_cast<const sockaddr*>(&address), size);
}
inline net::Endpoint endpoint(const Unix& name) {
  return endpoint(name.address, name.size);
}

// What the kernel would read: "IPv4 127.0.0.1, port 8080".
inline std::string seen_by_kernel(const net::Endpoint& endpoint) {
  sockaddr_storage copy{};
  std::memcpy(&copy, endpoint.address(), sizeof copy);
  char text[INET6_ADDRSTRLEN] = "";
  if (copy.ss_family == AF_INET) {
    sockaddr_in address;
    std::memcpy(&address, &copy, sizeof address);
    ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
    return std::string("IPv4 ") + text + ", port " +
           std::to_string(ntohs(address.sin_port));
  }
  if (copy.ss_family == AF_INET6) {
    sockaddr_in6 address;
    std::memcpy(&address, &copy, sizeof address);
    ::inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
    std::string zone = std::to_string(address.sin6_scope_id);
    return std::string("IPv6 ") + text + ", port " +
           std::to_string(ntohs(address.sin6_port)) +
           (address.sin6_scope_id ? ", zone " + zone : "");
  }
  if (copy.ss_family != AF_UNIX)
    return "family " + std::to_string(copy.ss_family);
  std::size_t offset = offsetof(sockaddr_un, sun_path);
  std::size_t n = endpoint.size() > offset ? endpoint.size() - offset : 0;
  std::string bytes(reinterpret_cast<const char*>(&copy) + offset,
                    std::min(n, sizeof copy - offset));
  if (bytes.empty()) return "unix, without a name";
  std::string size = std::to_string(endpoint.size());
  if (bytes[0] == '\0')
    return "unix abstract, size " + size + ": " + bytes.substr(1);
  std::size_t zero = bytes.find('\0');
  if (zero == bytes.npos) return "unix path " + bytes + " without its end";
  return "unix path " + bytes.substr(0, zero);
}

// Fills memory that the next call will use for its variables: whoever leaves a
// byte unset gets this one.
[[gnu::noinline]] inline void soil_the_stack() {
  volatile char soil[8192];
  for (volatile char& byte : soil) byte = 0x55;
}

// What parse() makes of a text: what the kernel would read, or what it threw.
inline std::string parsed(std::string_view text) {
  soil_the_stack();
  try {
    return seen_by_kernel(net::Endpoint::parse(text));
  } catch (const todo::NotYet&) {
    throw;
  } catch (const std::invalid_argument& error) {
    return std::string("refused: ") + error.what();
  } catch (const std::exception& error) {
    return std::string("no std::invalid_argument: ") + error.what();
  }
}

// The same where parse() is to refuse: in which words is its own affair.
inline std::string refusal(std::string_view text) {
  std::string outcome = parsed(text);
  return outcome.starts_with("refused: ") ? "refused" : outcome;
}

}  // namespace raw
