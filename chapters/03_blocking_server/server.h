// A blocking server: one listening socket, and one client at a time.
//
//   int listener = net::listen_on(net::Endpoint::parse("127.0.0.1:0"));
//   if (listener < 0) return complain("listen");
//   std::cout << "listening " << net::local_endpoint(listener).port() << "\n";
//   if (!net::serve(listener, stop_fd, net::echo)) complain("accept");
//   ::close(listener);
//
// Failures are reported as the system calls report them: -1 or false, and the
// reason in errno (errno(3)). A signal is not a failure: no function here ever
// fails with EINTR.
#pragma once

#include <functional>

#include "chapters/01_addresses/endpoint.h"

namespace net {

// Opens a socket on which clients can queue: at `endpoint` and nowhere else
// (LISTENER-1), at most about `backlog` of them (LISTENER-2). Works at once
// after a server on the same port has ended (LISTENER-4), but not while one
// is listening there (EADDRINUSE). Returns a close-on-exec descriptor that the
// caller owns, or -1, and then nothing is left open (LISTENER-3).
int listen_on(const Endpoint& endpoint, int backlog = 128);

// Where `fd` is bound. For port 0 the kernel has chosen a free port: this is
// how to learn which (LISTENER-5). Throws std::system_error if `fd` is no
// socket.
Endpoint local_endpoint(int fd);

// Sends back what `client` sends, each piece as soon as it is there (ECHO-1),
// until the client's FIN; then sends FIN too and returns true (ECHO-3). False:
// the client is gone (ECHO-4). Does not close `client`: the caller owns it.
bool echo(int client);

// Waits for the next client of `listener`. Returns its descriptor, blocking
// and close-on-exec, which the caller owns (ACCEPT-1), or -1:
// - ECANCELED: `stop_fd` is readable. It is looked at before any client, and
//   nobody reads from it: clients stay in the queue (ACCEPT-2).
// - EBADF, EINVAL, ENOTSOCK, ...: `listener` cannot accept, now or later.
// What befell one client in the queue is no reason to end the wait (ACCEPT-4),
// nor is a process that is out of descriptors (ACCEPT-5).
int accept_one(int listener, int stop_fd);

// Serves one client; what it returns says how it went with that client.
using Handler = std::function<bool(int client)>;

// Calls `handler` with one client after the other, in the order they came, and
// closes each when its handler returns (SERVE-1), whatever that returned
// (SERVE-2). Ends between two clients, never during one: with true once
// `stop_fd` is readable, with false when `listener` cannot accept. Owns neither
// of the two.
bool serve(int listener, int stop_fd, const Handler& handler);

}  // namespace net
