#include "chapters/10_socket/connector.h"

#include <arpa/inet.h>
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

namespace net {
namespace {

bool is_address(const std::string& host) {
  in6_addr any;  // has room for both
  return ::inet_pton(AF_INET, host.c_str(), &any) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &any) == 1;
}

Error lookup_error(const std::string& code, const std::string& host) {
  Error error(code, "getaddrinfo " + code + " " + host);
  error.syscall = "getaddrinfo";
  return error;
}

// What resolve() gives, or throws, with Node's words for it.
std::optional<Error> try_to_resolve(const std::string& host, int port,
                                    int family, std::vector<Endpoint>& found) {
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
std::optional<Endpoint> local_end(const Endpoint& remote, std::string address,
                                  int port) {
  if (remote.family() == AF_UNIX || (address.empty() && port == 0))
    return std::nullopt;
  if (address.empty()) address = remote.family() == AF_INET ? "0.0.0.0" : "::";
  if (address.find(':') != std::string::npos) address = "[" + address + "]";
  return Endpoint::parse(address + ":" + std::to_string(port));
}

Error failure(int number, const char* call, const Endpoint& end) {
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

Lookup::Lookup(EventLoop& loop, std::string host, int port, int family,
               Done done)
    : state_(std::make_shared<State>()) {
  state_->done = std::move(done);
  // 10.1: the thread holds on to `state_` weakly: what `done` holds belongs to
  // the loop's thread, and must not be destroyed in this one.
  std::weak_ptr<State> state = state_;
  auto look_up = [host, port, family, state](auto& answer_by) {
    std::vector<Endpoint> found;
    std::optional<Error> error = try_to_resolve(host, port, family, found);
    answer_by([state, found = std::move(found), error = std::move(error)] {
      if (auto alive = state.lock()) alive->answer(found, error);
    });
  };
  // 10.1: nothing to wait for; and a process without a second thread counts its
  // shared_ptrs without atomic instructions.
  auto later = [&loop](auto answer) { loop.defer(std::move(answer)); };
  if (is_address(host)) {
    look_up(later);
    return;
  }
  try {
    std::thread([poster = loop.poster(), look_up] {
      look_up(poster);
    }).detach();
  } catch (const std::system_error&) {  // no more threads, for now
    loop.defer([state, error = lookup_error("EAI_AGAIN", host)] {
      if (auto alive = state.lock()) alive->answer({}, error);
    });
  }
}

Lookup::~Lookup() {
  state_->done = nullptr;
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
    while (next < endpoints.size()) {
      const Endpoint& remote = endpoints[next++];
      std::optional<Error> error = begin(remote);
      if (!error) return;
      note(*error);
    }
    finish(Fd(), std::move(first_error));
  }

  void note(Error error) {
    end_attempt().reset();
    if (!first_error) first_error = std::move(error);
  }

  // Nothing: it is under way, or done already, which poll() will say.
  std::optional<Error> begin(const Endpoint& remote) {
    fd = Fd(::socket(remote.family(),
                     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return failure(errno, "connect", remote);
    if (auto local = local_end(remote, local_address, local_port)) {
      // 10.1: or the port of a connection that is over is taken for a minute.
      int on = 1;
      ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      if (::bind(fd.get(), local->address(), local->size()) < 0)
        return failure(errno, "bind", *local);
    }
    // 10.1: after EINTR the attempt goes on by itself, as after EINPROGRESS.
    // EAGAIN is a unix path's own answer: its queue is full, and nothing goes
    // on.
    if (::connect(fd.get(), remote.address(), remote.size()) < 0 &&
        errno != EINPROGRESS && errno != EINTR)
      return failure(errno, "connect", remote);
    loop.watch(fd.get(), POLLOUT, [this, &remote](short) { settle(remote); });
    loop.unref(fd.get());
    if (next < endpoints.size()) {
      timer = loop.set_timeout(kAttemptTimeout, [this, &remote] {
        note(failure(ETIMEDOUT, "connect", remote));
        try_next();
      });
      loop.unref(timer);
    }
    return std::nullopt;
  }

  // 10.1: writable means that it is decided, not that it went well.
  void settle(const Endpoint& remote) {
    int number = 0;
    socklen_t size = sizeof number;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &number, &size);
    if (number == 0) return finish(end_attempt(), std::nullopt);
    note(failure(number, "connect", remote));
    try_next();
  }
};

Connector::Connector(EventLoop& loop, std::vector<Endpoint> endpoints,
                     std::string local_address, int local_port, Done done)
    : state_(new State{loop, families_in_turn(std::move(endpoints)),
                       std::move(local_address), local_port, std::move(done)}) {
  // 10.1: not in this call: who makes a Connector does not have it yet. As a
  // timer and not as a deferred task, because a timer can be taken back.
  state_->timer = loop.set_timeout({}, [state = state_.get()] {
    state->timer = TimerId::kNone;
    state->try_next();
  });
}

Connector::~Connector() {
  state_->end_attempt().reset();
}

// Also right: a pool of threads for getaddrinfo(), as libuv has; attempts that
// overlap, the next one begun while the last goes on (RFC 8305): more sockets,
// and faster where one family is broken without saying so.

}  // namespace net
