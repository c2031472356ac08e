#include "chapters/13_blocking_tls/tls_error.h"

#include <openssl/err.h>

#include <cctype>
#include <string>

#include "chapters/13_blocking_tls/verify_code.h"

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
  // 13.1: the first that went in is the cause. What followed only says that
  // the callers of the one that failed have failed, too.
  unsigned long first = ERR_get_error();
  ERR_clear_error();
  std::string what = std::string(doing) + ": ";
  if (first == 0) return {"ERR_SSL_UNKNOWN", what + "OpenSSL gave no reason"};
  if (ERR_SYSTEM_ERROR(first))
    return net::Error::from_errno(ERR_GET_REASON(first), std::string(doing));
  const char* reason = ERR_reason_error_string(first);
  if (!reason) reason = "unknown";
  return {"ERR_" + library_name(ERR_GET_LIB(first)) + as_code(reason),
          what + reason};
}

net::Error certificate_error(long verify_result) {
  return {verify_code(verify_result),
          X509_verify_cert_error_string(verify_result)};
}

// Also right: ERR_peek_error() and then ERR_clear_error(); or all errors of the
// queue in the message, for a log that an expert reads.

}  // namespace tls
