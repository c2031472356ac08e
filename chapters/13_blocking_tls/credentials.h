// The two halves of a context: who I am, and whom I trust.
#pragma once

#include <openssl/ssl.h>

#include "chapters/13_blocking_tls/context.h"

namespace tls {

// Gives `context` our certificate, those that lead to a root, and our key:
// from cert, key and passphrase, or from pfx and passphrase. Throws net::Error
// whose message begins with the option that cannot be used (TLSCFG-1).
void use_identity(SSL_CTX* context, const ContextOptions& options);

// Whom to trust: ca, or the system's authorities if it is empty (TLSAUTH-4);
// less what crl takes back (TLSAUTH-8). A server names them to its clients.
void use_trust(SSL_CTX* context, const ContextOptions& options);

}  // namespace tls
