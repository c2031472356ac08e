// Connector: from a name, or an address, to a connected descriptor; without
// waiting for anything.
//
//   net::Lookup lookup(loop, "localhost", 0, [&](auto found, auto error) {
//     if (!error) connector.emplace(loop, with_port(found, 80), ...);
//   });
//
// Both belong to the loop's thread, and neither keeps run() going by itself:
// the Socket does that.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chapters/01_addresses/endpoint.h"
#include "chapters/05_unix_sockets/fd.h"
#include "chapters/07_event_loop/event_loop.h"
#include "common/error.h"

namespace net {

// Resolves `host` in a thread of its own, so that the loop goes on meanwhile
// (LOOKUP-1). `done` runs on the loop's thread, once, unless the Lookup is
// destroyed before: with the endpoints of port `port` and of `family` (4, 6; 0:
// both), or with an error of syscall "getaddrinfo": ENOTFOUND when there is no
// such name, else the resolver's code (CONN-9).
class Lookup {
 public:
  using Done = std::function<void(std::vector<Endpoint>, std::optional<Error>)>;
  Lookup(EventLoop& loop, std::string host, int port, int family, Done done);
  ~Lookup();  // does not wait for the resolver

 private:
  struct State;  // yours to design: see connector.cc
  std::shared_ptr<State> state_;
};

// How long an attempt may take while there are more addresses to try. Then it
// has failed, with ETIMEDOUT.
inline constexpr std::chrono::milliseconds kAttemptTimeout{250};

// Tries the endpoints one after the other, first and second family in turn,
// until one accepts (CONN-21). `done` runs once, from the loop, unless the
// Connector is destroyed before: with a non-blocking descriptor, or with the
// error of the first attempt that failed. Its syscall is "connect", or "bind"
// when the local end cannot be had; its address and port are those of that end
// (CONN-7, CONN-8, CONN-12).
class Connector {
 public:
  using Done = std::function<void(Fd, std::optional<Error>)>;
  // `local_address` "" and `local_port` 0: the system chooses (CONN-11).
  Connector(EventLoop& loop, std::vector<Endpoint> endpoints,
            std::string local_address, int local_port, Done done);
  ~Connector();  // closes what is not connected

 private:
  struct State;  // yours to design: see connector.cc
  std::unique_ptr<State> state_;
};

}  // namespace net
