// A resolver that knows what the test tells it, in place of the machine's own:
// its getaddrinfo() stands in front of libc's.
//
//   FakeResolver resolver;
//   resolver.knows("example.com", {"2001:db8::1", "192.0.2.1"});
//   net::resolve("example.com", "http");
//
// It knows this machine's loopback and the services http, https and 9pfs. While
// none lives, and for AI_NUMERICHOST, which asks nobody, libc answers.
#pragma once

#include <memory>
#include <string>
#include <vector>

class FakeResolver {
 public:
  FakeResolver();
  ~FakeResolver();
  FakeResolver(const FakeResolver&) = delete;

  // Numeric addresses, in the order of the answer; "foreign" is of AF_PACKET.
  void knows(std::string host, std::vector<std::string> addresses);
  // getaddrinfo() returns `code`, and leaves `error` in errno.
  void fails(std::string host, int code, int error);

  int look_ups() const;
  int lists_handed_out() const;
  int lists_freed() const;  // one that is freed twice counts twice

  struct State;

 private:
  std::unique_ptr<State> state_;
};
