// Another way: no system call is asked for what is known already, a single
// piece goes by send(), and no flag of the descriptor matters.
#include "chapters/09_streams/transport.h"

#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace net {
namespace {

constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;

template <typename SystemCall>
ssize_t uninterrupted(SystemCall call) {
  while (true) {
    ssize_t n = call();
    if (n >= 0 || errno != EINTR) return n;
  }
}

IoResult answer(ssize_t n, IoResult::Kind at_zero, IoResult::Kind would_block,
                const char* name) {
  IoResult result;
  if (n > 0) {
    result.bytes = static_cast<std::size_t>(n);
  } else if (n == 0) {
    result.kind = at_zero;
  } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
    result.kind = would_block;
  } else {
    result.kind = IoResult::kFailed;
    result.error = Error::from_errno(errno, name);
  }
  return result;
}

}  // namespace

IoResult FdTransport::read(std::span<char> into) {
  ssize_t n = uninterrupted(
      [&] { return ::recv(fd(), into.data(), into.size(), MSG_DONTWAIT); });
  return answer(n, IoResult::kEnd, IoResult::kWantsRead, "read");
}

IoResult FdTransport::write(std::span<const std::string_view> pieces) {
  std::vector<iovec> list;
  for (std::string_view piece : pieces)
    if (!piece.empty())
      list.push_back({const_cast<char*>(piece.data()), piece.size()});
  msghdr message{};
  message.msg_iov = list.data();
  message.msg_iovlen = std::min<std::size_t>(list.size(), IOV_MAX);
  ssize_t n = uninterrupted([&] {
    if (list.size() == 1)
      return ::send(fd(), list[0].iov_base, list[0].iov_len, kFlags);
    return ::sendmsg(fd(), &message, kFlags);
  });
  return answer(n, IoResult::kBytes, IoResult::kWantsWrite, "write");
}

IoResult FdTransport::shutdown_write() {
  int result = ::shutdown(fd(), SHUT_WR);
  if (result < 0 && errno == ENOTCONN) result = 0;
  return answer(result, IoResult::kEnd, IoResult::kEnd, "shutdown");
}

}  // namespace net
