// addresses ENDPOINT      what an address is made of
// addresses HOST SERVICE  the same of every address of a name
//
//   addresses 127.0.0.1:8080
//   addresses localhost http
#include <arpa/inet.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "chapters/01_addresses/endpoint.h"
#include "common/eai_name.h"
#include "common/todo.h"

namespace {

const char* family_name(const net::Endpoint& endpoint) {
  switch (endpoint.family()) {
    case AF_INET:
      return "AF_INET";
    case AF_INET6:
      return "AF_INET6";
    default:
      return "AF_UNIX";
  }
}

const char* kind(const net::Endpoint& endpoint) try {
  if (endpoint.is_wildcard()) return "wildcard";
  return endpoint.is_loopback() ? "loopback" : "-";
} catch (const todo::NotYet&) {
  return "?";
}

void print(const net::Endpoint& endpoint) {
  std::printf("%-28s %-9s %5u  %4u  %s\n", endpoint.to_string().c_str(),
              family_name(endpoint), endpoint.port(), endpoint.size(),
              kind(endpoint));
  const auto* bytes =
      reinterpret_cast<const unsigned char*>(endpoint.address());
  for (socklen_t i = 0; i < endpoint.size(); ++i)
    std::printf("%s%02x%s", i % 16 == 0 ? "   " : "", bytes[i],
                i % 16 == 15 || i + 1 == endpoint.size() ? "\n" : " ");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::cerr << "usage: addresses ENDPOINT\n"
                 "       addresses HOST SERVICE\n";
    return 2;
  }
  try {
    std::vector<net::Endpoint> found;
    if (argc == 2)
      found.push_back(net::Endpoint::parse(argv[1]));
    else
      found = net::resolve(argv[1], argv[2]);
    std::printf("%-28s %-9s %5s  %4s  %s\n", "endpoint", "family", "port",
                "size", "kind");
    for (const net::Endpoint& endpoint : found) print(endpoint);
    return 0;
  } catch (const net::ResolveError& error) {
    std::cerr << "addresses: " << error.what() << " ("
              << net::eai_name(error.code) << ")\n";
  } catch (const std::exception& error) {
    std::cerr << "addresses: " << error.what() << "\n";
  }
  return 1;
}
