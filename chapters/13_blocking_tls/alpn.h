// ALPN: which protocol is spoken inside, agreed on during the handshake.
//
//   client offers {"h2", "http/1.1"}, server has {"http/1.1"}: "http/1.1"
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <vector>

namespace tls {

// Best first. UsageError ERR_INVALID_ARG_VALUE for a name that is empty or
// longer than 255 bytes.
using Protocols = std::vector<std::string>;

// A client's: to be told to the server.
void offer_protocols(SSL* ssl, const Protocols& protocols);

// A server's: the first of them that the client offers is chosen (TLSALPN-1).
// If the client offers others only, the handshake fails (TLSALPN-1). A client
// that offers none, or an SSL that has none, is no failure (TLSALPN-1).
void accept_protocols(SSL* ssl, const Protocols& protocols);
// Lets the servers of this context choose; Context does it for each.
void choose_protocols(SSL_CTX* context);

std::string alpn_protocol(const SSL* ssl);  // "": none was agreed on

}  // namespace tls
