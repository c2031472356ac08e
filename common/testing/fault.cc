#include "common/testing/fault.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <set>
#include <stdexcept>

#include "common/testing/channel.h"
#include "common/testing/shim.h"

namespace graded {
namespace {

thread_local int unwatched_depth = 0;

struct Script {
  std::vector<Action> left;
  std::size_t done = 0;
};

struct State {
  std::mutex mutex;
  std::condition_variable called;
  std::vector<Record> records;
  std::map<Call, std::size_t> begun;
  std::map<Call, Script> scripts;
  std::set<int> test_descriptors;
};

// A forked child has a copy of the records: what it did would get mixed up with
// what its parent does.
const int forget_children =
    ::pthread_atfork(nullptr, nullptr, [] { ++unwatched_depth; });

// Never destroyed: code under test may call until the very end.
State& state() {
  static State* const only = new State;
  return *only;
}

std::atomic<bool> clock_is_virtual{false};
std::atomic<long long> virtual_ms{0};
long long real_start_ns = 0;

const char* family_name(Call family) {
  switch (family) {
    case Call::kSocket:
      return "socket()";
    case Call::kConnect:
      return "connect()";
    case Call::kBind:
      return "bind()";
    case Call::kListen:
      return "listen()";
    case Call::kAccept:
      return "accept()";
    case Call::kSend:
      return "send()";
    case Call::kReceive:
      return "recv()";
    case Call::kPoll:
      return "poll()";
    case Call::kShutdown:
      return "shutdown()";
    case Call::kOption:
      return "setsockopt()";
    case Call::kClose:
      return "close()";
    case Call::kOther:
      return "the call";
  }
  return "";
}

std::string action_text(const Action& action) {
  switch (action.kind) {
    case Action::kFails:
    case Action::kFailsAfter:
      return "fails with " + errno_name(action.error);
    case Action::kAtMost:
      return "moves only " + std::to_string(action.bytes) + " bytes";
    case Action::kReal:
      break;
  }
  return "is called once more";
}

std::vector<int> open_descriptors() {
  Unwatched ours;
  std::vector<int> fds;
  DIR* directory = ::opendir("/proc/self/fd");
  if (!directory) return fds;
  while (dirent* entry = ::readdir(directory)) {
    int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != ::dirfd(directory)) fds.push_back(fd);
  }
  ::closedir(directory);
  std::sort(fds.begin(), fds.end());
  return fds;
}

}  // namespace

Action fails(int error) {
  return {.kind = Action::kFails, .error = error};
}
Action fails_after(int error) {
  return {.kind = Action::kFailsAfter, .error = error};
}
Action at_most(std::size_t n) {
  return {.kind = Action::kAtMost, .bytes = n};
}
Action real() {
  return {};
}
Action always(Action action) {
  action.times = -1;
  return action;
}
Action first(std::function<void()> run) {
  return {.before = std::move(run)};
}

Action reports(std::function<void(std::span<pollfd>)> edit) {
  return {.edit = std::move(edit)};
}

Fault::Fault(Call family, std::vector<Action> actions, Reach reach)
    : family_(family), reach_(reach) {
  std::lock_guard lock(state().mutex);
  state().scripts[family] = {std::move(actions)};
}

Fault::~Fault() {
  Script script;
  {
    std::lock_guard lock(state().mutex);
    script = std::move(state().scripts[family_]);
    state().scripts.erase(family_);
  }
  // An `always` action counts as reached once it was used.
  bool used_up =
      script.left.empty() || (script.left[0].times < 0 && script.done > 0);
  if (used_up || reach_ == kMay || ::testing::Test::HasFailure() ||
      std::uncaught_exceptions() > 0)
    return;
  ADD_FAILURE() << "This test is about what happens when "
                << family_name(family_) << " " << action_text(script.left[0])
                << ", but your code came to that call " << script.done
                << " times only, so it did not happen.";
}

std::vector<Record> calls() {
  std::lock_guard lock(state().mutex);
  return state().records;
}

std::vector<Record> calls(Call family) {
  std::lock_guard lock(state().mutex);
  std::vector<Record> some;
  for (const Record& record : state().records)
    if (record.family == family) some.push_back(record);
  return some;
}

std::size_t count_calls(Call family) {
  std::lock_guard lock(state().mutex);
  return state().begun[family];
}

