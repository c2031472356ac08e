#include "chapters/05_unix_sockets/unix_sockets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "common/todo.h"

namespace net {

// The constructor grows: 05.2 makes it serve, 05.3 and 05.4 make it careful.
PathServer::PathServer(std::string path, mode_t) : path_(std::move(path)) {
  TODO("05.2", "socket, bind, listen");
}

PathServer::~PathServer() {
  // TODO(05.4): remove the file, if it is still the one that bind() made.
}

Fd PathServer::accept() {
  TODO("05.2", "wait for the next client");
}

Fd connect_path(const std::string&) {
  TODO("05.5", "connect, and wait for nothing");
}

ucred peer_credentials(int) {
  TODO("05.5", "ask the kernel who is at the other end");
}

std::pair<Fd, Fd> socketpair() {
  TODO("05.6", "two connected sockets");
}

Child start_child(const std::function<int(Fd socket)>&) {
  TODO("05.6", "fork; each process keeps one end");
}

void send_with_fds(int, std::string_view, std::span<const int>) {
  TODO("05.7", "the bytes, and the descriptors with the first of them");
}

Message receive_with_fds(int, std::size_t, std::size_t) {
  TODO("05.7", "what came, and an owner for each descriptor");
}

}  // namespace net
