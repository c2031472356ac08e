#include "chapters/03_blocking_server/server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "chapters/02_blocking_client/client.h"
#include "common/todo.h"

namespace net {

int listen_on(const Endpoint&, int) {
  // 03.2 adds a line to it.
  TODO("03.1", "a socket that is bound to the endpoint, and listens");
}

Endpoint local_endpoint(int) {
  TODO("03.3", "ask the kernel where the socket is bound");
}

bool echo(int) {
  TODO("03.4", "send back what comes, until the end");
}

int accept_one(int, int) {
  // 03.6 adds what to do when accept() fails.
  TODO("03.5", "wait for a client or for stop_fd, then accept");
}

bool serve(int, int, const Handler&) {
  TODO("03.7", "accept, handle, close, and again");
}

}  // namespace net
