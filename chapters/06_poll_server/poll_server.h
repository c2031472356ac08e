// An echo server for many clients at once, in one thread: poll(2) says who is
// ready, and no call on a client ever waits.
//
//   net::Fd listener(net::listen_on(net::Endpoint::parse("127.0.0.1:0")));
//   if (!listener) return complain("listen");
//   net::PollServer server(std::move(listener));
//   server.run(stop_fd);  // until stop_fd is readable
//
// What befalls a client is that client's end, never the server's. What cannot
// be done at all throws std::system_error with the errno value and the call.
#pragma once

#include <cstddef>
#include <memory>

#include "chapters/05_unix_sockets/fd.h"

namespace net {

// Sends each client what it sent: its own bytes, each once and in order
// (MANY-1), to a thousand clients as to one (MANY-2).
//
// Waits in poll(2) and nowhere else. In a round - one poll(), and what it has
// reported - each client gets one turn (FAIR-1), in which
// - at most 64 KiB are read from it, and sent back in the same turn as far as
//   the kernel takes them (OUT-1);
// - what the kernel does not take waits, and goes out once there is room
//   (OUT-2). POLLOUT is asked for only while something waits (OUT-3).
class PollServer {
 public:
  // The most that is read from a client in a round.
  static constexpr std::size_t kPiece = 64 * 1024;

  // Owns `listener` from now on, and makes it non-blocking (NONBLOCK-1). While
  // `max_output` bytes or more wait for a client, nothing is read from it, and
  // reading goes on once less waits: so never more than `max_output + kPiece`
  // bytes are kept for one that does not read its echo (SLOW-1).
  explicit PollServer(Fd listener, std::size_t max_output = 256 * 1024);
  ~PollServer();  // closes every client, and the listener
  PollServer(const PollServer&) = delete;

  // Serves until `stop_fd` is readable, which is looked at first in each round
  // and never read from (STOP-1). The clients stay connected, and a later
  // run() goes on with them. No signal ends it (INTR-1).
  //
  // Accepting: all who wait are accepted in one round, as non-blocking and
  // close-on-exec descriptors (QUEUE-1, NONBLOCK-1). A client that is gone
  // before it could be accepted ends nothing and holds nobody up; a listener
  // that cannot accept at all ends run() (QUEUE-2). When there is no
  // descriptor for the next client, it waits or is turned away. While it
  // waits, the next poll() does without the listener and lasts 1 second at
  // most; those who are connected are served (QUEUE-3).
  //
  // Ending: a client that has sent FIN gets the rest of its echo, then FIN, and
  // POLLIN is not asked for any more (TAIL-1). A client that is gone is closed,
  // whichever of POLLERR and POLLHUP says so, alone or with others. After
  // POLLNVAL it is forgotten and its number left alone, which is not the
  // server's any more (GONE-1). POLLERR and POLLHUP say only that it is time to
  // look: what was sent is read first, and what can still be sent is sent
  // (GONE-2). A poll() that
  // reports too much does no harm: EAGAIN means "not now" (NONBLOCK-2). What it
  // reports about a client concerns that client alone, also when others go in
  // the same round, or its number is somebody else's by then (REUSE-1).
  void run(int stop_fd);

 private:
  struct State;  // yours to design: see poll_server.cc
  std::unique_ptr<State> state_;
};

}  // namespace net
