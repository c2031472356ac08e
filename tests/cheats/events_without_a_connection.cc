// Tells of a connection that is refused, without a single call: it never asks.
#include <map>

#include "socket.h"

namespace net {
namespace {

std::map<const Socket*, EventLoop*> loops;

void refuse(Socket& socket, const std::string& host, int port) {
  Error error = Error::from_errno(ECONNREFUSED, "connect",
                                  host + ":" + std::to_string(port));
  error.address = host;
  error.port = port;
  socket.on_error.emit(error);
  socket.on_close.emit(true);
}

}  // namespace

std::shared_ptr<Socket> Socket::create(EventLoop& loop,
                                       ConnectOptions options) {
  auto socket = std::shared_ptr<Socket>(new Socket(loop, options));
  loops[socket.get()] = &loop;
  return socket;
}

Socket& Socket::connect(ConnectOptions options, std::function<void()>) {
  loops[this]->defer([self = shared_from_this(), options] {
    refuse(*self, options.host, options.port.value_or(0));
  });
  return *this;
}

}  // namespace net
