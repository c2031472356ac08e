// Context: who I am, whom I trust, and what I speak. Made once, and shared by
// all connections that are of the same mind.
//
//   tls::ContextOptions options;
//   options.key = contents_of("key.pem");
//   options.cert = contents_of("cert.pem");
//   auto context = tls::create_secure_context(options);
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "common/error.h"

namespace tls {

// As in Node: contents, not names of files. Empty means: not given.
struct ContextOptions {
  std::string key;         // PEM; may be encrypted
  std::string cert;        // PEM: ours first, then those that lead to a root
  std::string pfx;         // PKCS#12, in place of key and cert
  std::string passphrase;  // of key or pfx
  std::string ca;   // PEM: whom to trust, in place of the system's authorities
  std::string crl;  // PEM: what those have revoked, a list of each
  // OpenSSL's names with colons between: those of TLS 1.3 begin with "TLS_".
  std::string ciphers;
  std::string min_version = "TLSv1.2";
  std::string max_version = "TLSv1.3";
  bool honor_cipher_order = true;  // of a server: its own order decides
  std::string session_id_context;  // whose sessions may be resumed: 32 bytes
};

// Owns an SSL_CTX. It does not change once it is made, so connections of many
// threads may share it.
class Context {
 public:
  // What cannot be used throws net::Error at once, with the name of the option
  // at the beginning of its message (TLSCFG-1). Nothing below TLS 1.2 is
  // spoken, nor can it be asked for (WEAK-1).
  explicit Context(const ContextOptions& options);

  // Borrowed. An SSL that is made of it keeps it alive by itself.
  SSL_CTX* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
};

inline std::shared_ptr<const Context> create_secure_context(
    const ContextOptions& options) {
  return std::make_shared<const Context>(options);
}

}  // namespace tls
