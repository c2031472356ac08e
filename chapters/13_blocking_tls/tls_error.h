// Errors of OpenSSL as net::Error: with Node's code, and with words.
//
//   ERR_clear_error();
//   if (SSL_CTX_use_certificate(context, certificate) != 1)
//     throw tls::take_error("cert");
//
// OpenSSL does not return what went wrong. It returns "no", and puts the
// reasons into a queue that all TLS connections of a thread share. Whoever
// leaves something in there spoils the next one's answer.
#pragma once

#include <string_view>

#include "common/error.h"

namespace tls {

// The oldest error of this thread's queue, which caused the others; the queue
// is empty afterwards (ERRQ-1). The code is Node's: ERR_SSL_ and OpenSSL's
// reason, "ERR_SSL_WRONG_VERSION_NUMBER", or ERR_OSSL_, the library's name and
// the reason: "ERR_OSSL_X509_KEY_VALUES_MISMATCH". The message says what was
// being done, and the reason: "handshake: wrong version number". With nothing
// in the queue: ERR_SSL_UNKNOWN.
net::Error take_error(std::string_view doing);

// Why a certificate does not verify, from SSL_get_verify_result(), which is not
// X509_V_OK. The code is Node's, "CERT_HAS_EXPIRED"; the message has OpenSSL's
// words: "certificate has expired" (TLSAUTH-1).
net::Error certificate_error(long verify_result);

}  // namespace tls
