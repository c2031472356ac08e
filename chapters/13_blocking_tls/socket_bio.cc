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
  // TODO(13.6): send(2), so that neither SIGPIPE nor EINTR is seen.
  (void)fd_of(bio);
  (void)bytes;
  (void)size;
  errno = ENOSYS;
  return -1;
}

// Returns how many bytes have come, 0 for FIN, or -1.
int read_some(BIO* bio, char* into, int size) {
  // TODO(13.6): recv(2), and a note for OpenSSL when FIN has come.
  (void)bio;
  (void)into;
  (void)size;
  errno = ENOSYS;
  return -1;
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

}  // namespace tls
