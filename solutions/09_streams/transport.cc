#include "chapters/09_streams/transport.h"

#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

namespace net {
namespace {

bool no_room(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

IoResult failed(const char* call) {
  return {.kind = IoResult::kFailed, .error = Error::from_errno(errno, call)};
}

template <typename Call>
IoResult sent(Call call) {
  ssize_t n;
  do {
    n = call();
  } while (n < 0 && errno == EINTR);
  if (n >= 0) return {.bytes = static_cast<std::size_t>(n)};
  if (no_room(errno)) return {.kind = IoResult::kWantsWrite};
  return failed("write");
}

IoResult send_list(int fd, std::span<const std::string_view> pieces) {
  std::array<iovec, IOV_MAX> parts;
  std::size_t count = 0;
  for (std::string_view piece : pieces) {
    // 09.2: with more of them sendmsg() fails with EMSGSIZE, and sends nothing.
    if (count == parts.size()) break;
    if (piece.empty()) continue;
    parts[count++] = {const_cast<char*>(piece.data()), piece.size()};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  return sent([&] { return ::sendmsg(fd, &message, MSG_NOSIGNAL); });
}

}  // namespace

IoResult FdTransport::read(std::span<char> into) {
  ssize_t n;
  do {
    n = ::recv(fd(), into.data(), into.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n > 0) return {.bytes = static_cast<std::size_t>(n)};
  if (n == 0) return {.kind = IoResult::kEnd};
  if (no_room(errno)) return {.kind = IoResult::kWantsRead};
  return failed("read");
}

IoResult FdTransport::write(std::span<const std::string_view> pieces) {
  // 09.2: one piece needs no list, and is sent faster without.
  if (pieces.size() == 1) {
    std::string_view piece = pieces.front();
    return sent(
        [&] { return ::send(fd(), piece.data(), piece.size(), MSG_NOSIGNAL); });
  }
  return send_list(fd(), pieces);
}

IoResult FdTransport::shutdown_write() {
  // 09.3: ENOTCONN: a reset has closed both directions. Nobody is left to tell,
  // and read() says what happened.
  if (::shutdown(fd(), SHUT_WR) == 0 || errno == ENOTCONN)
    return {.kind = IoResult::kEnd};
  return failed("shutdown");
}

// Also right: sendmsg() for a single piece, too; MSG_DONTWAIT with every call,
// for descriptors that block. writev() has no flags, so it needs SIGPIPE to be
// ignored in the whole process, and that belongs to the program.

}  // namespace net
