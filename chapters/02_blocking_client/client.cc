#include "chapters/02_blocking_client/client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "common/todo.h"

namespace net {

using std::chrono::milliseconds;

int connect_any(const std::vector<Endpoint>&, milliseconds) {
  TODO("02.1", "try each endpoint in turn, each for at most the time-out");
}

bool send_all(int, std::string_view) {
  TODO("02.4", "call send() until every byte is gone");
}

ssize_t receive_some(int, void*, std::size_t) {
  TODO("02.5", "one recv(), told apart: bytes, the end, a failure, a signal");
}

bool receive_all(int, std::string&) {
  TODO("02.5", "receive_some() until the end; keep what came");
}

bool shutdown_write(int) {
  TODO("02.6", "send FIN, keep receiving");
}

bool set_receive_timeout(int, milliseconds) {
  TODO("02.7", "bound the wait of a receive");
}

}  // namespace net
