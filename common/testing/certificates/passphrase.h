#pragma once

namespace graded {

// Of server-key-enc.pem and server.pfx.
inline constexpr const char* kPassphrase = "oracle-pass";

}  // namespace graded
