#include "chapters/13_blocking_tls/alpn.h"

#include "chapters/13_blocking_tls/tls_error.h"
#include "common/todo.h"

namespace tls {
namespace {

// As it goes over the wire: each name after a byte with its length.
std::string wire_format(const Protocols& protocols) {
  (void)protocols;
  TODO("13.8", "each name after a byte with its length");
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
  // TODO(13.8): the first of our own list that is offered, or an alert.
  (void)own;
  (void)chosen;
  (void)size;
  (void)offered;
  (void)offered_size;
  return SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

void offer_protocols(SSL* ssl, const Protocols& protocols) {
  if (protocols.empty()) return;
  (void)ssl;
  (void)wire_format;
  (void)bytes_of;
  (void)size_of;
  TODO("13.8", "SSL_set_alpn_protos()");
}

void accept_protocols(SSL* ssl, const Protocols& protocols) {
  if (protocols.empty()) return;
  (void)ssl;
  TODO("13.8", "keep the list with the SSL, for choose()");
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

}  // namespace tls
