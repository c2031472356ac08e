// Endpoint: where a socket can be reached.
//
//   net::Endpoint here = net::Endpoint::parse("127.0.0.1:8080");
//   ::bind(fd, here.address(), here.size());
//
//   for (const net::Endpoint& there : net::resolve("localhost", "http"))
//     std::cout << there.to_string() << "\n";   // [::1]:80, 127.0.0.1:80
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace net {

// An IPv4 or IPv6 address with a port, or the path of a unix socket. A value:
// copies are independent, and equal when they name the same place.
class Endpoint {
 public:
  // "1.2.3.4:80", "[::1]:80", "[fe80::1%lo]:80", "unix:/run/x.sock", and
  // "unix:@name" for a name of the abstract namespace (unix(7)). Never asks a
  // resolver. Throws std::invalid_argument, which quotes `text` and says what
  // is wrong with it (PARSE-1 to PARSE-6).
  static Endpoint parse(std::string_view text);

  // What the kernel filled in: getsockname(2), accept(2), getaddrinfo(3).
  // Throws std::invalid_argument if `size` is too small for its family, or the
  // family is none of the three (SOCKADDR-3).
  static Endpoint from(const sockaddr* address, socklen_t size);

  // As bind(2) and connect(2) take it. The pointer is good as long as *this;
  // the size is that of this family's structure, for a path no longer than it
  // has to be (SOCKADDR-1, SOCKADDR-2).
  const sockaddr* address() const;
  socklen_t size() const { return size_; }
  int family() const { return storage_.ss_family; }  // AF_INET, ...

  std::string host() const;    // "127.0.0.1", "fe80::1%lo"; "" for a path
  std::uint16_t port() const;  // in the host's byte order; 0 for a path
  std::string path() const;    // "/run/x.sock", "@name"; "" for IP

  bool is_loopback() const;  // 127.0.0.0/8, ::1; every path
  bool is_wildcard() const;  // 0.0.0.0, ::

  // What parse() reads back as an equal Endpoint (PRINT-1).
  std::string to_string() const;

  // The family, the address, port and zone, or the path. Not the bytes that no
  // field covers, and not IPv6's flow label (EQUAL-1).
  friend bool operator==(const Endpoint& a, const Endpoint& b);

 private:
  sockaddr_storage storage_ = {};
  socklen_t size_ = 0;
};

// getaddrinfo(3) failed. Its codes are not errno values.
struct ResolveError : std::runtime_error {
  ResolveError(int code, const std::string& what)
      : std::runtime_error(what), code(code) {}
  int code;  // EAI_NONAME, EAI_AGAIN, ...
};

// Every TCP endpoint of `host` and `service`, in the resolver's order, which is
// the order to try them in; each once. `service` is a name of services(5) or a
// number from 0 to 65535. An empty host is this machine: loopback. Blocks.
// Throws ResolveError, with the resolver's own words (RESOLVE-2), or
// std::invalid_argument for a number out of range.
std::vector<Endpoint> resolve(const std::string& host,
                              const std::string& service);

}  // namespace net
