#include "chapters/05_unix_sockets/unix_sockets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace net {
namespace {

[[noreturn]] void fail(const std::string& call_and_operand) {
  throw std::system_error(errno, std::generic_category(), call_and_operand);
}

Endpoint endpoint_of(const std::string& path, const std::string& call) {
  // 05.2: one byte less than sun_path has, for the zero byte at the end.
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    errno = ENAMETOOLONG;
    fail(call + " unix:" + path);
  }
  return Endpoint::parse("unix:" + path);
}

Fd new_socket(int flags) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (!fd) fail("socket AF_UNIX");
  return fd;
}

// Whether a socket file is there that nobody listens at.
bool is_stale(const Endpoint& endpoint) {
  // 05.3: lstat() first: connect() is refused by a text file, too. And not
  // stat(): a symbolic link is somebody's, wherever it leads.
  struct stat file;
  if (::lstat(endpoint.path().c_str(), &file) < 0) return false;
  if (!S_ISSOCK(file.st_mode)) return false;
  // Non-blocking: a server that is alive, but busy, would keep us waiting.
  // It says EAGAIN; only ECONNREFUSED is a death certificate.
  Fd probe = new_socket(SOCK_NONBLOCK);
  return ::connect(probe.get(), endpoint.address(), endpoint.size()) < 0 &&
         errno == ECONNREFUSED;
}

}  // namespace

PathServer::PathServer(std::string path, mode_t mode) : path_(std::move(path)) {
  Endpoint here = endpoint_of(path_, "bind");
  listener_ = new_socket(0);
  if (is_stale(here)) ::unlink(path_.c_str());
  if (::bind(listener_.get(), here.address(), here.size()) < 0)
    fail("bind " + here.to_string());
  struct stat file;
  if (::lstat(path_.c_str(), &file) < 0) fail("lstat " + path_);
  file_ = {file.st_dev, file.st_ino};
  // 05.4: before listen(): until then connect() is refused, so nobody slips in
  // under the mode that bind() took from the umask.
  if (::chmod(path_.c_str(), mode) < 0 ||
      ::listen(listener_.get(), SOMAXCONN) < 0) {
    int error = errno;
    ::unlink(path_.c_str());
    errno = error;
    fail("listen " + here.to_string());
  }
}

PathServer::~PathServer() {
  // 05.4: while the listener is open, its file's inode number cannot be given
  // to another file. So the file goes first, the descriptor (a member) after.
  struct stat file;
  if (::lstat(path_.c_str(), &file) == 0 &&
      file_ == std::pair(file.st_dev, file.st_ino))
    ::unlink(path_.c_str());
}

Fd PathServer::accept() {
  while (true) {
    Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client) return client;
    if (errno != EINTR) fail("accept unix:" + path_);
  }
}

Fd connect_path(const std::string& path) {
  Endpoint server = endpoint_of(path, "connect");
  // 05.5: non-blocking, so that a full queue is an answer. It is not a "later"
  // as with TCP: nothing is in progress, there is nothing to poll for.
  Fd fd = new_socket(SOCK_NONBLOCK);
  if (::connect(fd.get(), server.address(), server.size()) < 0)
    fail("connect " + server.to_string());
  if (::fcntl(fd.get(), F_SETFL, 0) < 0) fail("fcntl " + server.to_string());
  return fd;
}

ucred peer_credentials(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
    fail("getsockopt SO_PEERCRED");
  return peer;
}

std::pair<Fd, Fd> socketpair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
    fail("socketpair AF_UNIX");
  return {Fd(fds[0]), Fd(fds[1])};
}

Child start_child(const std::function<int(Fd socket)>& body) {
  auto [ours, theirs] = socketpair();
  pid_t pid = ::fork();
  if (pid < 0) fail("fork");
  // 05.6: each process has both ends now. `theirs` closes here, at the return.
  if (pid > 0) return {pid, std::move(ours)};
  int status = 1;
  try {
    ours.reset();
    status = body(std::move(theirs));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child: %s\n", error.what());
  } catch (...) {
  }
  // Not exit(): the parent's buffers and handlers are not the child's to run.
  ::_exit(status);
}

void send_with_fds(int fd, std::string_view bytes, std::span<const int> fds) {
  if (bytes.empty() && !fds.empty())
    throw std::invalid_argument("descriptors need a byte to ride on (PASS-3)");
  std::vector<char> control(CMSG_SPACE(fds.size_bytes()));
  while (!bytes.empty()) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      // 05.7: CMSG_LEN, not CMSG_SPACE: the padding is no descriptor.
      header->cmsg_len = CMSG_LEN(fds.size_bytes());
      std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
    }
    ssize_t n = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("sendmsg " + std::to_string(fd));
    bytes.remove_prefix(static_cast<std::size_t>(n));
    // They went with the first byte, however few went with them.
    fds = {};
  }
}

Message receive_with_fds(int fd, std::size_t size, std::size_t max_fds) {
  Message received;
  received.bytes.resize(size);
  std::vector<char> control(CMSG_SPACE(max_fds * sizeof(int)));
  // 05.7: all memory is there before the first descriptor is: an exception in
  // between would lose it. One more, because CMSG_SPACE rounds up.
  received.fds.reserve(max_fds + 1);
  iovec part{received.bytes.data(), size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t n;
  do {
    n = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n < 0) fail("recvmsg " + std::to_string(fd));
  received.bytes.resize(static_cast<std::size_t>(n));
  for (cmsghdr* it = CMSG_FIRSTHDR(&message); it;
       it = CMSG_NXTHDR(&message, it)) {
    if (it->cmsg_level != SOL_SOCKET || it->cmsg_type != SCM_RIGHTS) continue;
    std::size_t count = (it->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number;
      std::memcpy(&number, CMSG_DATA(it) + i * sizeof number, sizeof number);
      received.fds.emplace_back(number);
    }
  }
  if (message.msg_flags & MSG_CTRUNC || received.fds.size() > max_fds) {
    errno = EMSGSIZE;
    fail("recvmsg " + std::to_string(fd));
  }
  return received;
}

// Also right: umask(~mode & 0777) around bind(), put back at once, in a program
// without threads (the umask is the whole process's); a probe with SOCK_DGRAM,
// which no server notices: ECONNREFUSED from the dead, EPROTOTYPE from the
// living; room for 253 descriptors, the most that Linux sends at once, in place
// of counting padding. Two servers that start in the same moment can each find
// the same stale file: a lock file beside it (flock(2)) keeps them apart.

}  // namespace net