Record last_call(Call family) {
  std::lock_guard lock(state().mutex);
  const std::vector<Record>& all = state().records;
  for (auto it = all.rbegin(); it != all.rend(); ++it)
    if (it->family == family) return *it;
  Record none;
  none.family = family;
  return none;
}

void wait_for_calls(Call family, std::size_t n) {
  std::unique_lock lock(state().mutex);
  state().called.wait(lock, [&] { return state().begun[family] >= n; });
}

Unwatched::Unwatched() {
  ++unwatched_depth;
}
Unwatched::~Unwatched() {
  --unwatched_depth;
}

DescriptorCheck::DescriptorCheck() : before_(open_descriptors()) {}

std::vector<std::string> DescriptorCheck::left_open() const {
  std::vector<std::string> left;
  for (int fd : open_descriptors()) {
    {
      std::lock_guard lock(state().mutex);
      if (state().test_descriptors.contains(fd)) continue;
    }
    if (std::binary_search(before_.begin(), before_.end(), fd)) continue;
    char target[64] = {};
    std::string link = "/proc/self/fd/" + std::to_string(fd);
    if (::readlink(link.c_str(), target, sizeof target - 1) < 0) continue;
    left.push_back(std::to_string(fd) + ": " + target);
  }
  return left;
}

void own_descriptor(int fd) {
  std::lock_guard lock(state().mutex);
  state().test_descriptors.insert(fd);
}

void forget_descriptor(int fd) {
  std::lock_guard lock(state().mutex);
  state().test_descriptors.erase(fd);
}

VirtualClock::VirtualClock() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  real_start_ns = now.tv_sec * 1000000000LL + now.tv_nsec;
  virtual_ms = 0;
  clock_is_virtual = true;
}
VirtualClock::~VirtualClock() {
  clock_is_virtual = false;
}
long long VirtualClock::milliseconds() const {
  return virtual_ms;
}

namespace shim {

bool watched() {
  return unwatched_depth == 0;
}

Ticket begin(Call family, const char* name, int fd, std::string arguments,
             std::vector<long> numbers, std::span<const pollfd> set) {
  int saved = errno;
  std::string text = name + std::string("(");
  if (fd >= 0) text += std::to_string(fd) + (arguments.empty() ? "" : ", ");
  text += arguments + ")";
  Ticket ticket;
  {
    std::lock_guard lock(state().mutex);
    ticket.number = state().records.size();
    state().records.push_back({family, name, fd, std::move(numbers), text});
    state().records.back().set.assign(set.begin(), set.end());
    ++state().begun[family];
    Script& script = state().scripts[family];
    ++script.done;
    if (!script.left.empty()) {
      ticket.action = script.left.front();
      if (ticket.action.times > 0) script.left.erase(script.left.begin());
    }
  }
  channel::send({"call", std::to_string(ticket.number), text});
  state().called.notify_all();
  errno = saved;
  return ticket;
}

void end(const Ticket& ticket, long result, const std::string& written,
         std::span<const pollfd> set) {
  int saved = errno;
  int error = result < 0 ? saved : 0;
  {
    std::lock_guard lock(state().mutex);
    state().records[ticket.number].returned = true;
    state().records[ticket.number].result = result;
    state().records[ticket.number].error = error;
    state().records[ticket.number].set.assign(set.begin(), set.end());
  }
  std::string text = written.empty() ? std::to_string(result) : written;
  if (error) text += " " + errno_name(error);
  channel::send({"return", std::to_string(ticket.number), text});
  errno = saved;
}

std::string type_flags(int type) {
  std::string text;
  if (type & SOCK_CLOEXEC) text += "|SOCK_CLOEXEC";
  if (type & SOCK_NONBLOCK) text += "|SOCK_NONBLOCK";
  return text.empty() ? "0" : text.substr(1);
}

std::string socket_kind(int domain, int type, int protocol) {
  std::string text = domain == AF_INET    ? "AF_INET"
                     : domain == AF_INET6 ? "AF_INET6"
                     : domain == AF_UNIX  ? "AF_UNIX"
                                          : std::to_string(domain);
  int kind = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
  text += kind == SOCK_STREAM  ? ", SOCK_STREAM"
          : kind == SOCK_DGRAM ? ", SOCK_DGRAM"
                               : ", " + std::to_string(kind);
  std::string flags = type_flags(type);
  if (flags != "0") text += "|" + flags;
  if (protocol == 0 || protocol == IPPROTO_TCP) return text;
  // A flag in this place is a mistake that should be seen as one.
  flags = type_flags(protocol);
  return text + ", " + (flags == "0" ? std::to_string(protocol) : flags);
}

std::string address_text(const sockaddr* address, socklen_t size) {
  char text[INET6_ADDRSTRLEN] = "?";
  if (!address || size < sizeof(sa_family_t)) return "no address";
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    auto* in = reinterpret_cast<const sockaddr_in*>(address);
    ::inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(in->sin_port));
  }
  if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    auto* in = reinterpret_cast<const sockaddr_in6*>(address);
    ::inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
    return "[" + std::string(text) +
           "]:" + std::to_string(ntohs(in->sin6_port));
  }
  if (address->sa_family == AF_UNIX) {
    auto* un = reinterpret_cast<const sockaddr_un*>(address);
    std::size_t n = size - offsetof(sockaddr_un, sun_path);
    if (n > 0 && un->sun_path[0] == '\0')
      return "unix:@" + std::string(un->sun_path + 1, n - 1);
    return "unix:" + std::string(un->sun_path, ::strnlen(un->sun_path, n));
  }
  return "family " + std::to_string(address->sa_family) + ", " +
         std::to_string(size) + " bytes";
}

