// Endpoint: where a socket can be reached.
//
//   net::Endpoint here = net::Endpoint::parse("127.0.0.1:8080");
//   if (::bind(fd, here.address(), here.size()) < 0) return complain("bind");
//
//   for (const net::Endpoint& there : net::resolve("localhost", "http"))
//     std::cout << there.to_string() << "\n";  // [::1]:80, 127.0.0.1:80
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace net {

// An IPv4 or IPv6 address with a port, or a unix path. A value: a copy is
// independent, and nothing of what it was made from has to live on.
class Endpoint {
 public:
  // "1.2.3.4:80", "[::1]:80", "[fe80::1%lo]:80", "unix:/run/x.sock", and
  // "unix:@name" for a name of the abstract namespace. Asks no resolver.
  // Anything else: std::invalid_argument that quotes `text` (PARSE-3).
  static Endpoint parse(std::string_view text);

  // Copies what the kernel or the resolver filled in. std::invalid_argument if
  // it is smaller than its family's structure, or of none of the three
  // families (SOCKADDR-2).
  static Endpoint from(const sockaddr* address, socklen_t size);

  // As bind(2) and connect(2) take them. The pointer is good as long as *this.
  // The size is that of the family's structure (SOCKADDR-1); a unix address
  // may be shorter.
  const sockaddr* address() const;
  socklen_t size() const { return size_; }
  int family() const { return storage_.ss_family; }  // AF_INET, ...

  std::string host() const;    // "127.0.0.1", "fe80::1%lo"; "" for unix
  std::uint16_t port() const;  // a number to calculate with; 0 for unix
  std::string path() const;    // "/run/x.sock", "@name"; "" if none

  // An IPv4 address inside an IPv6 one (::ffff:127.0.0.1) counts as the IPv4
  // address that it is on the wire.
  bool is_loopback() const;  // 127.0.0.0/8, ::1, and every path
  bool is_wildcard() const;  // 0.0.0.0, ::

  // What parse() reads back as an equal Endpoint. (A unix socket without a
  // name has no such text, nor has a path without a zero byte at its end.)
  std::string to_string() const;

  // The same family, address, zone and port, or the same path. Bytes that no
  // field covers do not count, nor does IPv6's flow label (EQUAL-1).
  friend bool operator==(const Endpoint& a, const Endpoint& b);

 private:
  Endpoint() = default;
  sockaddr_storage storage_ = {};  // large enough for every family
  socklen_t size_ = 0;             // how much of it is the address
};

// getaddrinfo(3) failed. Its codes are not errno values.
struct ResolveError : std::runtime_error {
  ResolveError(int code, const std::string& what)
      : std::runtime_error(what), code(code) {}
  int code;  // EAI_NONAME, EAI_AGAIN, ...: the resolver's own
};

// Every address of `host` with the port of `service`, for TCP: each once, in
// the resolver's order, which is the one to try them in. `service` is a number
// from 0 to 65535 or a name of services(5); an empty `host` is this machine's
// loopback. Blocks. Throws ResolveError, in the resolver's words (RESOLVE-3),
// or std::invalid_argument for a service that is neither.
std::vector<Endpoint> resolve(const std::string& host,
                              const std::string& service);

}  // namespace net
