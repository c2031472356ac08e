#include "chapters/13_blocking_tls/tls_error.h"

#include <openssl/err.h>

#include <cctype>
#include <string>

#include "chapters/13_blocking_tls/verify_code.h"
#include "common/todo.h"

namespace tls {
namespace {

// How Node's codes call the parts of OpenSSL. Others have no name in them.
std::string library_name(int library) {
  switch (library) {
    case ERR_LIB_ASN1:
      return "OSSL_ASN1_";
    case ERR_LIB_EVP:
      return "OSSL_EVP_";
    case ERR_LIB_PEM:
      return "OSSL_PEM_";
    case ERR_LIB_PKCS12:
      return "OSSL_PKCS12_";
    case ERR_LIB_SSL:
      return "SSL_";
    case ERR_LIB_X509:
      return "OSSL_X509_";
    default:
      return "OSSL_";
  }
}

// "wrong version number" as WRONG_VERSION_NUMBER.
std::string as_code(std::string reason) {
  for (char& c : reason)
    c = c == ' '
            ? '_'
            : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return reason;
}

}  // namespace

net::Error take_error(std::string_view doing) {
  (void)doing;
  (void)library_name;
  (void)as_code;
  TODO("13.1", "the oldest error, as code and words, and an empty queue");
}

net::Error certificate_error(long verify_result) {
  (void)verify_result;
  TODO("13.1", "verify_code() and X509_verify_cert_error_string()");
}

}  // namespace tls
