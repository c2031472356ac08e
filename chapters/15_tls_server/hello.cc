#include "chapters/15_tls_server/hello.h"

#include <cstddef>

#include "common/todo.h"

namespace tls {
namespace {

std::string_view as_text(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

[[maybe_unused]] std::string_view extension(SSL* ssl, unsigned type) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, type, &bytes, &size) != 1) return {};
  return as_text(bytes, size);
}

// A number of two bytes; takes them off the front.
[[maybe_unused]] std::size_t take_number(std::string_view& bytes) {
  if (bytes.size() < 2) return 0;
  auto high = static_cast<unsigned char>(bytes[0]);
  auto low = static_cast<unsigned char>(bytes[1]);
  bytes.remove_prefix(2);
  return high * 256U + low;
}

// A list, in which there is never more than one: its size, a zero for
// "name of a host", the size of the name, the name (RFC 6066, section 3). What
// is not so is nothing here, and OpenSSL refuses it.
[[maybe_unused]] std::string_view name_in(std::string_view) {
  TODO("15.2", "the name; or nothing, if it is not as it should be");
}

}  // namespace

Hello parse_hello(SSL*) {
  // TODO(15.2): three things. It cannot throw: OpenSSL calls it.
  return {};
}

bool matches_name(std::string_view, std::string_view) {
  TODO("15.2", "label by label");
}

}  // namespace tls
