#include "chapters/13_blocking_tls/credentials.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <memory>
#include <string>

#include "chapters/13_blocking_tls/tls_error.h"
#include "common/free_with.h"
#include "common/todo.h"

namespace tls {
namespace {

using net::FreeWith;
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Crl = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;
using Bundle = std::unique_ptr<PKCS12, FreeWith<PKCS12_free>>;

// `option` cannot be used, for the reason that is in the queue.
void check(bool good, const char* option) {
  if (!good) throw take_error(option);
}

Bio reader_of(const std::string& bytes) {
  return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

}  // namespace

void use_identity(SSL_CTX* context, const ContextOptions& options) {
  if (options.cert.empty() && options.key.empty() && options.pfx.empty())
    return;
  (void)context;
  TODO("13.3", "cert, key and passphrase, or pfx and passphrase");
}

void use_trust(SSL_CTX* context, const ContextOptions& options) {
  // Until 13.3 is done nobody is trusted without ca: take this line away then.
  if (options.ca.empty() && options.crl.empty()) return;
  (void)context;
  (void)check;
  (void)reader_of;
  TODO("13.3", "ca, or the system's authorities; crl");
}

}  // namespace tls
