#include "chapters/15_tls_server/sessions.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <algorithm>
#include <stdexcept>

#include "common/error.h"

namespace tls {
namespace {

constexpr std::size_t kPart = 16;  // a key has three: name, signs, encrypts
constexpr std::size_t kSize = 3 * kPart;

const unsigned char* part(const std::string& key, std::size_t which) {
  return reinterpret_cast<const unsigned char*>(key.data()) + which * kPart;
}

// How the ticket is signed.
bool sign_with(EVP_MAC_CTX* mac, const std::string& key) {
  char digest[] = "SHA256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(
          OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(part(key, 1)), kPart),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

// 15.6: OpenSSL takes 32 bytes, and a hash has as many.
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

void TicketKeys::set(std::string_view keys) {
  if (keys.empty() || keys.size() % kSize != 0)
    throw net::UsageError("ERR_INVALID_ARG_VALUE",
                          "ticket_keys: 48 bytes for each key");
  keys_.clear();
  for (; !keys.empty(); keys.remove_prefix(kSize))
    keys_.emplace_back(keys.substr(0, kSize));
}

std::string TicketKeys::get() const {
  std::string all;
  for (const std::string& key : keys_) all += key;
  return all;
}

int TicketKeys::use(unsigned char* name, unsigned char* iv,
                    EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                    int encrypt) const {
  auto key = keys_.begin();
  if (encrypt) {
    if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return -1;
    std::copy_n(part(*key, 0), kPart, name);
  } else {
    key = std::find_if(keys_.begin(), keys_.end(), [&](const auto& it) {
      return std::equal(name, name + kPart, part(it, 0));
    });
    // 15.6: nobody's, or of a key that is gone: a full handshake.
    if (key == keys_.end()) return 0;
  }
  if (EVP_CipherInit_ex2(cipher, EVP_aes_128_cbc(), part(*key, 2), iv, encrypt,
                         nullptr) != 1 ||
      !sign_with(mac, *key))
    return -1;
  // 15.6: 2: it is good, and its owner gets one of the first key.
  return key == keys_.begin() ? 1 : 2;
}

std::string context_scope(SSL_CTX* context, std::string_view id_context,
                          Asks asks) {
  std::string all(id_context);
  all += '\0';
  all += digest_of<X509>(SSL_CTX_get0_certificate(context), X509_digest);
  if (asks == Asks::kForCertificates) all += trust_of(context);
  return hash_of(all);
}

std::string session_scope(std::string_view context_scope,
                          std::string_view name) {
  return hash_of(std::string(context_scope).append(name));
}

// Also right: no keys of our own, and OpenSSL makes some for each context: if
// there is one server with one context, and it never runs for months.

}  // namespace tls
