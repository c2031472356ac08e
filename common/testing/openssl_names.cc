#include "common/testing/openssl_names.h"

#include <map>

namespace graded {

// tests/oracle/oracle.py reads this table, too.
std::string as_openssl_3_0(const std::string& code) {
  static const std::map<std::string, std::string> kAliases{
      // 3.2 and later: alerts without the name of SSL 3.0.
      {"ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE",
       "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"},
      {"ERR_SSL_SSL_TLS_ALERT_HANDSHAKE_FAILURE",
       "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"},
      {"ERR_SSL_NO_SUITABLE_CERTIFICATE",
       "ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM"},
      // 3.5: the version of a record is looked at later.
      {"ERR_SSL_PACKET_LENGTH_TOO_LONG", "ERR_SSL_WRONG_VERSION_NUMBER"},
  };
  auto alias = kAliases.find(code);
  return alias == kAliases.end() ? code : alias->second;
}

}  // namespace graded
