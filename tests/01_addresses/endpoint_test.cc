#include "chapters/01_addresses/endpoint.h"

#include "common/testing/graded.h"
#include "tests/01_addresses/raw.h"

using namespace raw;

namespace {

// What from() makes of the first `size` bytes of an address.
template <typename Structure>
std::string made_from(const Structure& address, socklen_t size) {
  try {
    return seen_by_kernel(endpoint(address, size));
  } catch (const std::invalid_argument&) {
    return "refused";
  }
}

// A buffer as one hands it to accept(2): larger than the address in it.
template <typename Structure>
sockaddr_storage buffer_with(const Structure& address) {
  sockaddr_storage buffer;
  std::memset(&buffer, 'Z', sizeof buffer);
  std::memcpy(&buffer, &address, sizeof address);
  return buffer;
}

template <typename Structure>
std::string kind(const Structure& address) {
  net::Endpoint made = endpoint(address);
  if (made.is_loopback()) return made.is_wildcard() ? "both" : "loopback";
  return made.is_wildcard() ? "wildcard" : "neither";
}

template <typename A, typename B>
bool equal(const A& a, const B& b) {
  return endpoint(a) == endpoint(b);
}

}  // namespace

TEST(Endpoint, HasTheSizeOfItsFamilysStructure) {
  RULE("SOCKADDR-1");

  net::Endpoint v4_endpoint = endpoint(buffer_with(v4("192.0.2.1", 80)));
  net::Endpoint v6_endpoint = endpoint(buffer_with(v6("2001:db8::1", 80)));
  socklen_t unix_size =
      endpoint(buffer_with(unix_name({"/run/x", 7}).address)).size();

  EXPECT_IS(seen_by_kernel(v4_endpoint), "IPv4 192.0.2.1, port 80")
      << "This address was given to from().";
  EXPECT_IS(v4_endpoint.size(), sizeof(sockaddr_in))
      << "The address is a sockaddr_in, though it came in a buffer of 128 "
         "bytes. That is the size bind() and connect() want.";
  EXPECT_IS(v6_endpoint.size(), sizeof(sockaddr_in6))
      << "The address is a sockaddr_in6, though it came in a buffer of 128 "
         "bytes.";
  EXPECT_IS(unix_size <= sizeof(sockaddr_un), true)
      << "The address is a sockaddr_un of 110 bytes at most, and its size() is "
      << unix_size << ". bind() says EINVAL to more.";
}

TEST(Endpoint, RefusesWhatIsTooShortOrForeign) {
  RULE("SOCKADDR-2");
  sockaddr_in inet = v4("192.0.2.1", 80);
  sockaddr_in6 inet6 = v6("2001:db8::1", 80);
  sockaddr_storage foreign{};
  foreign.ss_family = AF_NETLINK;

  EXPECT_IS(made_from(inet, sizeof inet), "IPv4 192.0.2.1, port 80")
      << "All 16 bytes of the sockaddr_in are there.";
  EXPECT_IS(made_from(inet, sizeof inet - 1), "refused")
      << "A sockaddr_in has 16 bytes; here are 15.";
  EXPECT_IS(made_from(inet6, sizeof inet), "refused")
      << "A sockaddr_in6 has 28 bytes; here are 16, as for IPv4.";
  EXPECT_IS(made_from(inet, 1), "refused")
      << "One byte is not even the family, which takes two.";
  EXPECT_IS(endpoint(unix_name("")).family(), AF_UNIX)
      << "A unix socket without a name has its family, two bytes, and no more.";
  EXPECT_IS(made_from(foreign, sizeof foreign), "refused")
      << "The family is AF_NETLINK: no IPv4, IPv6 or unix address.";
  graded::step("you", "from(1 byte; no memory follows)");
  EXPECT_THROW(net::Endpoint::from(last_byte(), 1), std::invalid_argument);
}

