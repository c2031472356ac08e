// What the tests of chapter 13 share.
#pragma once

#include <openssl/err.h>
#include <openssl/x509.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chapters/13_blocking_tls/connection.h"
#include "common/testing/certificates/credentials.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/tls_peer.h"

namespace graded {

inline constexpr const char* kNothing = "nothing was thrown";

// The code of the net::Error that `run` throws.
template <typename Run>
std::string code_of(Run run) {
  try {
    run();
  } catch (const net::Error& error) {
    step("code", "throws " + error.code + " \"" + error.message + "\"");
    return error.code;
  } catch (const net::UsageError& error) {
    step("code", "throws " + error.code);
    return error.code;
  }
  return kNothing;
}

inline std::string code_of(const std::optional<net::Error>& error) {
  return error ? error->code : "no error";
}

// Whoever does not know the issuer says so in one of two ways: the first
// problem that is found, or the last.
inline std::string without_issuer(std::string code) {
  if (code == "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" ||
      code == "UNABLE_TO_VERIFY_LEAF_SIGNATURE")
    return "issuer unknown";
  return code;
}

// Trusts NAME-cert.pem, and nobody else.
inline tls::ContextOptions trusting(const std::string& name = "ca") {
  tls::ContextOptions options;
  options.ca = credential(name + "-cert.pem");
  return options;
}

// Has NAME-cert.pem and its key, and trusts ca.
inline tls::ContextOptions with_credential(const std::string& name) {
  tls::ContextOptions options = trusting();
  options.cert = credential(name + "-cert.pem");
  options.key = credential(name + "-key.pem");
  return options;
}

inline const tls::EngineOptions kLocalhost{.servername = "localhost"};

// The code under test as the client of `server`.
inline tls::Connection connect_to(
    Opposite& server, const tls::ContextOptions& context = trusting(),
    const tls::EngineOptions& options = kLocalhost) {
  return tls::Connection::connect(net::Fd(server.take()), tls::Context(context),
                                  options);
}

// The code under test as the server of `client`.
inline tls::Connection accept_from(
    Opposite& client,
    const tls::ContextOptions& context = with_credential("server"),
    const tls::EngineOptions& options = {}) {
  return tls::Connection::accept(net::Fd(client.take()), tls::Context(context),
                                 options);
}

// A server as it should be: shakes hands, and does what `then` says.
inline std::function<void(Connection&)> tls_server(
    std::function<void(TlsEnd&, Connection&)> then = {},
    TlsEnd::Options options = {.credential = "server"}) {
  return [then = std::move(then), options](Connection& wire) {
    TlsEnd tls(wire, TlsEnd::kServer, options);
    if (tls.handshake() && then) then(tls, wire);
  };
}

inline std::function<void(Connection&)> tls_client(
    std::function<void(TlsEnd&, Connection&)> then = {},
    TlsEnd::Options options = {}) {
  return [then = std::move(then), options](Connection& wire) {
    TlsEnd tls(wire, TlsEnd::kClient, options);
    if (tls.handshake() && then) then(tls, wire);
  };
}

// All that comes until the end.
inline std::string read_all(tls::Connection& connection) {
  std::string all;
  char buffer[16384];
  while (std::size_t n = connection.read(buffer)) all.append(buffer, n);
  return all;
}

}  // namespace graded
