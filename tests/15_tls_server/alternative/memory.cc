// What the alternative server knows of names and keys: a reader that goes
// through the hello once, names as lists of labels, keys in one string.
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <vector>

#include "chapters/15_tls_server/hello.h"
#include "chapters/15_tls_server/sessions.h"
#include "common/error.h"

namespace tls {
namespace {

constexpr std::size_t kKey = 48;

// Reads numbers and texts; what is not there makes it bad, for good.
class Reader {
 public:
  Reader(SSL* ssl, unsigned extension) {
    good_ = SSL_client_hello_get0_ext(ssl, extension, &bytes_, &size_) == 1;
    if (!good_) size_ = 0;
  }
  std::size_t number(int bytes) {
    std::size_t value = 0;
    for (std::string it = text(static_cast<std::size_t>(bytes)); char c : it)
      value = value * 256 + static_cast<unsigned char>(c);
    return value;
  }
  std::string text(std::size_t n) {
    good_ = good_ && n <= size_;
    if (!good_) return {};
    std::string it(reinterpret_cast<const char*>(bytes_), n);
    bytes_ += n;
    size_ -= n;
    return it;
  }
  std::size_t left() const { return size_; }
  bool good() const { return good_; }

 private:
  const unsigned char* bytes_ = nullptr;
  std::size_t size_ = 0;
  bool good_ = false;
};

std::string name_in(Reader list) {
  bool fits = list.number(2) == list.left();
  bool host = list.number(1) == 0;
  std::string name = list.text(list.number(2));
  bool all = list.good() && fits && host && list.left() == 0;
  return all && name.find('\0') == name.npos ? name : "";
}

std::vector<std::string> labels_of(std::string_view name) {
  std::vector<std::string> labels(1);
  for (char c : name) {
    if (c == '.')
      labels.emplace_back();
    else
      labels.back() +=
          static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return labels;
}

unsigned char* bytes_of(const std::string& key, std::size_t from) {
  return reinterpret_cast<unsigned char*>(const_cast<char*>(key.data())) + from;
}

class Hash {
 public:
  Hash() : context_(EVP_MD_CTX_new()) {
    EVP_DigestInit_ex(context_, EVP_sha256(), nullptr);
  }
  ~Hash() { EVP_MD_CTX_free(context_); }
  Hash(const Hash&) = delete;
  // With its length in front: "ab", "c" is not "a", "bc".
  void add(std::string_view bytes) {
    std::string size = std::to_string(bytes.size()) + ":";
    EVP_DigestUpdate(context_, size.data(), size.size());
    EVP_DigestUpdate(context_, bytes.data(), bytes.size());
  }
  template <typename T>
  void add(const T* object, int (*encode)(const T*, unsigned char**)) {
    unsigned char* der = nullptr;
    int size = object ? encode(object, &der) : 0;
    if (size > 0)
      add({reinterpret_cast<char*>(der), static_cast<std::size_t>(size)});
    OPENSSL_free(der);
  }
  std::string done() {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_, hash, &size);
    return {reinterpret_cast<char*>(hash), size};
  }

 private:
  EVP_MD_CTX* context_;
};

}  // namespace

Hello parse_hello(SSL* ssl) {
  Hello hello;
  hello.servername = name_in(Reader(ssl, TLSEXT_TYPE_server_name));
  const unsigned char* id = nullptr;
  std::size_t size = SSL_client_hello_get0_session_id(ssl, &id);
  hello.session_id.assign(reinterpret_cast<const char*>(id), size);
  hello.has_ticket = Reader(ssl, TLSEXT_TYPE_session_ticket).left() > 0 ||
                     Reader(ssl, TLSEXT_TYPE_psk).good();
  return hello;
}

bool matches_name(std::string_view pattern, std::string_view name) {
  std::vector<std::string> wanted = labels_of(pattern), got = labels_of(name);
  return std::equal(wanted.begin(), wanted.end(), got.begin(), got.end(),
                    [](const std::string& a, const std::string& b) {
                      return a == b || (a == "*" && !b.empty());
                    });
}

TicketKeys::TicketKeys() : keys_{std::string(kKey, '\0')} {
  if (RAND_bytes(bytes_of(keys_[0], 0), static_cast<int>(kKey)) != 1)
    throw std::runtime_error("no random numbers");
}

void TicketKeys::set(std::string_view keys) {
  if (keys.empty() || keys.size() % kKey > 0)
    throw net::UsageError("ERR_INVALID_ARG_VALUE", "ticket_keys: 48 bytes");
  keys_[0] = keys;
}

std::string TicketKeys::get() const {
  return keys_[0];
}

int TicketKeys::use(unsigned char* name, unsigned char* iv,
                    EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                    int encrypt) const {
  const std::string& all = keys_[0];
  std::size_t at = 0;
  if (encrypt) {
    if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return -1;
    std::copy_n(bytes_of(all, 0), 16, name);
  } else {
    while (at < all.size() && !std::equal(name, name + 16, bytes_of(all, at)))
      at += kKey;
    if (at == all.size()) return 0;
  }
  char digest[] = "SHA256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
                                        bytes_of(all, at + 16), 16),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  bool good =
      EVP_MAC_CTX_set_params(mac, parameters) == 1 &&
      EVP_CipherInit_ex2(cipher, EVP_aes_128_cbc(), bytes_of(all, at + 32), iv,
                         encrypt, nullptr) == 1;
  return good ? (at == 0 ? 1 : 2) : -1;
}

std::string context_scope(SSL_CTX* context, std::string_view id_context,
                          Asks asks) {
  Hash hash;
  hash.add(id_context);
  hash.add<X509>(SSL_CTX_get0_certificate(context), i2d_X509);
  if (asks == Asks::kNobody) return hash.done();
  hash.add("trust");
  STACK_OF(X509_OBJECT)* all =
      X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
  for (int i = 0; i < sk_X509_OBJECT_num(all); ++i) {
    const X509_OBJECT* object = sk_X509_OBJECT_value(all, i);
    hash.add<X509>(X509_OBJECT_get0_X509(object), i2d_X509);
    hash.add<X509_CRL>(X509_OBJECT_get0_X509_CRL(object), i2d_X509_CRL);
  }
  return hash.done();
}

std::string session_scope(std::string_view context_scope,
                          std::string_view name) {
  Hash hash;
  hash.add(context_scope);
  hash.add(name);
  return hash.done();
}

}  // namespace tls
