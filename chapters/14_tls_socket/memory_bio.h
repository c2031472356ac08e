// What OpenSSL reads and writes through: memory.
//
//   tls::Mailbox box;
//   BIO* bio = tls::new_memory_bio(&box);
//   SSL_set_bio(ssl, bio, bio);  // the SSL owns it now, but not the box
//   box.arrived = bytes;         // from the wire
//   SSL_read_ex(ssl, ...);       // takes of box.arrived, adds to box.made
//
// OpenSSL has one of its own, BIO_s_mem(). It copies what arrives, and keeps
// the memory that it has needed once, for each connection.
#pragma once

#include <openssl/bio.h>

#include <string>
#include <string_view>

namespace tls {

// All of it is encrypted, or part of a handshake.
struct Mailbox {
  std::string_view arrived = {};  // OpenSSL takes it from here
  std::string made = {};          // and adds here what is to be sent
};

// Borrows `box`. When nothing has arrived OpenSSL is told to try again later:
// neither an end nor an error. To write never fails.
BIO* new_memory_bio(Mailbox* box);

}  // namespace tls
