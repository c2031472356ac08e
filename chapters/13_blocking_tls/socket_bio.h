// What OpenSSL reads and writes through: a BIO over a socket.
//
//   BIO* bio = tls::new_socket_bio(fd.get());
//   SSL_set_bio(ssl, bio, bio);  // the SSL owns it now, but not the descriptor
//
// OpenSSL has one of its own, BIO_s_socket(). It calls write(2), so a peer that
// is gone is a SIGPIPE that ends the program.
#pragma once

#include <openssl/bio.h>

namespace tls {

// Borrows `fd`, a blocking socket. After a call that failed errno says why.
BIO* new_socket_bio(int fd);

}  // namespace tls