std::string revents_text(std::span<const pollfd> set) {
  std::string text;
  for (const pollfd& one : set) {
    if (!one.revents) continue;
    text += (text.empty() ? ": " : ", ") + std::to_string(one.fd);
    if (one.revents & POLLIN) text += " POLLIN";
    if (one.revents & POLLOUT) text += " POLLOUT";
    if (one.revents & POLLERR) text += " POLLERR";
    if (one.revents & POLLHUP) text += " POLLHUP";
    if (one.revents & POLLNVAL) text += " POLLNVAL";
  }
  return text;
}

std::string poll_text(const pollfd* fds, nfds_t n, int timeout) {
  std::string text;
  if (n > 3) text = std::to_string(n) + " descriptors, ";
  for (nfds_t i = 0; i < n && n <= 3; ++i) {
    text += std::to_string(fds[i].fd);
    if (fds[i].events & POLLIN) text += " POLLIN";
    if (fds[i].events & POLLOUT) text += " POLLOUT";
    text += ", ";
  }
  return text + (timeout < 0 ? "for ever" : std::to_string(timeout) + " ms");
}

std::string option_text(int level, int name) {
  if (level == SOL_SOCKET && name == SO_REUSEADDR) return "SO_REUSEADDR";
  if (level == SOL_SOCKET && name == SO_REUSEPORT) return "SO_REUSEPORT";
  if (level == SOL_SOCKET && name == SO_RCVTIMEO) return "SO_RCVTIMEO";
  if (level == SOL_SOCKET && name == SO_SNDTIMEO) return "SO_SNDTIMEO";
  if (level == SOL_SOCKET && name == SO_LINGER) return "SO_LINGER";
  if (level == SOL_SOCKET && name == SO_KEEPALIVE) return "SO_KEEPALIVE";
  if (level == IPPROTO_TCP && name == TCP_NODELAY) return "TCP_NODELAY";
  if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY) return "IPV6_V6ONLY";
  return "level " + std::to_string(level) + ", option " + std::to_string(name);
}

std::string octal(mode_t mode) {
  std::ostringstream text;
  text << std::showbase << std::oct << mode;
  return text.str();
}

int wait_on_clock(int timeout, const std::function<int(int)>& wait) {
  if (!clock_is_virtual) return wait(timeout);
  int ready = wait(0);
  if (ready != 0) return ready;
  if (timeout < 0)
    throw std::runtime_error(
        "the code waits for ever: nothing is ready, and no timer is set");
  virtual_ms += timeout;
  return 0;
}

void virtual_time(clockid_t clock, timespec* now) {
  if (!clock_is_virtual) return;
  if (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE) return;
  long long ns = real_start_ns + virtual_ms * 1000000;
  now->tv_sec = ns / 1000000000;
  now->tv_nsec = ns % 1000000000;
}

}  // namespace shim
}  // namespace graded
