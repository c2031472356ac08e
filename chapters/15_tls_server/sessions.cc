#include "chapters/15_tls_server/sessions.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <stdexcept>

#include "common/error.h"
#include "common/todo.h"

namespace tls {
namespace {

constexpr std::size_t kPart = 16;  // a key has three: name, signs, encrypts
constexpr std::size_t kSize = 3 * kPart;

[[maybe_unused]] const unsigned char* part(const std::string& key,
                                           std::size_t which) {
  return reinterpret_cast<const unsigned char*>(key.data()) + which * kPart;
}

// How the ticket is signed.
[[maybe_unused]] bool sign_with(EVP_MAC_CTX* mac, const std::string& key) {
  char digest[] = "SHA256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(
          OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(part(key, 1)), kPart),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

// OpenSSL takes 32 bytes, and a hash has as many.
std::string hash_of(std::string_view bytes) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), hash, &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<char*>(hash), size};
}

// What identifies a certificate, or a list of revoked ones.
template <typename T>
std::string digest_of(const T* it, int (*digest)(const T*, const EVP_MD*,
                                                 unsigned char*, unsigned*)) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!it || digest(it, EVP_sha256(), hash, &size) != 1) return "";
  return {reinterpret_cast<char*>(hash), size};
}

std::string trust_of(SSL_CTX* context) {
  std::string all;
  STACK_OF(X509_OBJECT)* objects =
      X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    const X509_OBJECT* object = sk_X509_OBJECT_value(objects, i);
    all += digest_of<X509>(X509_OBJECT_get0_X509(object), X509_digest);
    all +=
        digest_of<X509_CRL>(X509_OBJECT_get0_X509_CRL(object), X509_CRL_digest);
  }
  return all;
}

}  // namespace

TicketKeys::TicketKeys() {
  std::string key(kSize, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(key.data());
  if (RAND_bytes(bytes, static_cast<int>(kSize)) != 1)
    throw std::runtime_error("RAND_bytes: no random numbers");
  keys_.push_back(std::move(key));
}

void TicketKeys::set(std::string_view) {
  TODO("15.6", "48 bytes each");
}

std::string TicketKeys::get() const {
  TODO("15.6", "all of them");
}

int TicketKeys::use(unsigned char*, unsigned char*, EVP_CIPHER_CTX*,
                    EVP_MAC_CTX*, int) const {
  // TODO(15.6): 1, or 2, or 0. It cannot throw: OpenSSL calls it.
  return 0;
}

std::string context_scope(SSL_CTX* context, std::string_view id_context,
                          Asks asks) {
  std::string all(id_context);
  all += '\0';
  all += digest_of<X509>(SSL_CTX_get0_certificate(context), X509_digest);
  if (asks == Asks::kForCertificates) all += trust_of(context);
  return hash_of(all);
}

std::string session_scope(std::string_view, std::string_view) {
  TODO("15.6", "where a session is good");
}

}  // namespace tls
