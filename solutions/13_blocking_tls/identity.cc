#include "chapters/13_blocking_tls/identity.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace tls {
namespace {

bool matches(const std::string& host, X509* certificate) {
  // 13.4: two functions for two kinds of entries. X509_check_host() would look
  // for 127.0.0.1 among the names.
  if (is_address(host))
    return X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
  // No host, but to X509_check_host() all that end so.
  if (host.empty() || host.front() == '.') return false;
  return X509_check_host(certificate, host.data(), host.size(),
                         X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) == 1;
}

}  // namespace

bool is_address(const std::string& host) {
  in6_addr any;
  return ::inet_pton(AF_INET, host.c_str(), &any) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &any) == 1;
}

std::optional<net::Error> check_server_identity(const std::string& host,
                                                X509* certificate) {
  if (matches(host, certificate)) return std::nullopt;
  // The queue may hold what the comparison stumbled over.
  ERR_clear_error();
  const char* what = is_address(host) ? "address" : "host";
  return net::Error("ERR_TLS_CERT_ALTNAME_INVALID",
                    std::string("the certificate is not for the ") + what +
                        " \"" + host + "\"");
}

// Also right: SSL_set1_host() or X509_VERIFY_PARAM_set1_ip_asc() before the
// handshake, and OpenSSL compares while it verifies the chain. Never right: a
// comparison of one's own with the CN.

}  // namespace tls
