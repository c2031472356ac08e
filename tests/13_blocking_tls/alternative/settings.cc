// Contexts and engines in another way: versions by what is forbidden, PEM read
// all at once, ALPN compared by hand, names and addresses checked by OpenSSL
// while it verifies the chain.
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "chapters/13_blocking_tls/connection.h"
#include "chapters/13_blocking_tls/identity.h"
#include "chapters/13_blocking_tls/tls_error.h"
#include "chapters/13_blocking_tls/verify_code.h"

namespace tls {
namespace {

[[noreturn]] void blame(const std::string& option) {
  throw take_error(option);
}

struct Pem {
  explicit Pem(const std::string& text)
      : bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))) {}
  ~Pem() {
    BIO_free(bio);
    sk_X509_INFO_pop_free(items, X509_INFO_free);
  }
  // All that is in there; null if it cannot be read.
  STACK_OF(X509_INFO) * read() {
    return items = PEM_X509_INFO_read_bio(bio, nullptr, nullptr, nullptr);
  }
  BIO* bio;
  STACK_OF(X509_INFO) * items = nullptr;
};

// Calls `use` with each certificate, and its number.
template <typename Use>
void each_certificate(const std::string& text, const char* option, Use use) {
  Pem pem(text);
  STACK_OF(X509_INFO)* items = pem.read();
  int n = 0;
  for (int i = 0; items && i < sk_X509_INFO_num(items); ++i)
    if (X509* one = sk_X509_INFO_value(items, i)->x509)
      if (use(one, n++) != 1) blame(option);
  if (n == 0) blame(option);
}

using Password = std::pair<const std::string*, bool>;

int password(char* buffer, int size, int, void* given) {
  auto& [text, asked] = *static_cast<Password*>(given);
  asked = true;
  return static_cast<int>(text->copy(buffer, static_cast<std::size_t>(size)));
}

void use_key(SSL_CTX* context, const ContextOptions& options) {
  Pem pem(options.key);
  Password given(&options.passphrase, false);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(pem.bio, nullptr, password, &given);
  if (!key) blame(given.second ? "passphrase" : "key");
  bool fits = SSL_CTX_use_PrivateKey(context, key) == 1 &&
              SSL_CTX_check_private_key(context) == 1;
  EVP_PKEY_free(key);
  if (!fits) blame("key");
}

void use_pfx(SSL_CTX* context, const ContextOptions& options) {
  Pem in(options.pfx);
  PKCS12* bundle = d2i_PKCS12_bio(in.bio, nullptr);
  if (!bundle) blame("pfx");
  EVP_PKEY* key = nullptr;
  X509* own = nullptr;
  STACK_OF(X509)* chain = nullptr;
  bool opened =
      PKCS12_parse(bundle, options.passphrase.c_str(), &key, &own, &chain) == 1;
  PKCS12_free(bundle);
  if (!opened) blame("passphrase");
  bool fits = SSL_CTX_use_cert_and_key(context, own, key, chain, 1) == 1;
  EVP_PKEY_free(key);
  X509_free(own);
  sk_X509_pop_free(chain, X509_free);
  if (!fits) blame("pfx");
}

