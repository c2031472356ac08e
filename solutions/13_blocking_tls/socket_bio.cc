#include "chapters/13_blocking_tls/socket_bio.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

namespace tls {
namespace {

int fd_of(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

// Returns how many of `size` bytes the socket has taken, or -1.
int write_some(BIO* bio, const char* bytes, int size) {
  while (true) {
    // 13.6: MSG_NOSIGNAL: a peer that is gone is an answer, not a SIGPIPE.
    ssize_t n =
        ::send(fd_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (n >= 0 || errno != EINTR) return static_cast<int>(n);
  }
}

// Returns how many bytes have come, 0 for FIN, or -1.
int read_some(BIO* bio, char* into, int size) {
  while (true) {
    ssize_t n = ::recv(fd_of(bio), into, static_cast<std::size_t>(size), 0);
    // OpenSSL asks for this flag when it has to know why nothing came.
    if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    if (n >= 0 || errno != EINTR) return static_cast<int>(n);
  }
}

// What else OpenSSL asks a BIO for.
long control(BIO* bio, int what, long, void*) {
  switch (what) {
    case BIO_CTRL_FLUSH:
      return 1;  // nothing is kept back here
    case BIO_CTRL_EOF:
      return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    default:
      return 0;
  }
}

// The table of these functions; one for all.
BIO_METHOD* method() {
  static BIO_METHOD* const only = [] {
    BIO_METHOD* made =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_write(made, write_some);
    BIO_meth_set_read(made, read_some);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  return only;
}

}  // namespace

BIO* new_socket_bio(int fd) {
  BIO* bio = BIO_new(method());
  if (!bio) return nullptr;
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  return bio;
}

// Also right: BIO_s_socket() between a pthread_sigmask() that blocks SIGPIPE
// and one that puts the mask back, with a sigtimedwait() for the signal that
// came; or memory BIOs, and send() and recv() around OpenSSL, as chapter 14
// does it.

}  // namespace tls