TEST(Endpoint, PrintsHostAndPort) {
  RULE("PRINT-1");

  net::Endpoint inet = endpoint(v4("192.0.2.1", 8080));
  net::Endpoint inet6 = endpoint(v6("2001:db8::1", 0xabab));

  EXPECT_IS(inet.host(), "192.0.2.1") << "The bytes are c0 00 02 01.";
  EXPECT_IS(inet.port(), 8080)
      << "The port's bytes are 1f 90, the more significant one first: 0x1f90 "
         "is 8080. Read the other way round they are 36895.";
  EXPECT_IS(inet.to_string(), "192.0.2.1:8080")
      << "An IPv4 address, ':' and the port.";
  EXPECT_IS(inet6.host(), "2001:db8::1")
      << "The host stands alone. (0a 00 ab ab are the family and the port: "
         "inet_ntop() wants &a.sin6_addr, not &a.)";
  EXPECT_IS(inet6.port(), 43947) << "The port's bytes are ab ab.";
  EXPECT_IS(inet6.to_string(), "[2001:db8::1]:43947")
      << "Without brackets nobody could tell where the address ends and the "
         "port begins.";
}

TEST(Endpoint, KnowsLoopbackAndWildcard) {
  RULE("KIND-1");

  EXPECT_IS(kind(v4("127.0.0.1", 80)), "loopback")
      << "Its first byte in memory, 127, is the first one of the number, too, "
         "once ntohl() has read it.";
  EXPECT_IS(kind(v4("127.1.2.3", 80)), "loopback")
      << "All of 127.0.0.0/8 is loopback: 16 million addresses.";
  EXPECT_IS(kind(v4("1.2.3.127", 80)), "neither")
      << "127 is the last byte here, and the first one decides.";
  EXPECT_IS(kind(v4("0.0.0.0", 80)), "wildcard")
      << "0.0.0.0 stands for every IPv4 address of this machine.";
  EXPECT_IS(kind(v6("::1", 80)), "loopback") << "IPv6 has this one.";
  EXPECT_IS(kind(v6("2001:db8::1", 80)), "neither")
      << "Only ::1 is loopback, and not what ends in it.";
  EXPECT_IS(kind(v6("::", 80)), "wildcard")
      << ":: stands for every address of this machine.";
  EXPECT_IS(kind(v6("::ffff:127.1.2.3", 80)), "loopback")
      << "A server on :: sees a client from 127.1.2.3 under this address.";
  EXPECT_IS(kind(v6("::ffff:192.0.2.1", 80)), "neither")
      << "192.0.2.1 is not loopback, however it is written.";
  EXPECT_IS(kind(v6("::ffff:0.0.0.0", 80)), "wildcard")
      << "A server bound to this listens on every IPv4 address.";
  EXPECT_IS(kind(unix_name("/run/x")), "loopback")
      << "A path is always on this machine.";
}

TEST(Endpoint, IsEqualToTheSamePlaceOnly) {
  RULE("EQUAL-1");
  sockaddr_in dirty = v4("192.0.2.1", 80);
  std::memset(dirty.sin_zero, 'Z', sizeof dirty.sin_zero);
  sockaddr_in6 labelled = v6("2001:db8::1", 80);
  labelled.sin6_flowinfo = htonl(0x12345);

  EXPECT_IS(equal(dirty, v4("192.0.2.1", 80)), true)
      << "Address and port are the same. The two differ in sin_zero, which "
         "means nothing.";
  EXPECT_IS(equal(labelled, v6("2001:db8::1", 80)), true)
      << "Address, zone and port are the same. The two differ in the flow "
         "label, which is no part of where a socket is.";
  EXPECT_IS(equal(unix_name({"/run/x\0Z", 8}), unix_name("/run/x")), true)
      << "A path ends at its first zero byte. The two differ after it.";
  EXPECT_IS(equal(unix_name({"@x", 3}), unix_name({"\0x", 2})), false)
      << "One is a file whose name begins with @, the other an abstract name.";
  EXPECT_IS(equal(v4("192.0.2.1", 80), v4("192.0.2.2", 80)), false)
      << "The addresses differ in their last byte.";
  EXPECT_IS(equal(v4("192.0.2.1", 80), v4("192.0.2.1", 81)), false)
      << "The ports differ.";
  EXPECT_IS(equal(v6("2001:db8::1", 80), v6("2001:db8::2", 80)), false)
      << "The addresses differ in their last byte.";
  EXPECT_IS(equal(v6("fe80::1", 80, 1), v6("fe80::1", 80, 2)), false)
      << "The zones differ: fe80::1 is another machine behind each interface.";
  EXPECT_IS(equal(v4("192.0.2.1", 80), v6("::ffff:192.0.2.1", 80)), false)
      << "The families differ: a socket of one cannot use the other.";
  EXPECT_IS(equal(unix_name("/run/x"), unix_name("/run/y")), false)
      << "The paths differ.";
}
