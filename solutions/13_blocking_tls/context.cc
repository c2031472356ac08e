#include "chapters/13_blocking_tls/context.h"

#include <openssl/err.h>

#include <algorithm>
#include <string_view>

#include "chapters/13_blocking_tls/alpn.h"
#include "chapters/13_blocking_tls/credentials.h"
#include "chapters/13_blocking_tls/tls_error.h"

namespace tls {
namespace {

// A key for each connection, thrown away after it, and encryption that notices
// each change: what TLS 1.3 has kept of the ciphers of TLS 1.2.
constexpr const char* kStrongCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

[[noreturn]] void refuse(const char* option, const std::string& why) {
  throw net::Error("ERR_INVALID_ARG_VALUE", std::string(option) + ": " + why);
}

int version_number(const char* option, const std::string& name) {
  if (name == "TLSv1.2") return TLS1_2_VERSION;
  if (name == "TLSv1.3") return TLS1_3_VERSION;
  refuse(option, "\"" + name + "\" is neither TLSv1.2 nor TLSv1.3");
}

void set_versions(SSL_CTX* context, const ContextOptions& options) {
  int lowest = version_number("min_version", options.min_version);
  int highest = version_number("max_version", options.max_version);
  if (lowest > highest) refuse("min_version", "it is above max_version");
  SSL_CTX_set_min_proto_version(context, lowest);
  SSL_CTX_set_max_proto_version(context, highest);
}

enum class Generation { kUpTo12, kFrom13 };

// The names of `list` that belong to one generation of TLS.
std::string ciphers_of(std::string_view list, Generation wanted) {
  std::string chosen;
  while (!list.empty()) {
    std::string_view name = list.substr(0, list.find(':'));
    list.remove_prefix(std::min(name.size() + 1, list.size()));
    bool is_13 = name.starts_with("TLS_");
    if (name.empty() || is_13 != (wanted == Generation::kFrom13)) continue;
    if (!chosen.empty()) chosen += ':';
    chosen += name;
  }
  return chosen;
}

void set_ciphers(SSL_CTX* context, const ContextOptions& options) {
  bool chosen = !options.ciphers.empty();
  std::string old = ciphers_of(options.ciphers, Generation::kUpTo12);
  std::string suites = ciphers_of(options.ciphers, Generation::kFrom13);
  if (!chosen) old = kStrongCiphers;
  // 13.2: two lists, set by two functions. Who names ciphers of one generation
  // speaks that one alone; OpenSSL would go on with its own of the other.
  if (!old.empty() && SSL_CTX_set_cipher_list(context, old.c_str()) != 1)
    throw take_error("ciphers");
  if (!suites.empty() && SSL_CTX_set_ciphersuites(context, suites.c_str()) != 1)
    throw take_error("ciphers");
  if (chosen && suites.empty() && options.min_version != "TLSv1.3")
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  if (chosen && old.empty() && options.max_version != "TLSv1.2")
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
}

void set_session_id_context(SSL_CTX* context, std::string id) {
  // A server that asks for certificates resumes nothing without one.
  if (id.empty()) id = "tls";
  auto* bytes = reinterpret_cast<const unsigned char*>(id.data());
  auto size = static_cast<unsigned>(id.size());
  if (SSL_CTX_set_session_id_context(context, bytes, size) != 1)
    throw take_error("session_id_context");
}

// What leads from our certificate to a root. Without a chain OpenSSL looks for
// one in each handshake, also in the system's folder of authorities.
void complete_chain(SSL_CTX* context) {
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, &chain);
  if (chain || !SSL_CTX_get0_certificate(context)) return;
  SSL_CTX_build_cert_chain(context, SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR |
                                        SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR);
}

}  // namespace

Context::Context(const ContextOptions& options) {
  ERR_clear_error();
  context_.reset(SSL_CTX_new(TLS_method()));
  if (!context_) throw take_error("SSL_CTX_new");
  SSL_CTX* context = context_.get();
  set_versions(context, options);
  set_ciphers(context, options);
  if (options.honor_cipher_order)
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A new handshake in mid-stream: costs a server much, and nobody needs it.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  set_session_id_context(context, options.session_id_context);
  choose_protocols(context);
  use_identity(context, options);
  use_trust(context, options);
  complete_chain(context);
}

// Also right: TLS_client_method() and TLS_server_method(), if a context is for
// one side alone. Not right: TLSv1_2_method() and the like, which speak one
// version and no other.

}  // namespace tls
