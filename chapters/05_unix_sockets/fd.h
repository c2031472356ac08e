// Fd: the owner of one descriptor, which closes it.
//
//   net::Fd log(::open("log", O_WRONLY | O_APPEND | O_CLOEXEC));
//   if (!log) return complain("open");
//   ::write(log.get(), "hello\n", 6);     // borrows
//   archive.keep(std::move(log));         // gives away: `log` is empty now
//
// A descriptor is a number. Two owners of one number close it twice, and the
// second close() hits whatever has got the number by then.
#pragma once

#include <utility>

namespace net {

// Owns one descriptor, or none. Move-only: a descriptor has one owner, and is
// closed once (FD-1).
class Fd {
 public:
  Fd() = default;                   // owns nothing
  explicit Fd(int fd) : fd_(fd) {}  // takes ownership; -1 means nothing
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(other.release()) {}

  // Closes what it held, and takes over what `other` holds. Assigned to
  // itself, it keeps what it has (FD-2).
  Fd& operator=(Fd&& other) noexcept;

  int get() const { return fd_; }  // borrow: do not close it
  explicit operator bool() const { return fd_ >= 0; }

  // Gives the descriptor away: closing it is the caller's task now.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

  // Closes now, and owns nothing afterwards. Keeps errno (FD-1).
  void reset() noexcept;

 private:
  int fd_ = -1;
};

}  // namespace net
