#include "chapters/10_socket/connector.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "common/eai_name.h"
#include "common/todo.h"

namespace net {
namespace {

[[maybe_unused]] Error lookup_error(const std::string& code,
                                    const std::string& host) {
  Error error(code, "getaddrinfo " + code + " " + host);
  error.syscall = "getaddrinfo";
  return error;
}

// What resolve() gives, or throws, with Node's words for it.
[[maybe_unused]] std::optional<Error> try_to_resolve(
    const std::string& host, int port, int family,
    std::vector<Endpoint>& found) {
  std::string code;
  try {
    for (const Endpoint& it : resolve(host, std::to_string(port)))
      if (family == 0 || (family == 4) == (it.family() == AF_INET))
        found.push_back(it);
    if (!found.empty()) return std::nullopt;
    code = "ENOTFOUND";
  } catch (const ResolveError& error) {
    bool unknown = error.code == EAI_NONAME || error.code == EAI_NODATA;
    code = unknown ? "ENOTFOUND" : eai_name(error.code);
  } catch (const std::exception&) {
    code = "ENOTFOUND";  // it cannot be a name at all: it has a zero byte
  }
  return lookup_error(code, host);
}

// The local end that a socket for `remote` is to have, if any is asked for.
[[maybe_unused]] std::optional<Endpoint> local_end(const Endpoint& remote,
                                                   std::string address,
                                                   int port) {
  if (remote.family() == AF_UNIX || (address.empty() && port == 0))
    return std::nullopt;
  if (address.empty()) address = remote.family() == AF_INET ? "0.0.0.0" : "::";
  if (address.find(':') != std::string::npos) address = "[" + address + "]";
  return Endpoint::parse(address + ":" + std::to_string(port));
}

[[maybe_unused]] Error failure(int number, const char* call,
                               const Endpoint& end) {
  std::string operand = end.family() == AF_UNIX ? end.path() : end.to_string();
  Error error = Error::from_errno(number, call, operand);
  error.address = end.family() == AF_UNIX ? end.path() : end.host();
  error.port = end.port();
  return error;
}

// First, second, first, second, ...: the family of the first one leads.
std::vector<Endpoint> families_in_turn(std::vector<Endpoint> endpoints) {
  if (endpoints.empty()) return endpoints;
  int first = endpoints.front().family();
  auto second = std::stable_partition(
      endpoints.begin(), endpoints.end(),
      [&](const Endpoint& it) { return it.family() == first; });
  std::vector<Endpoint> in_turn;
  auto a = endpoints.begin(), b = second;
  while (a != second || b != endpoints.end()) {
    if (a != second) in_turn.push_back(*a++);
    if (b != endpoints.end()) in_turn.push_back(*b++);
  }
  return in_turn;
}

}  // namespace

// 10.1: shared with the thread, which may be in getaddrinfo() long after the
// Lookup, the socket and the loop are gone. Only the loop's thread looks at
// `done`, so no lock is needed: the destructor empties it.
struct Lookup::State {
  Done done;

  void answer(std::vector<Endpoint> found, std::optional<Error> error) {
    if (done) std::exchange(done, nullptr)(std::move(found), std::move(error));
  }
};

Lookup::Lookup(EventLoop&, std::string, int, int, Done) {
  TODO("10.1", "resolve() in a thread; loop.poster() brings the answer back");
}

Lookup::~Lookup() {
  // TODO(10.1): the answer may come still, and must find nobody.
}

struct Connector::State {
  EventLoop& loop;
  std::vector<Endpoint> endpoints;
  std::string local_address;
  int local_port;
  Done done;
  std::size_t next = 0;
  Fd fd = {};  // of the attempt that is under way
  TimerId timer = TimerId::kNone;
  std::optional<Error> first_error = {};

  // Ends the attempt, and gives its descriptor to the caller.
  Fd end_attempt() {
    if (fd) loop.unwatch(fd.get());
    loop.clear_timer(std::exchange(timer, TimerId::kNone));
    return std::move(fd);
  }

  void finish(Fd connected, std::optional<Error> error) {
    // 10.1: taken out first: it may destroy us.
    Done last = std::move(done);
    last(std::move(connected), std::move(error));
  }

  void try_next() {
    TODO("10.1", "begin the next attempt; if there is none: the first error");
  }

  void note(Error error) {
    end_attempt().reset();
    if (!first_error) first_error = std::move(error);
  }

  // Nothing: it is under way, or done already, which poll() will say.
  std::optional<Error> begin(const Endpoint&) {
    TODO("10.1", "socket(), bind() if it is asked for, connect(), watch()");
  }

  // 10.1: writable means that it is decided, not that it went well.
  void settle(const Endpoint&) {
    TODO("10.1", "how did it go? Done, or the next one");
  }
};

Connector::Connector(EventLoop& loop, std::vector<Endpoint> endpoints,
                     std::string local_address, int local_port, Done done)
    : state_(new State{loop, families_in_turn(std::move(endpoints)),
                       std::move(local_address), local_port, std::move(done)}) {
  TODO("10.1", "try the first endpoint, but not in this call");
}

Connector::~Connector() {
  // TODO(10.1): give up what is under way.
}

}  // namespace net
