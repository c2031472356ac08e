// Chapter 02 as it was saved in the middle of a line.
#include "client.h"

#include <cerrno>

namespace net {

int connect_any(const std::vector<Endpoint>& endpoints,
                std::chrono::milliseconds timeout) {
  for (const Endpoint& endpoint : endpoints) {
    int fd = ::socket(endpoint.family(), SOCK_STREAM,
                      0) if (::connect(fd, endpoint.address(),
                                       endpoint.size()) == 0) return fd;
  }
  return -1;
}

}  // namespace net
