// Definitions of the socket calls that stand in front of libc's own. The
// dynamic linker takes the first definition it meets, which is the one in the
// program; RTLD_NEXT is the libc's, or the sanitizer's.
#include "common/testing/shim.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstring>

#define REAL(name)              \
  static const auto real_call = \
      reinterpret_cast<decltype(&::name)>(::dlsym(RTLD_NEXT, #name))

namespace graded::shim {
namespace {

constexpr std::size_t kNoLimit = SIZE_MAX;
constexpr std::size_t kThenFail = SIZE_MAX - 1;  // no limit either

bool is_socket(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

// A number, but nobody's: it has been closed before.
bool is_free(int fd) {
  struct stat status;
  return fd >= 0 && ::fstat(fd, &status) < 0 && errno == EBADF;
}

// At most `limit` bytes of a vector of buffers.
std::vector<iovec> limited(const iovec* parts, std::size_t n,
                           std::size_t limit) {
  std::vector<iovec> out;
  for (std::size_t i = 0; i < n && limit > 0; ++i) {
    iovec part = parts[i];
    part.iov_len = std::min(part.iov_len, limit);
    limit -= part.iov_len;
    out.push_back(part);
  }
  return out;
}

std::size_t total(const iovec* parts, std::size_t n) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += parts[i].iov_len;
  return sum;
}

std::string bytes(std::size_t n) {
  return std::to_string(n) + " bytes";
}

// The descriptors that a message carries: ", 2 descriptors: 5, 0".
std::string passengers(const msghdr* message) {
  if (!message->msg_controllen) return "";
  const cmsghdr* header = CMSG_FIRSTHDR(message);
  if (!header || header->cmsg_level != SOL_SOCKET ||
      header->cmsg_type != SCM_RIGHTS || header->cmsg_len < CMSG_LEN(0) ||
      header->cmsg_len > message->msg_controllen)
    return " and control data";
  std::size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  std::string text = n == 1 ? ", 1 descriptor" : ", ";
  if (n != 1) text += std::to_string(n) + " descriptors";
  for (std::size_t i = 0; i < n && i < 4; ++i) {
    int number;
    std::memcpy(&number, CMSG_DATA(header) + i * sizeof number, sizeof number);
    text += (i == 0 ? ": " : ", ") + std::to_string(number);
  }
  return n > 4 ? text + ", ..." : text;
}

// How a result is written, where the number alone says little.
using ResultText = std::function<std::string(long)>;

// One call of a family: `real(limit)` does it. `fd_text` is the argument list.
template <typename Real>
long answer(Call family, const char* name, int fd, std::string arguments,
            std::vector<long> numbers, Real real,
            const ResultText& text = nullptr, std::span<pollfd> set = {}) {
  Ticket ticket =
      begin(family, name, fd, std::move(arguments), std::move(numbers), set);
  const Action& action = ticket.action;
  if (action.before) action.before();
  long result = -1;
  switch (action.kind) {
    case Action::kFails:
      errno = action.error;
      break;
    case Action::kFailsAfter:
      (void)real(kThenFail);
      errno = action.error;
      break;
    case Action::kAtMost:
      result = real(action.bytes);
      break;
    case Action::kReal:
      result = real(kNoLimit);
      break;
  }
  int saved = errno;
  std::string written = text && result >= 0 ? text(result) : "";
  if (action.edit && result >= 0) {
    action.edit(set);
    result = std::count_if(set.begin(), set.end(),
                           [](const pollfd& one) { return one.revents != 0; });
    written = std::to_string(result) + revents_text(set);
  }
  errno = saved;
  end(ticket, result, written, set);
  return result;
}

}  // namespace
}  // namespace graded::shim

using namespace graded;
using namespace graded::shim;

extern "C" {

int socket(int domain, int type, int protocol) noexcept {
  REAL(socket);
  if (!watched()) return real_call(domain, type, protocol);
  return static_cast<int>(
      answer(Call::kSocket, "socket", -1, socket_kind(domain, type, protocol),
             {domain, type, protocol},
             [&](std::size_t) { return real_call(domain, type, protocol); }));
}

int socketpair(int domain, int type, int protocol, int* fds) noexcept {
  REAL(socketpair);
  if (!watched()) return real_call(domain, type, protocol, fds);
  return static_cast<int>(answer(
      Call::kSocket, "socketpair", -1, socket_kind(domain, type, protocol),
      {domain, type, protocol},
      [&](std::size_t) { return real_call(domain, type, protocol, fds); },
      [&](long) {
        return "0 {" + std::to_string(fds[0]) + ", " + std::to_string(fds[1]) +
               "}";
      }));
}

int connect(int fd, const sockaddr* address, socklen_t size) {
  REAL(connect);
  if (!watched()) return real_call(fd, address, size);
  return static_cast<int>(
      answer(Call::kConnect, "connect", fd, address_text(address, size),
             {static_cast<long>(size)}, [&](std::size_t limit) {
               if (limit != kThenFail) return real_call(fd, address, size);
               // Interrupted: the attempt has begun and goes on by itself.
               int flags = ::fcntl(fd, F_GETFL);
               ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
               int result = real_call(fd, address, size);
               ::fcntl(fd, F_SETFL, flags);
               return result;
             }));
}

int bind(int fd, const sockaddr* address, socklen_t size) noexcept {
  REAL(bind);
  if (!watched()) return real_call(fd, address, size);
  return static_cast<int>(
      answer(Call::kBind, "bind", fd, address_text(address, size),
             {static_cast<long>(size)},
             [&](std::size_t) { return real_call(fd, address, size); }));
}

int listen(int fd, int backlog) noexcept {
  REAL(listen);
  if (!watched()) return real_call(fd, backlog);
  return static_cast<int>(
      answer(Call::kListen, "listen", fd, std::to_string(backlog), {backlog},
             [&](std::size_t) { return real_call(fd, backlog); }));
}

int accept(int fd, sockaddr* address, socklen_t* size) {
  REAL(accept);
  if (!watched()) return real_call(fd, address, size);
  return static_cast<int>(
      answer(Call::kAccept, "accept", fd, "", {0},
             [&](std::size_t) { return real_call(fd, address, size); }));
}

int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  REAL(accept4);
  if (!watched()) return real_call(fd, address, size, flags);
  return static_cast<int>(
      answer(Call::kAccept, "accept4", fd, type_flags(flags), {flags},
             [&](std::size_t) { return real_call(fd, address, size, flags); }));
}

ssize_t send(int fd, const void* buffer, std::size_t n, int flags) {
  REAL(send);
  if (!watched()) return real_call(fd, buffer, n, flags);
  return answer(Call::kSend, "send", fd, bytes(n), {flags},
                [&](std::size_t limit) {
                  return real_call(fd, buffer, std::min(n, limit), flags);
                });
}

ssize_t sendto(int fd, const void* buffer, std::size_t n, int flags,
               const sockaddr* to, socklen_t size) {
  REAL(sendto);
  if (!watched()) return real_call(fd, buffer, n, flags, to, size);
  return answer(
      Call::kSend, "sendto", fd, bytes(n), {flags}, [&](std::size_t limit) {
        return real_call(fd, buffer, std::min(n, limit), flags, to, size);
      });
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  REAL(sendmsg);
  if (!watched()) return real_call(fd, message, flags);
  std::string text =
      bytes(total(message->msg_iov, message->msg_iovlen)) + passengers(message);
  return answer(
      Call::kSend, "sendmsg", fd, text, {flags}, [&](std::size_t limit) {
        if (limit == kNoLimit) return real_call(fd, message, flags);
        auto parts = limited(message->msg_iov, message->msg_iovlen, limit);
        msghdr shorter = *message;
        shorter.msg_iov = parts.data();
        shorter.msg_iovlen = parts.size();
        return real_call(fd, &shorter, flags);
      });
}

ssize_t write(int fd, const void* buffer, std::size_t n) {
  REAL(write);
  if (!watched() || !is_socket(fd)) return real_call(fd, buffer, n);
  return answer(Call::kSend, "write", fd, bytes(n), {}, [&](std::size_t limit) {
    return real_call(fd, buffer, std::min(n, limit));
  });
}

ssize_t writev(int fd, const iovec* parts, int count) {
  REAL(writev);
  if (!watched() || !is_socket(fd)) return real_call(fd, parts, count);
  auto n = static_cast<std::size_t>(count);
  return answer(Call::kSend, "writev", fd, bytes(total(parts, n)), {},
                [&](std::size_t limit) {
                  if (limit == kNoLimit) return real_call(fd, parts, count);
                  auto fewer = limited(parts, n, limit);
                  return real_call(fd, fewer.data(),
                                   static_cast<int>(fewer.size()));
                });
}

ssize_t recv(int fd, void* buffer, std::size_t n, int flags) {
  REAL(recv);
  if (!watched()) return real_call(fd, buffer, n, flags);
  return answer(Call::kReceive, "recv", fd, bytes(n), {flags},
                [&](std::size_t limit) {
                  return real_call(fd, buffer, std::min(n, limit), flags);
                });
}

ssize_t recvfrom(int fd, void* buffer, std::size_t n, int flags, sockaddr* from,
                 socklen_t* size) {
  REAL(recvfrom);
  if (!watched()) return real_call(fd, buffer, n, flags, from, size);
  return answer(Call::kReceive, "recvfrom", fd, bytes(n), {flags},
                [&](std::size_t limit) {
                  return real_call(fd, buffer, std::min(n, limit), flags, from,
                                   size);
                });
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  REAL(recvmsg);
  if (!watched()) return real_call(fd, message, flags);
  return answer(Call::kReceive, "recvmsg", fd,
                bytes(total(message->msg_iov, message->msg_iovlen)), {flags},
                [&](std::size_t limit) {
                  if (limit == kNoLimit) return real_call(fd, message, flags);
                  auto parts =
                      limited(message->msg_iov, message->msg_iovlen, limit);
                  msghdr shorter = *message;
                  shorter.msg_iov = parts.data();
                  shorter.msg_iovlen = parts.size();
                  ssize_t n = real_call(fd, &shorter, flags);
                  message->msg_flags = shorter.msg_flags;
                  message->msg_namelen = shorter.msg_namelen;
                  message->msg_controllen = shorter.msg_controllen;
                  return n;
                });
}

ssize_t read(int fd, void* buffer, std::size_t n) {
  REAL(read);
  if (!watched() || !is_socket(fd)) return real_call(fd, buffer, n);
  return answer(Call::kReceive, "read", fd, bytes(n), {},
                [&](std::size_t limit) {
                  return real_call(fd, buffer, std::min(n, limit));
                });
}

ssize_t readv(int fd, const iovec* parts, int count) {
  REAL(readv);
  if (!watched() || !is_socket(fd)) return real_call(fd, parts, count);
  auto n = static_cast<std::size_t>(count);
  return answer(Call::kReceive, "readv", fd, bytes(total(parts, n)), {},
                [&](std::size_t limit) {
                  if (limit == kNoLimit) return real_call(fd, parts, count);
                  auto fewer = limited(parts, n, limit);
                  return real_call(fd, fewer.data(),
                                   static_cast<int>(fewer.size()));
                });
}

int poll(pollfd* fds, nfds_t n, int timeout) {
  REAL(poll);
  if (!watched()) return real_call(fds, n, timeout);
  return static_cast<int>(
      answer(Call::kPoll, "poll", -1, poll_text(fds, n, timeout),
             {static_cast<long>(n), timeout},
             [&](std::size_t) {
               return wait_on_clock(
                   timeout, [&](int wait) { return real_call(fds, n, wait); });
             },
             nullptr, {fds, n}));
}

int ppoll(pollfd* fds, nfds_t n, const timespec* timeout,
          const sigset_t* mask) {
  REAL(ppoll);
  if (!watched()) return real_call(fds, n, timeout, mask);
  // A part of a millisecond counts as a whole one: never early.
  int wait = timeout ? static_cast<int>(timeout->tv_sec * 1000 +
                                        (timeout->tv_nsec + 999999) / 1000000)
                     : -1;
  return static_cast<int>(
      answer(Call::kPoll, "ppoll", -1, poll_text(fds, n, wait),
             {static_cast<long>(n), wait},
             [&](std::size_t) {
               return wait_on_clock(wait, [&](int ms) {
                 timespec part{ms / 1000, ms % 1000 * 1000000L};
                 return real_call(fds, n, ms < 0 ? nullptr : &part, mask);
               });
             },
             nullptr, {fds, n}));
}

int select(int n, fd_set* readable, fd_set* writable, fd_set* except,
           timeval* timeout) {
  REAL(select);
  if (!watched()) return real_call(n, readable, writable, except, timeout);
  int wait = timeout ? static_cast<int>(timeout->tv_sec * 1000 +
                                        (timeout->tv_usec + 999) / 1000)
                     : -1;
  return static_cast<int>(answer(Call::kPoll, "select", -1, std::to_string(n),
                                 {n, wait}, [&](std::size_t) {
                                   return real_call(n, readable, writable,
                                                    except, timeout);
                                 }));
}

int epoll_wait(int fd, epoll_event* events, int most, int timeout) {
  REAL(epoll_wait);
  if (!watched()) return real_call(fd, events, most, timeout);
  return static_cast<int>(answer(Call::kPoll, "epoll_wait", fd,
                                 std::to_string(timeout) + " ms",
                                 {most, timeout}, [&](std::size_t) {
                                   return wait_on_clock(timeout, [&](int wait) {
                                     return real_call(fd, events, most, wait);
                                   });
                                 }));
}

// A pause is a wait too, for nothing but the time.
int nanosleep(const timespec* time, timespec* left) {
  REAL(nanosleep);
  if (!watched()) return real_call(time, left);
  int wait = static_cast<int>(time->tv_sec * 1000 +
                              (time->tv_nsec + 999999) / 1000000);
  return static_cast<int>(answer(Call::kPoll, "nanosleep", -1,
                                 std::to_string(wait) + " ms", {0, wait},
                                 [&](std::size_t) {
                                   return wait_on_clock(wait, [&](int ms) {
                                     if (ms == wait)
                                       return real_call(time, left);
                                     return 0;
                                   });
                                 }));
}

int usleep(useconds_t time) {
  timespec same{time / 1000000, time % 1000000 * 1000L};
  return nanosleep(&same, nullptr);
}

int shutdown(int fd, int how) noexcept {
  REAL(shutdown);
  if (!watched()) return real_call(fd, how);
  const char* names[] = {"SHUT_RD", "SHUT_WR", "SHUT_RDWR"};
  return static_cast<int>(
      answer(Call::kShutdown, "shutdown", fd,
             how >= 0 && how <= 2 ? names[how] : std::to_string(how), {how},
             [&](std::size_t) { return real_call(fd, how); }));
}

int setsockopt(int fd, int level, int name, const void* value,
               socklen_t size) noexcept {
  REAL(setsockopt);
  if (!watched()) return real_call(fd, level, name, value, size);
  int number = 0;
  if (value && size == sizeof(int)) number = *static_cast<const int*>(value);
  return static_cast<int>(answer(
      Call::kOption, "setsockopt", fd, option_text(level, name),
      {level, name, number},
      [&](std::size_t) { return real_call(fd, level, name, value, size); }));
}

int close(int fd) {
  REAL(close);
  // A second close() is seen, too: it is a mistake.
  if (!watched() || !(is_socket(fd) || is_free(fd))) return real_call(fd);
  return static_cast<int>(answer(Call::kClose, "close", fd, "", {},
                                 [&](std::size_t) { return real_call(fd); }));
}

int unlink(const char* path) noexcept {
  REAL(unlink);
  if (!watched()) return real_call(path);
  return static_cast<int>(answer(Call::kOther, "unlink", -1, in_quotes(path),
                                 {},
                                 [&](std::size_t) { return real_call(path); }));
}

int chmod(const char* path, mode_t mode) noexcept {
  REAL(chmod);
  if (!watched()) return real_call(path, mode);
  return static_cast<int>(
      answer(Call::kOther, "chmod", -1, in_quotes(path) + ", " + octal(mode),
             {static_cast<long>(mode)},
             [&](std::size_t) { return real_call(path, mode); }));
}

int fchmod(int fd, mode_t mode) noexcept {
  REAL(fchmod);
  if (!watched()) return real_call(fd, mode);
  return static_cast<int>(
      answer(Call::kOther, "fchmod", fd, octal(mode), {static_cast<long>(mode)},
             [&](std::size_t) { return real_call(fd, mode); }));
}

mode_t umask(mode_t mask) noexcept {
  REAL(umask);
  if (!watched()) return real_call(mask);
  return static_cast<mode_t>(answer(
      Call::kOther, "umask", -1, octal(mask), {static_cast<long>(mask)},
      [&](std::size_t) { return real_call(mask); },
      [](long before) { return octal(static_cast<mode_t>(before)); }));
}

// Not through dlsym: a sanitizer asks for the time before it can look up names.
int clock_gettime(clockid_t clock, timespec* now) noexcept {
  long result = ::syscall(SYS_clock_gettime, clock, now);
  if (result == 0) virtual_time(clock, now);
  return static_cast<int>(result);
}

}  // extern "C"
