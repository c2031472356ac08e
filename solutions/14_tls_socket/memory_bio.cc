#include "chapters/14_tls_socket/memory_bio.h"

#include <cstddef>

namespace tls {
namespace {

Mailbox& box_of(BIO* bio) {
  return *static_cast<Mailbox*>(BIO_get_data(bio));
}

// Returns how many of `size` bytes are kept: all of them.
int write_all(BIO* bio, const char* bytes, int size) {
  box_of(bio).made.append(bytes, static_cast<std::size_t>(size));
  return size;
}

// Returns how many bytes were there, or -1.
int read_some(BIO* bio, char* into, int size) {
  std::string_view& arrived = box_of(bio).arrived;
  BIO_clear_retry_flags(bio);
  if (arrived.empty()) {
    // 14.1: without this flag -1 is an error, and 0 an end.
    BIO_set_retry_read(bio);
    return -1;
  }
  std::size_t n = arrived.copy(into, static_cast<std::size_t>(size));
  arrived.remove_prefix(n);
  return static_cast<int>(n);
}

// What else OpenSSL asks a BIO for.
long control(BIO*, int what, long, void*) {
  return what == BIO_CTRL_FLUSH;  // nothing is kept back here
}

// The table of these functions; one for all.
BIO_METHOD* method() {
  static BIO_METHOD* const only = [] {
    BIO_METHOD* made =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "memory");
    BIO_meth_set_write(made, write_all);
    BIO_meth_set_read(made, read_some);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  return only;
}

}  // namespace

BIO* new_memory_bio(Mailbox* box) {
  BIO* bio = BIO_new(method());
  if (!bio) return nullptr;
  BIO_set_data(bio, box);
  BIO_set_init(bio, 1);
  return bio;
}

// Also right: two BIO_s_mem(), and BIO_write() and BIO_read() around each call.
// Or a BIO over the socket, as in chapter 13: then OpenSSL waits for the socket
// in the middle of a record, SSL_write() has to be repeated with the very same
// bytes, and each record is a system call of its own.

}  // namespace tls
