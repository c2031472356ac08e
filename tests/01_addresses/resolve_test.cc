#include <netdb.h>

#include "chapters/01_addresses/endpoint.h"
#include "common/eai_name.h"
#include "common/testing/graded.h"
#include "tests/01_addresses/fake_resolver.h"
#include "tests/01_addresses/raw.h"

namespace {

// What resolve() returns, or what it throws.
std::vector<std::string> found(const std::string& host,
                               const std::string& service) {
  std::vector<std::string> lines;
  try {
    for (const net::Endpoint& endpoint : net::resolve(host, service))
      lines.push_back(raw::seen_by_kernel(endpoint));
  } catch (const net::ResolveError& error) {
    lines.push_back(net::eai_name(error.code));
  } catch (const std::invalid_argument&) {
    lines.push_back("refused");
  }
  return lines;
}

// The same as one line, without repetitions.
std::string answer(const std::string& host, const std::string& service) {
  std::string all;
  for (const std::string& line : found(host, service))
    if (all.find(line) == all.npos) all += (all.empty() ? "" : " and ") + line;
  return all;
}

// The words of the exception.
std::string complaint(const std::string& host) {
  try {
    net::resolve(host, "80");
    return "nothing";
  } catch (const net::ResolveError& error) {
    return error.what();
  }
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST(Resolve, FindsEachAddressOnceInOrder) {
  RULE("RESOLVE-1");
  FakeResolver resolver;
  resolver.knows("example.com",
                 {"2001:db8::1", "192.0.2.1", "2001:db8::1", "192.0.2.2"});
  graded::Trace trace;

  for (const std::string& line : found("example.com", "8080")) trace.add(line);

  EXPECT_TRUE(
      trace.is({"IPv6 2001:db8::1, port 8080", "IPv4 192.0.2.1, port 8080",
                "IPv4 192.0.2.2, port 8080"}))
      << "The resolver's list is 2001:db8::1, 192.0.2.1, 2001:db8::1 once more "
         "and 192.0.2.2. Its order is the one to try them in. Whoever does not "
         "ask for SOCK_STREAM gets each once per kind of socket: three times.";
  EXPECT_IS(answer("", "80"), "IPv6 ::1, port 80 and IPv4 127.0.0.1, port 80")
      << "An empty host is this machine's loopback.";
}

TEST(Resolve, KnowsServicesByNameAndNumber) {
  RULE("RESOLVE-2");
  FakeResolver resolver;
  resolver.knows("example.com", {"192.0.2.1"});

  EXPECT_IS(answer("example.com", "http"), "IPv4 192.0.2.1, port 80")
      << "The resolver knows that http is port 80.";
  EXPECT_IS(answer("example.com", "9pfs"), "IPv4 192.0.2.1, port 564")
      << "The name of a service may begin with a digit. The resolver knows "
         "this one.";
  EXPECT_IS(answer("example.com", "no-such-service"), "EAI_SERVICE")
      << "The resolver does not know this one, and says so.";
  EXPECT_IS(answer("example.com", "65535"), "IPv4 192.0.2.1, port 65535")
      << "65535 is the largest port.";
  EXPECT_IS(answer("example.com", "65536"), "refused")
      << "getaddrinfo() takes 65536 for port 0, without a word.";
  EXPECT_IS(answer("example.com", "4294967376"), "refused")
      << "getaddrinfo() takes 4294967376 for port 80: it is 2 to the 32, and "
         "80.";
  EXPECT_IS(answer("example.com", "+65616"), "refused")
      << "A port has no sign. getaddrinfo() takes this for port 80.";
  EXPECT_IS(answer("example.com", ""), "refused")
      << "This is neither number nor name. getaddrinfo() takes it for port 0.";
}

TEST(Resolve, ReportsAFailureAsTheResolverDoes) {
  RULE("RESOLVE-3");
  FakeResolver resolver;
  resolver.fails("no.example.com", EAI_NONAME, ENOENT);
  resolver.fails("later.example.com", EAI_AGAIN, ECONNREFUSED);
  resolver.fails("full.example.com", EAI_SYSTEM, EMFILE);

  EXPECT_IS(answer("no.example.com", "80"), "EAI_NONAME")
      << "Nobody knows this name. That is what getaddrinfo() returned.";
  EXPECT_IS(answer("later.example.com", "80"), "EAI_AGAIN")
      << "No name server answered. Another try may succeed.";
  EXPECT_IS(answer("full.example.com", "80"), "EAI_SYSTEM")
      << "This code means: the reason is in errno.";
  std::string words = complaint("no.example.com");
  std::string system_words = complaint("full.example.com");
  bool says_why = holds(words, ::gai_strerror(EAI_NONAME));
  bool says_system_why = holds(system_words, std::strerror(EMFILE));
  EXPECT_IS(says_why, true)
      << "The exception says: " << words
      << "\nThe resolver says: " << ::gai_strerror(EAI_NONAME)
      << "\nerrno is ENOENT: some file was looked for on the way.";
  EXPECT_IS(says_system_why, true)
      << "The exception says: " << system_words
      << "\nThe code is EAI_SYSTEM, so errno has the reason. It is EMFILE: "
      << std::strerror(EMFILE);
}

TEST(Resolve, FreesEachListOnce) {
  RULE("RESOLVE-4");
  FakeResolver resolver;
  resolver.knows("example.com", {"2001:db8::1", "192.0.2.1"});
  resolver.knows("odd.example.com", {"foreign"});

  for (int i = 0; i < 3; ++i) net::resolve("example.com", "80");

  EXPECT_IS(resolver.lists_handed_out(), 3)
      << "Three questions to getaddrinfo(), three lists.";
  EXPECT_IS(resolver.lists_freed(), 3)
      << "getaddrinfo() allocates its list and leaves it to you: "
         "freeaddrinfo(), once for each.";

  try {
    net::resolve("odd.example.com", "80");
  } catch (const std::invalid_argument&) {
  }

  EXPECT_IS(resolver.lists_freed(), 4)
      << "One list more, and its address is of no family that from() takes. "
         "When from() throws, the list is still yours to free.";
}
