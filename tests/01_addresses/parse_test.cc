#include "chapters/01_addresses/endpoint.h"
#include "common/testing/graded.h"
#include "tests/01_addresses/fake_resolver.h"
#include "tests/01_addresses/raw.h"

using namespace raw;

namespace {

// The words of the exception, or "accepted".
std::string complaint(std::string_view text) {
  try {
    net::Endpoint::parse(text);
    return "accepted";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

std::string path_of(std::size_t bytes) {
  return "/" + std::string(bytes - 1, 'x');
}

}  // namespace

TEST(Parse, ReadsAnIPv4AddressAndItsPort) {
  RULE("PARSE-1");

  EXPECT_IS(parsed("192.0.2.1:8080"), "IPv4 192.0.2.1, port 8080")
      << "This was made of the bytes behind address(). The kernel reads the "
         "port's more significant byte first: 8080 is 1f 90.";
  EXPECT_IS(parsed("0.0.0.0:1"), "IPv4 0.0.0.0, port 1")
      << "0.0.0.0 is an address like any other, and port 1 is 00 01.";
  EXPECT_IS(parsed("255.255.255.255:80"), "IPv4 255.255.255.255, port 80")
      << "Every byte goes up to 255. (To inet_addr(3) this address is -1, as "
         "is every error.)";
}

// Ports whose two bytes are the same: their order is another rule's.
TEST(Parse, TakesAPortFrom0To65535Only) {
  RULE("PARSE-2");

  EXPECT_IS(parsed("192.0.2.1:0"), "IPv4 192.0.2.1, port 0")
      << "0 is a port: to bind() it means \"any free one\".";
  EXPECT_IS(parsed("192.0.2.1:65535"), "IPv4 192.0.2.1, port 65535")
      << "65535 is the largest number of 16 bits.";
  EXPECT_IS(refusal("192.0.2.1:65536"), "refused")
      << "65536 does not fit into 16 bits. Cut to them it is 0.";
  EXPECT_IS(refusal("192.0.2.1:4294967296"), "refused")
      << "This does not fit into 32 bits. Cut to them it is 0.";
  EXPECT_IS(refusal("192.0.2.1:99999999999999999999"), "refused")
      << "This fits into no integer type.";
  EXPECT_IS(refusal("192.0.2.1:0x"), "refused")
      << "There is an x after the port. Whoever typed that meant something "
         "else.";
  EXPECT_IS(refusal("192.0.2.1:-0"), "refused") << "A port has no sign.";
  EXPECT_IS(refusal("192.0.2.1: 0"), "refused") << "A space is no digit.";
  EXPECT_IS(refusal("192.0.2.1:"), "refused") << "There is no port.";
  EXPECT_IS(refusal("192.0.2.1:http"), "refused")
      << "Names of services are for resolve().";
}

TEST(Parse, RefusesAndQuotesWhatIsNoAddress) {
  RULE("PARSE-3");
  FakeResolver resolver;

  EXPECT_IS(refusal("192.0.2:0"), "refused")
      << "An IPv4 address has four numbers. inet_aton(3) reads three, as "
         "192.0.0.2.";
  EXPECT_IS(refusal("192.0.2.256:0"), "refused")
      << "Each number is a byte: 255 at most.";
  EXPECT_IS(refusal("192.0.2.1"), "refused") << "There is no port.";
  EXPECT_IS(refusal(""), "refused") << "There is nothing at all.";
  EXPECT_IS(refusal("localhost:0"), "refused")
      << "This is a name. Names are for resolve(), which asks.";
  EXPECT_IS(resolver.look_ups(), 0)
      << "Asking a resolver can take seconds, and parse() promises not to.";
  std::string words = complaint("192.0.2:0");
  bool quotes_it = words.find("192.0.2:0") != words.npos;
  EXPECT_IS(quotes_it, true)
      << "The exception says: " << words
      << "\nThe user has written 192.0.2:0 somewhere, and must find it.";
}

TEST(Parse, ReadsIPv6InBracketsOnly) {
  RULE("PARSE-4");

  EXPECT_IS(parsed("[::1]:80"), "IPv6 ::1, port 80")
      << "The address is between the brackets, and the port after \"]:\".";
  EXPECT_IS(parsed("[2001:db8::8a2e:370:7334]:8080"),
            "IPv6 2001:db8::8a2e:370:7334, port 8080")
      << "An IPv6 address has many colons.";
  EXPECT_IS(parsed("[::ffff:192.0.2.1]:80"), "IPv6 ::ffff:192.0.2.1, port 80")
      << "An IPv6 address may end like an IPv4 one.";
  EXPECT_IS(refusal("::1:0"), "refused")
      << "Is this ::1 with port 0, or the address ::1:0 without a port? "
         "Nobody knows.";
  EXPECT_IS(refusal("[::1]"), "refused") << "There is no port.";
  EXPECT_IS(refusal("[::1]80"), "refused")
      << "The colon between bracket and port is missing.";
  EXPECT_IS(refusal("[::1:0"), "refused") << "The second bracket is missing.";
  EXPECT_IS(refusal("[192.0.2.1]:0"), "refused")
      << "Brackets are for IPv6, and this is IPv4.";
}

TEST(Parse, KeepsAndPrintsTheZone) {
  RULE("ZONE-1");
  unsigned lo = ::if_nametoindex("lo");
  std::string number = std::to_string(lo);

  EXPECT_IS(parsed("[fe80::1%lo]:257"),
            "IPv6 fe80::1, port 257, zone " + number)
      << "The zone is the interface lo, whose number here is " << number
      << ". Without a zone connect() fails with EINVAL.";
  EXPECT_IS(parsed("[fe80::1%" + number + "]:257"),
            "IPv6 fe80::1, port 257, zone " + number)
      << "A zone may also be the interface's number.";
  EXPECT_IS(parsed("[fe80::1%999999]:257"),
            "IPv6 fe80::1, port 257, zone 999999")
      << "A number is taken as it is, also if no interface has it now.";
  EXPECT_IS(refusal("[fe80::1%no-such-if]:257"), "refused")
      << "There is no interface no-such-if.";
  EXPECT_IS(refusal("[fe80::1%1x]:257"), "refused")
      << "1x is neither an interface nor a number.";
  EXPECT_IS(refusal("[fe80::1%]:257"), "refused")
      << "After the % there is no zone.";
  EXPECT_IS(endpoint(v6("fe80::1", 257, lo)).host(), "fe80::1%lo")
      << "sin6_scope_id is " << lo << ", and that is the interface lo.";
  EXPECT_IS(endpoint(v6("fe80::1", 257, 999999)).host(), "fe80::1%999999")
      << "No interface has this number, so the number stands for itself. "
         "Without it the address would be another one.";
}

TEST(Parse, KeepsAWholePathOrRefusesIt) {
  RULE("PATH-1");

  EXPECT_IS(parsed("unix:/run/x.sock"), "unix path /run/x.sock")
      << "A path is kept as it is, and a zero byte ends it.";
  EXPECT_IS(parsed("unix:a:1"), "unix path a:1")
      << "In a path a colon is a letter like any other.";
  EXPECT_IS(parsed("unix:" + path_of(107)), "unix path " + path_of(107))
      << "sun_path has 108 bytes: 107 for a path, and one for the zero that "
         "ends it.";
  EXPECT_IS(refusal("unix:" + path_of(108)), "refused")
      << "This path has 108 bytes. Cut to 107 it is another file's.";
  EXPECT_IS(refusal("unix:@" + path_of(108)), "refused")
      << "With the '@' these are 109 bytes: one more than sun_path has.";
  EXPECT_IS(refusal("unix:"), "refused") << "There is no path.";
  EXPECT_IS(refusal({"unix:/run/x\0y", 13}), "refused")
      << "The kernel takes the zero byte for the end, so this would be the "
         "file /run/x.";
  net::Endpoint reported = endpoint(unix_name({"/run/x", 7}));
  EXPECT_IS(reported.path(), "/run/x")
      << "The zero byte is the end of the path, and no part of it.";
  EXPECT_IS(reported.to_string(), "unix:/run/x")
      << "This is how parse() reads it.";
  EXPECT_IS(reported.host() + " " + std::to_string(reported.port()), " 0")
      << "A path has no host, and its port is 0.";
  EXPECT_IS(endpoint(v4("192.0.2.1", 80)).path(), "")
      << "An IPv4 address has no path.";
}

TEST(Parse, KnowsAbstractNames) {
  RULE("PATH-2");
  std::string longest(107, 'x');

  EXPECT_IS(parsed("unix:@name"), "unix abstract, size 7: name")
      << "A zero byte stands in place of the '@', after the 2 bytes of the "
         "family. The name ends where the size says: each zero byte after it "
         "is part of the name.";
  EXPECT_IS(parsed("unix:@" + longest), "unix abstract, size 110: " + longest)
      << "108 bytes with the '@' fill sun_path. No zero byte has to follow.";
  EXPECT_IS(parsed({"unix:@a\0b", 9}),
            std::string("unix abstract, size 6: a\0b", 26))
      << "In an abstract name a zero byte is a byte like any other.";
  EXPECT_IS(endpoint(unix_name({"\0a\0b", 4})).path(), std::string("@a\0b", 4))
      << "The name is every byte that the size covers.";
  EXPECT_IS(endpoint(unix_name("")).path(), "")
      << "This socket has no name: its size is that of the family, 2 bytes.";
}
