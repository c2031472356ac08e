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

Fd spare_descriptor() {
  return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

bool set(int fd, int level, int option) {
  int on = 1;
  return ::setsockopt(fd, level, option, &on, sizeof on) == 0;
}

Fd new_socket(int family) {
  return Fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

bool prepare(int fd, const Endpoint& endpoint, const ListenOptions& options) {
  // 11.1: before bind(), which looks at it.
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
  listener.spare_ = spare_descriptor();
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
  // 11.2: from here on there is a file to remove, whatever goes wrong; but for
  // a name of the abstract namespace.
  struct stat file;
  if (path[0] != '@' && ::lstat(path.c_str(), &file) == 0) {
    listener.path_ = path;
    listener.file_ = {file.st_dev, file.st_ino};
  }
  if (::listen(listener.fd(), backlog) < 0) throw listen_error(errno, path);
  listener.spare_ = spare_descriptor();
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
  listener.spare_ = spare_descriptor();
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
    Fd client(::accept4(fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client) return client;
    switch (errno) {
      case EAGAIN:
        return Fd();
      case EMFILE:
      case ENFILE:
        if (!turn_one_away()) return Fd();
        break;
      case ENOBUFS:
      case ENOMEM:
        starved_ = true;
        return Fd();
      case EBADF:
      case EINVAL:
      case ENOTSOCK:
        return Fd();
      default:
        break;  // about one client, which is gone: the next
    }
  }
  return Fd();
}

bool Listener::turn_one_away() {
  // 11.6: who waits would stay in the queue, and poll() would report him for
  // ever. The spare descriptor makes room to take him, and to close him. Out of
  // descriptors, accept() says EMFILE even if nobody waits; here it does not.
  spare_.reset();
  Fd client(::accept4(fd(), nullptr, nullptr, SOCK_CLOEXEC));
  starved_ = !client && errno != EAGAIN;
  bool turned_away = static_cast<bool>(client);
  client.reset();
  spare_ = spare_descriptor();
  return turned_away;
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
    // 11.2: as long as the socket is open its file's number is not given to
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

// Also right: without a spare descriptor, not to watch the listener until one
// of our own connections has closed. A connection is turned away at once here;
// there it waits for its turn.

}  // namespace net
