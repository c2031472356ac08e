#include "tests/01_addresses/fake_resolver.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <set>

#include "common/eai_name.h"
#include "common/testing/graded.h"

namespace {

// Hosts that a null pointer asks for.
const std::string kForeign = "foreign";
const std::string kLoopback = "(loopback)", kWildcard = "(wildcard)";

struct Failure {
  int code, error;
};

// One entry of a list, and the address that it points to.
struct Entry {
  addrinfo info = {};
  sockaddr_storage address = {};
};

}  // namespace

struct FakeResolver::State {
  std::map<std::string, std::vector<std::string>> known = {
      {kLoopback, {"::1", "127.0.0.1"}},
      {"localhost", {"::1", "127.0.0.1"}},
      {kWildcard, {"::", "0.0.0.0"}}};
  std::map<std::string, Failure> failing;
  std::deque<Entry> entries;  // of all lists: they stay where they are
  std::set<addrinfo*> lists;
  int look_ups = 0, freed = 0;

  int answer(const std::string& host, const char* service,
             const addrinfo& hints, addrinfo** list);
  addrinfo* entry(const std::string& address, std::uint16_t port, int type);
};

namespace {

FakeResolver::State* current = nullptr;

// As the C library reads a port: any number, of which it keeps 16 bits.
bool read_port(const std::string& service, std::uint16_t& port) {
  static const std::map<std::string, std::uint16_t> kNames = {
      {"http", 80}, {"https", 443}, {"9pfs", 564}};
  auto named = kNames.find(service);
  if (named != kNames.end()) {
    port = named->second;
    return true;
  }
  char* end = nullptr;
  port = static_cast<std::uint16_t>(std::strtoul(service.c_str(), &end, 10));
  return *end == '\0';
}

bool is_v4(const std::string& address) {
  return address.find(':') == address.npos;
}

std::string argument(const char* text) {
  return text ? graded::in_quotes(text) : "NULL";
}

}  // namespace

addrinfo* FakeResolver::State::entry(const std::string& address,
                                     std::uint16_t port, int type) {
  Entry& made = entries.emplace_back();
  made.info.ai_family = is_v4(address) ? AF_INET : AF_INET6;
  made.info.ai_socktype = type;
  made.info.ai_addr = reinterpret_cast<sockaddr*>(&made.address);
  if (address == kForeign) {
    made.info.ai_family = made.address.ss_family = AF_PACKET;
    made.info.ai_addrlen = sizeof made.address;
    return &made.info;
  }
  if (is_v4(address)) {
    sockaddr_in v4{AF_INET, htons(port), {}, {}};
    ::inet_pton(AF_INET, address.c_str(), &v4.sin_addr);
    std::memcpy(&made.address, &v4, sizeof v4);
    made.info.ai_addrlen = sizeof v4;
  } else {
    sockaddr_in6 v6{AF_INET6, htons(port), 0, {}, 0};
    ::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr);
    std::memcpy(&made.address, &v6, sizeof v6);
    made.info.ai_addrlen = sizeof v6;
  }
  return &made.info;
}

int FakeResolver::State::answer(const std::string& host, const char* service,
                                const addrinfo& hints, addrinfo** list) {
  ++look_ups;
  auto failure = failing.find(host);
  if (failure != failing.end()) {
    errno = failure->second.error;
    return failure->second.code;
  }
  std::uint16_t port = 0;
  if (service && !read_port(service, port)) return EAI_SERVICE;
  std::vector<int> types = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW};
  if (hints.ai_protocol == IPPROTO_TCP) types = {SOCK_STREAM};
  if (hints.ai_socktype != 0) types = {hints.ai_socktype};
  addrinfo *first = nullptr, **next = &first;
  for (const std::string& address : known[host]) {
    bool foreign = address == kForeign;
    if (!foreign && hints.ai_family == (is_v4(address) ? AF_INET6 : AF_INET))
      continue;
    for (int type : types) {
      *next = entry(address, port, type);
      next = &(*next)->ai_next;
    }
  }
  if (!first) return EAI_NONAME;
  lists.insert(first);
  *list = first;
  return 0;
}

FakeResolver::FakeResolver() : state_(std::make_unique<State>()) {
  current = state_.get();
}

FakeResolver::~FakeResolver() {
  current = nullptr;
}

void FakeResolver::knows(std::string host, std::vector<std::string> addresses) {
  state_->known[std::move(host)] = std::move(addresses);
}

void FakeResolver::fails(std::string host, int code, int error) {
  state_->failing[std::move(host)] = {code, error};
}

int FakeResolver::look_ups() const {
  return state_->look_ups;
}

int FakeResolver::lists_handed_out() const {
  return static_cast<int>(state_->lists.size());
}

int FakeResolver::lists_freed() const {
  return state_->freed;
}

extern "C" {

int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                addrinfo** list) {
  static const auto real = reinterpret_cast<decltype(&::getaddrinfo)>(
      ::dlsym(RTLD_NEXT, "getaddrinfo"));
  addrinfo asked = hints ? *hints : addrinfo{};
  if (!current || asked.ai_flags & AI_NUMERICHOST)
    return real(host, service, hints, list);
  const std::string& none = asked.ai_flags & AI_PASSIVE ? kWildcard : kLoopback;
  int code = current->answer(host ? host : none, service, asked, list);
  int error = errno;
  graded::step("you", "getaddrinfo(" + argument(host) + ", " +
                          argument(service) +
                          ") = " + (code == 0 ? "0" : net::eai_name(code)));
  errno = error;
  return code;
}

void freeaddrinfo(addrinfo* list) noexcept {
  static const auto real = reinterpret_cast<decltype(&::freeaddrinfo)>(
      ::dlsym(RTLD_NEXT, "freeaddrinfo"));
  if (!current || !current->lists.count(list)) return real(list);
  ++current->freed;
  // Nobody may look at them any more.
  for (addrinfo* it = list; it; it = it->ai_next)
    std::memset(it->ai_addr, 0xaa, it->ai_addrlen);
  graded::step("you", "freeaddrinfo(list) = void");
}

}  // extern "C"
