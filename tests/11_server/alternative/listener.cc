// Also right: it turns away all who wait in one go, and its spare descriptor is
// a second number of the listening socket.
#include "chapters/11_server/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "common/error.h"

namespace net {
namespace {

Error listen_error(int number, const Endpoint& endpoint) {
  Error error = Error::from_errno(number, "listen", endpoint.to_string());
  error.address = endpoint.host();
  error.port = endpoint.port();
  return error;
}

Error listen_error(int number, const std::string& path) {
  Error error = Error::from_errno(number, "listen", path);
  error.address = path;
  return error;
}

// Another number for the same socket, to be given up when there is no other.
Fd second_number(const Fd& fd) {
  return Fd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
}

// accept4() in three calls, for systems that do not have it.
Fd accept_one(int listener) {
  Fd client(::accept(listener, nullptr, nullptr));
  if (client) {
    ::fcntl(client.get(), F_SETFD, FD_CLOEXEC);
    ::fcntl(client.get(), F_SETFL, ::fcntl(client.get(), F_GETFL) | O_NONBLOCK);
  }
  return client;
}

bool set(int fd, int level, int option) {
  int on = 1;
  return ::setsockopt(fd, level, option, &on, sizeof on) == 0;
}

Fd new_socket(int family) {
  return Fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

bool prepare(int fd, const Endpoint& endpoint, const ListenOptions& options) {
  // before bind(), which looks at it.
  if (!set(fd, SOL_SOCKET, SO_REUSEADDR)) return false;
  if (options.reuse_port && !set(fd, SOL_SOCKET, SO_REUSEPORT)) return false;
  if (endpoint.family() != AF_INET6) return true;
  int only = options.ipv6_only;
  return ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) == 0;
}

}  // namespace

Listener Listener::at(const Endpoint& endpoint, const ListenOptions& options) {
  Listener listener;
  listener.fd_ = new_socket(endpoint.family());
  int fd = listener.fd_.get();
  if (fd < 0 || !prepare(fd, endpoint, options) ||
      ::bind(fd, endpoint.address(), endpoint.size()) < 0 ||
      ::listen(fd, options.backlog) < 0)
    throw listen_error(errno, endpoint);
  listener.spare_ = second_number(listener.fd_);
  return listener;
}

Listener Listener::at_path(const std::string& path, int backlog) {
  std::optional<Endpoint> endpoint;
  try {
    endpoint = Endpoint::parse("unix:" + path);
  } catch (const std::invalid_argument&) {  // too long, or a zero byte
    throw listen_error(EINVAL, path);
  }
  Listener listener;
  listener.fd_ = new_socket(AF_UNIX);
  if (!listener.fd_) throw listen_error(errno, path);
  if (::bind(listener.fd(), endpoint->address(), endpoint->size()) < 0)
    throw listen_error(errno == ENOENT ? EACCES : errno, path);
  // from here on there is a file to remove, whatever goes wrong; but for
  // a name of the abstract namespace.
  struct stat file;
  if (path[0] != '@' && ::lstat(path.c_str(), &file) == 0) {
    listener.path_ = path;
    listener.file_ = {file.st_dev, file.st_ino};
  }
  if (::listen(listener.fd(), backlog) < 0) throw listen_error(errno, path);
  listener.spare_ = second_number(listener.fd_);
  return listener;
}

Listener Listener::on_descriptor(int fd, int backlog) {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
      type != SOCK_STREAM || ::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
      ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
    throw Error::from_errno(EINVAL, "listen");
  if (::listen(fd, backlog) < 0) throw Error::from_errno(errno, "listen");
  Listener listener;
  listener.fd_ = Fd(fd);
  listener.spare_ = second_number(listener.fd_);
  return listener;
}

Listener& Listener::operator=(Listener&& other) noexcept {
  close();
  fd_ = std::move(other.fd_);
  spare_ = std::move(other.spare_);
  path_ = std::exchange(other.path_, {});
  file_ = other.file_;
  return *this;
}

Fd Listener::accept() {
  starved_ = false;
  while (fd_) {
    Fd client = accept_one(fd());
    if (client) return client;
    if (errno == EMFILE || errno == ENFILE) {
      // All who wait, one after the other, with the number of the spare one.
      spare_.reset();
      while (turn_one_away()) {
      }
      starved_ = errno != EAGAIN;
      spare_ = second_number(fd_);
      return Fd();
    }
    starved_ = errno == ENOBUFS || errno == ENOMEM;
    if (starved_ || errno == EAGAIN || errno == EBADF || errno == EINVAL ||
        errno == ENOTSOCK)
      return Fd();
  }
  return Fd();
}

bool Listener::turn_one_away() {
  return static_cast<bool>(accept_one(fd()));  // and closed
}

Endpoint Listener::endpoint() const {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (::getsockname(fd(), address, &size) < 0)
    throw std::system_error(errno, std::generic_category(), "getsockname");
  return Endpoint::from(address, size);
}

void Listener::close() {
  if (!path_.empty()) {
    // as long as the socket is open its file's number is not given to
    // another one. So the file goes first.
    struct stat file;
    if (::lstat(path_.c_str(), &file) == 0 &&
        file_ == std::pair(file.st_dev, file.st_ino))
      ::unlink(path_.c_str());
    path_.clear();
  }
  fd_.reset();
  spare_.reset();
}

}  // namespace net
