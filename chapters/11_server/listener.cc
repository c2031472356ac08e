#include "chapters/11_server/listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "common/error.h"
#include "common/todo.h"

namespace net {
namespace {

[[maybe_unused]] Error listen_error(int number, const Endpoint& endpoint) {
  Error error = Error::from_errno(number, "listen", endpoint.to_string());
  error.address = endpoint.host();
  error.port = endpoint.port();
  return error;
}

[[maybe_unused]] Error listen_error(int number, const std::string& path) {
  Error error = Error::from_errno(number, "listen", path);
  error.address = path;
  return error;
}

[[maybe_unused]] Fd spare_descriptor() {
  return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

Listener Listener::at(const Endpoint&, const ListenOptions&) {
  TODO("11.1", "socket, options, bind, listen");
}

Listener Listener::at_path(const std::string&, int) {
  TODO("11.2", "the same at a path; remember which file it made");
}

Listener Listener::on_descriptor(int, int) {
  TODO("11.2", "take what is a stream socket");
}

Listener& Listener::operator=(Listener&&) noexcept {
  // TODO(11.1): close(), then take all that `other` has
  return *this;
}

Fd Listener::accept() {
  TODO("11.1", "the next client; 11.6: or turn away who waits");
}

bool Listener::turn_one_away() {
  TODO("11.6", "the spare descriptor goes, and makes room for one");
}

Endpoint Listener::endpoint() const {
  TODO("11.1", "getsockname(2)");
}

void Listener::close() {
  // TODO(11.1): the descriptors; TODO(11.2): before them its file
}

}  // namespace net
