// Another correct solution: a datagram probe tells the dead from the living,
// the umask makes the mode, the control buffer has room for all that Linux can
// send at once, and flags are set after the fact with fcntl().
#include "chapters/05_unix_sockets/unix_sockets.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace net {
namespace {

constexpr std::size_t kMostFds = 253;  // SCM_MAX_FD

struct Control {
  alignas(cmsghdr) char bytes[CMSG_SPACE(kMostFds * sizeof(int))] = {};
};

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

int or_fail(int result, const std::string& what) {
  if (result < 0) fail(errno, what);
  return result;
}

struct Address {
  Address(const std::string& path, const std::string& call) {
    un.sun_family = AF_UNIX;
    if (path.size() > sizeof un.sun_path - 1)
      fail(ENAMETOOLONG, call + " unix:" + path);
    std::memcpy(un.sun_path, path.data(), path.size());
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&un); }
  sockaddr_un un{};
};

int make_cloexec(int fd) {
  return ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }

 private:
  mode_t before_;
};

bool nobody_listens(const Address& address) {
  Fd probe(or_fail(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  // A stream server answers a datagram socket with EPROTOTYPE, and does not
  // even notice.
  return ::connect(probe.get(), address.get(), sizeof address.un) < 0 &&
         errno == ECONNREFUSED;
}

}  // namespace

PathServer::PathServer(std::string path, mode_t mode) : path_(std::move(path)) {
  Address address(path_, "bind");
  listener_ =
      Fd(or_fail(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  auto try_bind = [&] {
    Umask exactly(~mode & 0777);
    return ::bind(listener_.get(), address.get(), sizeof address.un);
  };
  struct stat there;
  if (try_bind() < 0) {
    if (errno != EADDRINUSE) fail(errno, "bind unix:" + path_);
    bool is_socket =
        ::lstat(path_.c_str(), &there) == 0 && S_ISSOCK(there.st_mode);
    if (!is_socket || !nobody_listens(address))
      fail(EADDRINUSE, "bind unix:" + path_);
    ::unlink(path_.c_str());
    or_fail(try_bind(), "bind unix:" + path_);
  }
  or_fail(::lstat(path_.c_str(), &there), "lstat " + path_);
  file_ = {there.st_dev, there.st_ino};
  if (::listen(listener_.get(), 128) < 0) {
    int error = errno;
    ::unlink(path_.c_str());
    fail(error, "listen unix:" + path_);
  }
}

PathServer::~PathServer() {
  struct stat there;
  bool found = ::lstat(path_.c_str(), &there) == 0;
  if (found && there.st_dev == file_.first && there.st_ino == file_.second)
    ::unlink(path_.c_str());
}

Fd PathServer::accept() {
  int fd;
  do {
    fd = ::accept(listener_.get(), nullptr, nullptr);
  } while (fd < 0 && errno == EINTR);
  Fd client(or_fail(fd, "accept unix:" + path_));
  or_fail(make_cloexec(client.get()), "fcntl");
  return client;
}

Fd connect_path(const std::string& path) {
  Address address(path, "connect");
  Fd fd(or_fail(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  int flags = or_fail(::fcntl(fd.get(), F_GETFL), "fcntl");
  or_fail(::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK), "fcntl");
  or_fail(::connect(fd.get(), address.get(), sizeof address.un),
          "connect unix:" + path);
  or_fail(::fcntl(fd.get(), F_SETFL, flags), "fcntl");
  return fd;
}

ucred peer_credentials(int fd) {
  ucred peer;
  socklen_t size = sizeof peer;
  or_fail(::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size),
          "getsockopt " + std::to_string(fd));
  return peer;
}

std::pair<Fd, Fd> socketpair() {
  int ends[2];
  or_fail(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
  std::pair<Fd, Fd> both{Fd(ends[0]), Fd(ends[1])};
  or_fail(make_cloexec(ends[0]), "fcntl");
  or_fail(make_cloexec(ends[1]), "fcntl");
  return both;
}

Child start_child(const std::function<int(Fd socket)>& body) {
  std::pair<Fd, Fd> ends = socketpair();
  pid_t pid = or_fail(::fork(), "fork");
  if (pid != 0) {
    ends.second.reset();
    return Child{pid, std::move(ends.first)};
  }
  auto run = [&]() noexcept -> int {
    try {
      ends.first.reset();
      return body(std::move(ends.second));
    } catch (...) {
      return 1;
    }
  };
  ::_exit(run());
}

void send_with_fds(int fd, std::string_view bytes, std::span<const int> fds) {
  if (fds.size() > kMostFds) fail(EINVAL, "more than 253 descriptors");
  if (!fds.empty() && bytes.empty())
    throw std::logic_error("PASS-3: a descriptor rides on a byte");
  // The descriptors with one byte, then the rest as plain bytes.
  Control control;
  while (!fds.empty()) {
    iovec one_byte{const_cast<char*>(bytes.data()), 1};
    msghdr message{};
    message.msg_iov = &one_byte;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    *rights = {CMSG_LEN(fds.size_bytes()), SOL_SOCKET, SCM_RIGHTS};
    std::copy(fds.begin(), fds.end(),
              reinterpret_cast<int*>(CMSG_DATA(rights)));
    if (::sendmsg(fd, &message, MSG_NOSIGNAL) == 1) {
      bytes.remove_prefix(1);
      break;
    }
    if (errno != EINTR) fail(errno, "sendmsg " + std::to_string(fd));
  }
  while (!bytes.empty()) {
    ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR) fail(errno, "send " + std::to_string(fd));
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

Message receive_with_fds(int fd, std::size_t size, std::size_t max_fds) {
  Message received;
  received.fds.reserve(kMostFds);
  std::vector<char> buffer(size);
  Control control;
  iovec part{buffer.data(), size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  ssize_t n = ::recvmsg(fd, &message, 0);
  while (n < 0 && errno == EINTR) n = ::recvmsg(fd, &message, 0);
  if (n < 0) fail(errno, "recvmsg " + std::to_string(fd));
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  if (rights && rights->cmsg_type == SCM_RIGHTS) {
    auto* begin = reinterpret_cast<const int*>(CMSG_DATA(rights));
    auto* end = begin + (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (; begin != end; ++begin) received.fds.emplace_back(*begin);
    for (const Fd& each : received.fds) make_cloexec(each.get());
  }
  if ((message.msg_flags & MSG_CTRUNC) != 0 || received.fds.size() > max_fds)
    fail(EMSGSIZE, "recvmsg " + std::to_string(fd));
  received.bytes.assign(buffer.data(), static_cast<std::size_t>(n));
  return received;
}

}  // namespace net
