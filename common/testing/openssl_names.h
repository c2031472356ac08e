// What the versions of OpenSSL call the same error.
//
//   EXPECT_IS(graded::as_openssl_3_0(error.code), "ERR_SSL_NO_SHARED_CIPHER");
#pragma once

#include <string>

namespace graded {

// Tests and traces have the codes of OpenSSL 3.0. Any other code is returned as
// it is.
std::string as_openssl_3_0(const std::string& code);

}  // namespace graded
