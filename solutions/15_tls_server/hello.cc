#include "chapters/15_tls_server/hello.h"

#include <strings.h>

#include <algorithm>
#include <cstddef>

namespace tls {
namespace {

std::string_view as_text(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string_view extension(SSL* ssl, unsigned type) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, type, &bytes, &size) != 1) return {};
  return as_text(bytes, size);
}

// A number of two bytes; takes them off the front.
std::size_t take_number(std::string_view& bytes) {
  if (bytes.size() < 2) return 0;
  auto high = static_cast<unsigned char>(bytes[0]);
  auto low = static_cast<unsigned char>(bytes[1]);
  bytes.remove_prefix(2);
  return high * 256U + low;
}

// 15.2: a list, in which there is never more than one: its size, a zero for
// "name of a host", the size of the name, the name (RFC 6066, section 3). What
// is not so is nothing here, and OpenSSL refuses it.
std::string_view name_in(std::string_view list) {
  if (take_number(list) != list.size() || list.empty() || list[0] != 0)
    return {};
  list.remove_prefix(1);
  std::size_t size = take_number(list);
  if (size != list.size() || list.find('\0') != list.npos) return {};
  return list;
}

}  // namespace

Hello parse_hello(SSL* ssl) {
  Hello hello;
  hello.servername = name_in(extension(ssl, TLSEXT_TYPE_server_name));
  const unsigned char* id = nullptr;
  std::size_t size = SSL_client_hello_get0_session_id(ssl, &id);
  hello.session_id = as_text(id, size);
  hello.has_ticket = !extension(ssl, TLSEXT_TYPE_session_ticket).empty() ||
                     !extension(ssl, TLSEXT_TYPE_psk).empty();
  return hello;
}

bool matches_name(std::string_view pattern, std::string_view name) {
  while (true) {
    std::string_view wanted = pattern.substr(0, pattern.find('.'));
    std::string_view label = name.substr(0, name.find('.'));
    bool same = wanted.size() == label.size() &&
                ::strncasecmp(wanted.data(), label.data(), label.size()) == 0;
    if (!same && (wanted != "*" || label.empty())) return false;
    pattern.remove_prefix(wanted.size());
    name.remove_prefix(label.size());
    if (pattern.empty() || name.empty()) return pattern.empty() && name.empty();
    pattern.remove_prefix(1);
    name.remove_prefix(1);
  }
}

// Also right: a callback of SSL_CTX_set_tlsext_servername_callback(3), and the
// name from SSL_get_servername(3), if nobody has to be waited for.

}  // namespace tls
