// Sockets between the processes of one machine: servers at a path, pairs, and
// descriptors that travel.
//
//   net::PathServer server("/run/log.sock");                 // one process
//   net::Fd client = server.accept();
//   net::send_with_fds(client.get(), "log", std::array{log.get()});
//
//   net::Fd server = net::connect_path("/run/log.sock");     // another one
//   net::Message m = net::receive_with_fds(server.get(), 100, 1);
//   ::write(m.fds.at(0).get(), "hello\n", 6);                // the same log
//
// What cannot be done throws std::system_error with the errno value, the call
// and its operand: "bind unix:/run/log.sock: Address already in use". A peer
// that is gone is EPIPE, never a signal, and no call fails with EINTR (SIG-1).
// Each descriptor that is made or received here is close-on-exec (FD-3).
#pragma once

#include <sys/socket.h>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chapters/01_addresses/endpoint.h"
#include "chapters/05_unix_sockets/fd.h"

namespace net {

// Listens at a path, and owns both the listening descriptor and the file.
class PathServer {
 public:
  // `path` has at most 107 bytes (ENAMETOOLONG, PATH-2). A socket file that a
  // dead server left there is replaced (PATH-5). Anything else that is there
  // is kept, and the server does not start: EADDRINUSE (PATH-3, PATH-4). When
  // the first client can connect, the file has exactly `mode` (PATH-6).
  explicit PathServer(std::string path, mode_t mode = 0600);
  ~PathServer();  // removes the file, if it is still its own (PATH-7)
  PathServer(const PathServer&) = delete;

  Fd accept();  // waits; clients come in the order they connected (PATH-1)
  int fd() const { return listener_.get(); }  // borrow: to poll, to pass on

 private:
  std::string path_;
  Fd listener_;
  std::pair<dev_t, ino_t> file_;  // its device and inode (stat(2))
};

// A blocking connection to the server at `path`. Does not wait for room in
// the server's queue: when that is full, the error is EAGAIN (PATH-8).
Fd connect_path(const std::string& path);
// Who connected, or who listened: as it was at that moment (CRED-1).
ucred peer_credentials(int fd);

std::pair<Fd, Fd> socketpair();  // two connected ends, both yours

struct Child {
  pid_t pid;  // yours to waitpid()
  Fd socket;  // the other end is the child's
};
// Forks. The child runs body(its end) and ends with the status that it
// returns (1 if it throws), without exit handlers. Either side reads the end
// when the other has closed (PAIR-1).
Child start_child(const std::function<int(Fd socket)>& body);

struct Message {
  std::string bytes;    // empty: the end
  std::vector<Fd> fds;  // in the order they were sent
};
// Sends all of `bytes`, and copies of `fds` with the first of them (PASS-1,
// PASS-3). std::logic_error for descriptors without a byte to ride on.
void send_with_fds(int fd, std::string_view bytes, std::span<const int> fds);
// Waits for 1 to `size` bytes, and what came with them. EMSGSIZE: more than
// `max_fds` came, or not all could be taken; all are closed (PASS-2).
Message receive_with_fds(int fd, std::size_t size, std::size_t max_fds);

}  // namespace net
