// A blocking TCP client, one function per thing that can go wrong.
//
//   int fd = net::connect_any(net::resolve("localhost", "http"));
//   if (fd < 0) return complain("connect");
//   std::string reply;
//   if (!net::send_all(fd, "GET / HTTP/1.0\r\n\r\n") ||
//       !net::shutdown_write(fd) || !net::receive_all(fd, reply))
//     complain("talk");
//   ::close(fd);
//
// Failures are reported as the system calls report them: -1 or false, and the
// reason in errno (errno(3)). A signal is not a failure: no function here ever
// fails with EINTR.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/01_addresses/endpoint.h"

namespace net {

// A time-out that never comes.
inline constexpr std::chrono::milliseconds kForever{-1};

// Connects to the first of `endpoints` that accepts, tried in their order
// (CONNECT-1), each for at most `timeout` (CONNECT-6). Returns a blocking,
// close-on-exec descriptor that the caller owns (CONNECT-4), or -1: errno then
// says why the last one failed (CONNECT-2; EINVAL if there was none), and
// nothing is left open (CONNECT-3).
int connect_any(const std::vector<Endpoint>& endpoints,
                std::chrono::milliseconds timeout = kForever);

// Sends all of `bytes`, waiting while the connection is full (SEND-1). False:
// some may have been sent, nobody can say how many. Sending to a peer that is
// gone is EPIPE or ECONNRESET, never a signal that ends the program (SEND-3).
bool send_all(int fd, std::string_view bytes);

// Waits until something is there. Returns the number of bytes put into
// `buffer`, at most `size`; 0 when the peer has sent FIN and all its bytes have
// been read; or -1 (ETIMEDOUT: see set_receive_timeout).
ssize_t receive_some(int fd, void* buffer, std::size_t size);

// Appends to `reply` all that the peer sends until its FIN. False: the
// connection broke before that, and what came until then is in `reply` too
// (RECV-2).
bool receive_all(int fd, std::string& reply);

// Sends FIN: the peer reads the end, after all that was sent before it. This
// side still receives (FIN-1).
bool shutdown_write(int fd);

// From now on a receive fails with ETIMEDOUT after `timeout` without a byte
// (RECV-4). kForever, and also 0 ms: never, which is how a new one starts.
bool set_receive_timeout(int fd, std::chrono::milliseconds timeout);

}  // namespace net