void trust(SSL_CTX* context, const ContextOptions& options) {
  X509_STORE* store = X509_STORE_new();
  SSL_CTX_set_cert_store(context, store);
  if (options.ca.empty())
    SSL_CTX_set_default_verify_paths(context);
  else
    each_certificate(options.ca, "ca", [&](X509* one, int) {
      SSL_CTX_add_client_CA(context, one);
      return X509_STORE_add_cert(store, one);
    });
  if (options.crl.empty()) return;
  Pem pem(options.crl);
  STACK_OF(X509_INFO)* items = pem.read();
  int n = 0;
  for (int i = 0; items && i < sk_X509_INFO_num(items); ++i)
    if (X509_CRL* list = sk_X509_INFO_value(items, i)->crl)
      n += X509_STORE_add_crl(store, list);
  if (n == 0) blame("crl");
  X509_VERIFY_PARAM_set_flags(
      SSL_CTX_get0_param(context),
      X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

void check_version(const char* option, const std::string& name) {
  if (name != "TLSv1.2" && name != "TLSv1.3")
    throw net::Error("ERR_TLS_INVALID_PROTOCOL_VERSION",
                     std::string(option) + ": not " + name);
}

void set_ciphers(SSL_CTX* context, const std::string& list) {
  std::string suites, others;
  std::size_t from = 0;
  while (from < list.size()) {
    std::size_t to = std::min(list.find(':', from), list.size());
    std::string name = list.substr(from, to - from);
    (name.rfind("TLS_", 0) == 0 ? suites : others) += name + ":";
    from = to + 1;
  }
  if (list.empty()) others = "ECDHE+AESGCM:ECDHE+CHACHA20:";
  for (std::string* one : {&suites, &others})
    if (!one->empty()) one->pop_back();
  if (!others.empty() && !SSL_CTX_set_cipher_list(context, others.c_str()))
    blame("ciphers");
  if (!suites.empty() && !SSL_CTX_set_ciphersuites(context, suites.c_str()))
    blame("ciphers");
  if (!list.empty() && suites.empty())
    SSL_CTX_set_options(context, SSL_OP_NO_TLSv1_3);
  if (others.empty()) SSL_CTX_set_options(context, SSL_OP_NO_TLSv1_2);
}

int list_index() {
  static const int index =
      SSL_get_ex_new_index(0, nullptr, nullptr, nullptr,
                           [](void*, void* list, CRYPTO_EX_DATA*, int, long,
                              void*) { delete static_cast<Protocols*>(list); });
  return index;
}

int pick(SSL* ssl, const unsigned char** chosen, unsigned char* size,
         const unsigned char* offered, unsigned n, void*) {
  auto* own = static_cast<Protocols*>(SSL_get_ex_data(ssl, list_index()));
  if (!own) return SSL_TLSEXT_ERR_NOACK;
  for (const std::string& name : *own)
    for (unsigned i = 0; i < n; i += 1u + offered[i])
      if (offered[i] == name.size() &&
          std::memcmp(offered + i + 1, name.data(), name.size()) == 0) {
        *chosen = offered + i + 1;
        *size = offered[i];
        return SSL_TLSEXT_ERR_OK;
      }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int go_on(int, X509_STORE_CTX*) {
  return 1;
}

void verify(SSL* ssl, bool reject) {
  int mode = SSL_VERIFY_PEER | (reject ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
  SSL_set_verify(ssl, mode, reject ? nullptr : go_on);
}

Engine engine_of(const Context& context) {
  ERR_clear_error();
  return Engine(SSL_new(context.get()));
}

}  // namespace

net::Error take_error(std::string_view doing) {
  unsigned long error = ERR_peek_error();
  while (ERR_get_error() != 0) {
  }
  std::string prefix(doing);
  if (error == 0) return {"ERR_SSL_UNKNOWN", prefix + ": no reason"};
  const char* reason = ERR_reason_error_string(error);
  std::string words = reason ? reason : "unknown";
  std::string code = ERR_GET_LIB(error) == ERR_LIB_SSL    ? "ERR_SSL_"
                     : ERR_GET_LIB(error) == ERR_LIB_X509 ? "ERR_OSSL_X509_"
                                                          : "ERR_OSSL_";
  for (char c : words)
    code += c == ' ' ? '_' : static_cast<char>(std::toupper(c));
  return {code, prefix + ": " + words};
}

net::Error certificate_error(long result) {
  if (result == X509_V_ERR_HOSTNAME_MISMATCH ||
      result == X509_V_ERR_IP_ADDRESS_MISMATCH)
    return {"ERR_TLS_CERT_ALTNAME_INVALID",
            "the certificate is for somebody else"};
  return {verify_code(result), X509_verify_cert_error_string(result)};
}

bool is_address(const std::string& host) {
  ASN1_OCTET_STRING* bytes = a2i_IPADDRESS(host.c_str());
  ERR_clear_error();
  ASN1_OCTET_STRING_free(bytes);
  return bytes != nullptr;
}

std::optional<net::Error> check_server_identity(const std::string& host,
                                                X509* certificate) {
  bool fits = is_address(host)
                  ? X509_check_ip_asc(certificate, host.c_str(), 0) == 1
                  : !host.empty() && host[0] != '.' &&
                        X509_check_host(certificate, host.c_str(), 0,
                                        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                                        nullptr) == 1;
  if (fits) return {};
  return net::Error("ERR_TLS_CERT_ALTNAME_INVALID", "not for " + host);
}

Context::Context(const ContextOptions& options)
    : context_(SSL_CTX_new(TLS_method())) {
  SSL_CTX* context = context_.get();
  check_version("min_version", options.min_version);
  check_version("max_version", options.max_version);
  if (options.min_version > options.max_version)
    throw net::Error("ERR_TLS_PROTOCOL_VERSION_CONFLICT",
                     "min_version: above max_version");
  SSL_CTX_set_options(
      context,
      SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 |
          (options.min_version == "TLSv1.3" ? SSL_OP_NO_TLSv1_2 : 0) |
          (options.max_version == "TLSv1.2" ? SSL_OP_NO_TLSv1_3 : 0) |
          SSL_OP_NO_RENEGOTIATION |
          (options.honor_cipher_order ? SSL_OP_CIPHER_SERVER_PREFERENCE : 0));
  set_ciphers(context, options.ciphers);
  const std::string& id = options.session_id_context;
  if (!SSL_CTX_set_session_id_context(
          context, reinterpret_cast<const unsigned char*>(id.data()),
          static_cast<unsigned>(id.size())))
    blame("session_id_context");
  SSL_CTX_set_alpn_select_cb(context, pick, nullptr);
  if (!options.pfx.empty()) use_pfx(context, options);
  if (!options.cert.empty())
    each_certificate(options.cert, "cert", [&](X509* one, int n) {
      return n == 0 ? SSL_CTX_use_certificate(context, one)
                    : static_cast<int>(SSL_CTX_add1_chain_cert(context, one));
    });
  if (!options.key.empty()) use_key(context, options);
  trust(context, options);
}

Engine new_client(const Context& context, const EngineOptions& options) {
  const std::string& name =
      options.servername.empty() ? options.host : options.servername;
  if (name.empty() && options.reject_unauthorized)
    throw net::UsageError("ERR_MISSING_ARGS", "servername");
  Engine engine = engine_of(context);
  SSL_set_connect_state(engine.get());
  verify(engine.get(), options.reject_unauthorized);
  bool address = is_address(name);
  if (address)
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(engine.get()), name.c_str());
  else if (!name.empty())
    SSL_set1_host(engine.get(), name.c_str());
  if (!options.servername.empty() && !address)
    SSL_set_tlsext_host_name(engine.get(), name.c_str());
  std::string wire;
  for (const std::string& protocol : options.alpn_protocols)
    wire += static_cast<char>(protocol.size()) + protocol;
  SSL_set_alpn_protos(engine.get(),
                      reinterpret_cast<const unsigned char*>(wire.data()),
                      static_cast<unsigned>(wire.size()));
  return engine;
}

Engine new_server(const Context& context, const EngineOptions& options) {
  Engine engine = engine_of(context);
  SSL_set_accept_state(engine.get());
  if (options.request_cert) verify(engine.get(), options.reject_unauthorized);
  if (!options.alpn_protocols.empty())
    SSL_set_ex_data(engine.get(), list_index(),
                    new Protocols(options.alpn_protocols));
  return engine;
}

}  // namespace tls
