#include "chapters/13_blocking_tls/credentials.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chapters/13_blocking_tls/tls_error.h"
#include "common/free_with.h"

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

// All that `read` finds in a PEM text, in its order; at least one.
template <typename Owner, typename Read>
std::vector<Owner> all_of(const std::string& pem, Read read,
                          const char* option) {
  Bio in = reader_of(pem);
  std::vector<Owner> all;
  while (auto* next = read(in.get(), nullptr, nullptr, nullptr))
    all.emplace_back(next);
  // 13.3: the loop ends by an error. "No more of them" is the one that is none.
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  check(at_end && !all.empty(), option);
  ERR_clear_error();
  return all;
}

std::vector<Certificate> certificates_of(const std::string& pem,
                                         const char* option) {
  return all_of<Certificate>(pem, PEM_read_bio_X509, option);
}

struct Passphrase {
  const std::string& text;
  bool asked = false;
};

// Without such a function OpenSSL asks at the terminal, and a server hangs.
int give_passphrase(char* buffer, int size, int, void* passphrase) {
  auto& own = *static_cast<Passphrase*>(passphrase);
  own.asked = true;
  if (own.text.size() > static_cast<std::size_t>(size)) return -1;
  own.text.copy(buffer, own.text.size());
  return static_cast<int>(own.text.size());
}

void use_key(SSL_CTX* context, EVP_PKEY* key, const char* option) {
  check(SSL_CTX_use_PrivateKey(context, key) == 1, option);
  // 13.3: and now with the certificate, which may have come later.
  check(SSL_CTX_check_private_key(context) == 1, option);
}

void use_pem(SSL_CTX* context, const ContextOptions& options) {
  if (!options.cert.empty()) {
    std::vector<Certificate> chain = certificates_of(options.cert, "cert");
    check(SSL_CTX_use_certificate(context, chain[0].get()) == 1, "cert");
    for (std::size_t i = 1; i < chain.size(); ++i)
      check(SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1, "cert");
  }
  if (options.key.empty()) return;
  Bio in = reader_of(options.key);
  Passphrase passphrase{options.passphrase};
  Key key(
      PEM_read_bio_PrivateKey(in.get(), nullptr, give_passphrase, &passphrase));
  check(key != nullptr, passphrase.asked ? "passphrase" : "key");
  use_key(context, key.get(), "key");
}

void use_bundle(SSL_CTX* context, const ContextOptions& options) {
  Bio in = reader_of(options.pfx);
  Bundle bundle(d2i_PKCS12_bio(in.get(), nullptr));
  check(bundle != nullptr, "pfx");
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* others = nullptr;
  bool opened = PKCS12_parse(bundle.get(), options.passphrase.c_str(), &key,
                             &certificate, &others) == 1;
  Key own_key(key);
  Certificate own_certificate(certificate);
  std::vector<Certificate> chain;
  while (sk_X509_num(others) > 0) chain.emplace_back(sk_X509_shift(others));
  sk_X509_free(others);
  check(opened, "passphrase");
  check(certificate && SSL_CTX_use_certificate(context, certificate) == 1,
        "pfx");
  for (const Certificate& next : chain)
    check(SSL_CTX_add1_chain_cert(context, next.get()) == 1, "pfx");
  use_key(context, key, "pfx");
}

}  // namespace

void use_identity(SSL_CTX* context, const ContextOptions& options) {
  if (options.pfx.empty())
    use_pem(context, options);
  else
    use_bundle(context, options);
}

void use_trust(SSL_CTX* context, const ContextOptions& options) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  if (options.ca.empty()) {
    check(SSL_CTX_set_default_verify_paths(context) == 1, "ca");
  } else {
    for (const Certificate& ca : certificates_of(options.ca, "ca")) {
      check(X509_STORE_add_cert(store, ca.get()) == 1, "ca");
      // What a server tells its clients: whose certificates it takes.
      check(SSL_CTX_add_client_CA(context, ca.get()) == 1, "ca");
    }
  }
  if (options.crl.empty()) return;
  for (const Crl& list : all_of<Crl>(options.crl, PEM_read_bio_X509_CRL, "crl"))
    check(X509_STORE_add_crl(store, list.get()) == 1, "crl");
  // 13.3: a list that nobody looks at takes nothing back. Of the whole chain:
  // an authority in the middle can be revoked, too.
  X509_STORE_set_flags(store,
                       X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

// Also right: SSL_CTX_use_certificate_chain_file() and its like, for a program
// that has files and need not be told what was wrong with their contents.

}  // namespace tls
