// Transport: moves bytes, and never waits.
//
//   net::FdTransport wire(std::move(fd));
//   net::IoResult got = wire.read(buffer);
//   if (got.kind == net::IoResult::kBytes) use(buffer.first(got.bytes));
//   if (got.kind == net::IoResult::kWantsRead) wait_for(wire.fd(), POLLIN);
//
// FdTransport is the plain one; chapter 14 makes one that encrypts.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "chapters/05_unix_sockets/fd.h"
#include "common/error.h"

namespace net {

// What came of a read or a write.
struct IoResult {
  enum Kind {
    kBytes,       // `bytes` of them were moved, at least one
    kWantsRead,   // none: try the same again after POLLIN
    kWantsWrite,  // none: try the same again after POLLOUT
    kWaits,       // none: somebody will say when to try again (chapter 14)
    kEnd,         // read: the peer has ended; shutdown: it is done
    kFailed,      // `error` says why; the connection is of no more use
  };
  Kind kind = kBytes;
  std::size_t bytes = 0;
  std::optional<Error> error = {};
};

class Transport {
 public:
  virtual ~Transport() = default;  // closes
  // What to agree on with the peer before the first read() or write(), in
  // steps: kEnd when there is no further one.
  virtual bool needs_handshake() const { return false; }
  virtual IoResult handshake() { return {.kind = IoResult::kEnd}; }
  // Reads at most into.size() bytes, at least one if any is there. `into` is
  // not empty.
  virtual IoResult read(std::span<char> into) = 0;
  // Writes from the beginning of `pieces`, in order, as much as there is room
  // for. The pieces are not all empty. After kWants... the next call begins
  // with the same bytes, maybe at another address.
  virtual IoResult write(std::span<const std::string_view> pieces) = 0;
  // Ends this direction: the peer reads the end after what was written before.
  virtual IoResult shutdown_write() = 0;
  // Whether read() has bytes for which poll() would not wake anybody.
  virtual bool has_pending() const { return false; }
  virtual int fd() const = 0;  // to poll; -1 once closed. Borrowed
  virtual void close() = 0;    // at once; harmless when it is closed
};

// Over a non-blocking stream socket, which it owns. Whatever the peer does is a
// result, never a signal, and no call ends with EINTR (WIRE-4).
class FdTransport : public Transport {
 public:
  explicit FdTransport(Fd fd) : fd_(std::move(fd)) {}

  // One recv(2) (WIRE-1, WIRE-2); an error's syscall is "read", as Node's is.
  IoResult read(std::span<char> into) override;
  // One sendmsg(2) for all the pieces, or for as many as the system takes;
  // send(2) will do for one (WIRE-3). An error's syscall is "write".
  IoResult write(std::span<const std::string_view> pieces) override;
  // FIN; also kEnd if the connection is gone and needs none (WIRE-5). An
  // error's syscall is "shutdown".
  IoResult shutdown_write() override;
  int fd() const override { return fd_.get(); }
  void close() override { fd_.reset(); }

 private:
  Fd fd_;
};

}  // namespace net
