// What the tests of chapter 05 stand in: a folder under /tmp, because a path
// of a socket has at most 107 bytes; servers and clients made of raw calls; a
// process of the test's own. None of their calls are watched.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "common/testing/fault.h"
#include "common/testing/folder.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"

namespace graded {

// "done", or the errno value of the std::system_error that was thrown. The
// std::invalid_argument of Endpoint shows as what it says.
inline std::string outcome(const std::function<void()>& run,
                           std::string* what = nullptr) {
  try {
    run();
    return "done";
  } catch (const std::system_error& error) {
    if (what) *what = error.what();
    return errno_name(error.code().value());
  } catch (const std::invalid_argument& error) {
    return std::string("std::invalid_argument: ") + error.what();
  }
}

inline void write_file(const std::string& path, const std::string& text) {
  Unwatched ours;
  std::ofstream(path) << text;
  step("test", "writes a text file at " + path);
}

inline std::string read_file(const std::string& path) {
  Unwatched ours;
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// "socket, mode 600", "file, mode 644", "link", "nothing".
inline std::string what_is_at(const std::string& path) {
  struct stat file;
  if (::lstat(path.c_str(), &file) < 0) return "nothing";
  if (S_ISLNK(file.st_mode)) return "link";
  char mode[16];
  std::snprintf(mode, sizeof mode, "%03o", file.st_mode & 0777);
  return std::string(S_ISSOCK(file.st_mode) ? "socket" : "file") + ", mode " +
         mode;
}

inline sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

// Connects without waiting: an open descriptor, or -1 and errno.
inline OwnFd try_connect(const std::string& path) {
  Unwatched ours;
  sockaddr_un address = address_of(path);
  int fd =
      checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
              "socket()");
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) <
      0) {
    int error = errno;
    ::close(fd);
    errno = error;
    return OwnFd(-1);
  }
  ::fcntl(fd, F_SETFL, 0);
  return OwnFd(fd);
}

inline std::string connect_outcome(const std::string& path) {
  OwnFd fd = try_connect(path);
  return fd.get() >= 0 ? "connected" : errno_name(errno);
}

// A server made of raw calls, with room for one client in its queue.
inline OwnFd listen_at(const std::string& path, int backlog = 0) {
  Unwatched ours;
  sockaddr_un address = address_of(path);
  OwnFd fd(
      checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket()"));
  checked(
      ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address),
      "bind()");
  checked(::listen(fd.get(), backlog), "listen()");
  step("test", "listens at " + path);
  return fd;
}

inline OwnFd accept_from(const OwnFd& listener) {
  Unwatched ours;
  return OwnFd(checked(::accept(listener.get(), nullptr, nullptr), "accept()"));
}

// Clients that fill the queue of the server at `path`.
inline std::vector<OwnFd> fill_queue(const std::string& path) {
  std::vector<OwnFd> clients;
  while (true) {
    OwnFd client = try_connect(path);
    if (client.get() < 0) break;
    clients.push_back(std::move(client));
  }
  step("test", "connects until the queue of that server is full");
  return clients;
}

// What a server leaves behind that did not clean up.
inline void leave_stale_file(const std::string& path) {
  listen_at(path);
  step("test", "ends that server; its socket file stays");
}

// Two connected unix sockets: `ours` for the test, `theirs` for the code under
// test, which owns it.
struct UnixPair {
  UnixPair() : UnixPair(make()) {}
  OwnFd ours;
  int theirs;

  // The other end is closed, and all that it had sent has been read.
  bool at_end() const {
    Unwatched here;
    char byte;
    return ::recv(ours.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }

 private:
  static std::pair<int, int> make() {
    Unwatched here;
    int fds[2];
    checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
            "socketpair()");
    return {fds[0], fds[1]};
  }
  explicit UnixPair(std::pair<int, int> fds)
      : ours(fds.first), theirs(fds.second) {}
};

struct RawMessage {
  std::string bytes;
  std::vector<int> fds;
};

inline void send_raw(int fd, const std::string& bytes,
                     const std::vector<int>& fds) {
  Unwatched ours;
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
  std::size_t size = fds.size() * sizeof(int);
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (size > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), fds.data(), size);
  }
  checked(static_cast<int>(::sendmsg(fd, &message, MSG_NOSIGNAL)), "sendmsg()");
}

inline RawMessage receive_raw(int fd) {
  Unwatched ours;
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
  char buffer[256];
  iovec part{buffer, sizeof buffer};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t n = checked(
      static_cast<int>(::recvmsg(fd, &message, MSG_CMSG_CLOEXEC)), "recvmsg()");
  RawMessage received{std::string(buffer, static_cast<std::size_t>(n)), {}};
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header) {
    received.fds.resize((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(received.fds.data(), CMSG_DATA(header),
                received.fds.size() * sizeof(int));
  }
  return received;
}

// A process of the test's own. It runs `body` and ends with its result.
class Process {
 public:
  explicit Process(const std::function<int()>& body) {
    pid_ = checked(::fork(), "fork()");
    if (pid_ > 0) return;
    Unwatched ours;
    int status = 99;
    try {
      status = body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "the test's own process: %s\n", error.what());
    }
    ::_exit(status);
  }
  ~Process() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;

  pid_t pid() const { return pid_; }
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

}  // namespace graded
