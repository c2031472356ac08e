#include "chapters/13_blocking_tls/context.h"

#include <openssl/err.h>

#include <algorithm>
#include <string_view>

#include "chapters/13_blocking_tls/alpn.h"
#include "chapters/13_blocking_tls/credentials.h"
#include "chapters/13_blocking_tls/tls_error.h"
#include "common/todo.h"

namespace tls {
namespace {

[[noreturn]] void refuse(const char* option, const std::string& why) {
  throw net::Error("ERR_INVALID_ARG_VALUE", std::string(option) + ": " + why);
}

int version_number(const char* option, const std::string& name) {
  (void)refuse;
  (void)option;
  (void)name;
  TODO("13.2", "TLS1_2_VERSION, TLS1_3_VERSION, or refuse");
}

void set_versions(SSL_CTX* context, const ContextOptions& options) {
  (void)context;
  (void)version_number;
  (void)options;
  TODO("13.2", "the lowest and the highest version");
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
  (void)context;
  (void)options;
  (void)ciphers_of;
  TODO("13.2", "two lists of ciphers, strong ones by default");
}

void set_session_id_context(SSL_CTX* context, std::string id) {
  // A server that asks for certificates resumes nothing without one.
  if (id.empty()) id = "tls";
  auto* bytes = reinterpret_cast<const unsigned char*>(id.data());
  auto size = static_cast<unsigned>(id.size());
  if (SSL_CTX_set_session_id_context(context, bytes, size) != 1)
    throw take_error("session_id_context");
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
}

}  // namespace tls
