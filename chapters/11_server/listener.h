// Listener: a listening socket that never waits, and never spins.
//
//   net::Listener listener = net::Listener::at(endpoint, options);
//   ... when poll() says POLLIN:
//   while (net::Fd client = listener.accept()) serve(std::move(client));
//
// What cannot be done is thrown as an Error of syscall "listen", whichever call
// failed, with the address and port in it: Node's way (LISTEN-7).
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "chapters/01_addresses/endpoint.h"
#include "chapters/05_unix_sockets/fd.h"
#include "chapters/11_server/server.h"

namespace net {

class Listener {
 public:
  Listener() = default;  // listens nowhere
  // At an IP address and port. Works at once after another server on that port
  // has ended; options.ipv6_only and options.reuse_port are as in Server.
  static Listener at(const Endpoint& endpoint, const ListenOptions& options);
  // Makes a socket file; "@name" is one of the abstract namespace, without a
  // file. Whatever is there already stays, and is EADDRINUSE (UNIX-3); a
  // directory that is not there is EACCES (UNIX-4), a path too long EINVAL.
  static Listener at_path(const std::string& path, int backlog);
  // On a stream socket that is bound already, which it takes. What is none is
  // EINVAL, and stays yours (LISTEN-13, LISTEN-14).
  static Listener on_descriptor(int fd, int backlog);

  ~Listener() { close(); }
  Listener(Listener&& other) noexcept { *this = std::move(other); }
  Listener& operator=(Listener&& other) noexcept;

  // The next client, non-blocking and close-on-exec; nothing when nobody waits
  // any more. One that gave up while it waited is passed over. Out of
  // descriptors, whoever waits is turned away, at once: poll() must not report
  // them for ever (ACC-10).
  Fd accept();

  // Whether the last accept() gave up although somebody may wait: ask again
  // after a while.
  bool starved() const { return starved_; }

  Endpoint endpoint() const;  // where it is bound
  int fd() const { return fd_.get(); }
  explicit operator bool() const { return static_cast<bool>(fd_); }
  void close();  // and removes its file, if it is still its own (UNIX-2)

 private:
  bool turn_one_away();

  Fd fd_;
  Fd spare_;  // a descriptor to give up when there is no other
  bool starved_ = false;
  std::string path_;  // of the file
  std::pair<dev_t, ino_t> file_ = {};
};

}  // namespace net
