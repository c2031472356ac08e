#include "chapters/13_blocking_tls/alpn.h"

#include <memory>
#include <utility>

#include "chapters/13_blocking_tls/tls_error.h"

namespace tls {
namespace {

// As it goes over the wire: each name after a byte with its length.
std::string wire_format(const Protocols& protocols) {
  std::string wire;
  for (const std::string& name : protocols) {
    if (name.empty() || name.size() > 255)
      throw net::UsageError("ERR_INVALID_ARG_VALUE",
                            "alpn_protocols: a name has 1 to 255 bytes");
    wire += static_cast<char>(name.size());
    wire += name;
  }
  return wire;
}

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned size_of(const std::string& text) {
  return static_cast<unsigned>(text.size());
}

void free_list(void*, void* list, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<std::string*>(list);
}

// Where an SSL keeps its server's list: contexts are shared, lists are not. It
// goes when the SSL goes.
int list_index() {
  static const int index =
      SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_list);
  return index;
}

int choose(SSL* ssl, const unsigned char** chosen, unsigned char* size,
           const unsigned char* offered, unsigned offered_size, void*) {
  const auto* own =
      static_cast<const std::string*>(SSL_get_ex_data(ssl, list_index()));
  if (!own) return SSL_TLSEXT_ERR_NOACK;
  // It asks for a pointer through which it could write; it does not.
  unsigned char* name = nullptr;
  // 13.8: our list first: it is our order that decides.
  int result = SSL_select_next_proto(&name, size, bytes_of(*own), size_of(*own),
                                     offered, offered_size);
  // If there is none in common it gives our first one, which nobody has agreed
  // to. The client is told, by an alert (RFC 7301).
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = name;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

void offer_protocols(SSL* ssl, const Protocols& protocols) {
  std::string wire = wire_format(protocols);
  // Of all functions of OpenSSL, one that returns 0 when all is well.
  if (!wire.empty() &&
      SSL_set_alpn_protos(ssl, bytes_of(wire), size_of(wire)) != 0)
    throw take_error("alpn_protocols");
}

void accept_protocols(SSL* ssl, const Protocols& protocols) {
  std::string wire = wire_format(protocols);
  if (wire.empty()) return;
  auto own = std::make_unique<std::string>(std::move(wire));
  if (SSL_set_ex_data(ssl, list_index(), own.get()) != 1)
    throw take_error("alpn_protocols");
  (void)own.release();
}

void choose_protocols(SSL_CTX* context) {
  SSL_CTX_set_alpn_select_cb(context, choose, nullptr);
}

std::string alpn_protocol(const SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return std::string(reinterpret_cast<const char*>(name), size);
}

// Also right: the list as the callback's last argument, if each server has a
// context of its own.

}  // namespace tls
