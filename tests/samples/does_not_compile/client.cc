// Chapter 02 as it was saved in the middle of a thought.
#include "client.h"

#include <sys/socket.h>

namespace net {

int connect_any(const std::vector<Endpoint>& endpoints,
                std::chrono::milliseconds) {
  for (const Endpoint& endpoint : endpoints) {
    int fd = ::socket(endpoint.family(), SOCK_STREAM, 0);
    if (::connect(fd, endpoint.address(), endpoint.size()) == 0) return fd;
    ::close(fd);
    reason = errno;
  }
  return -1;
}

}  // namespace net
