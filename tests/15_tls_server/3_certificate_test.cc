// Part 3: clients that say who they are.
#include "tests/15_tls_server/support.h"

using namespace graded;

namespace {

std::string without_issuer(const std::string& code) {
  if (code == "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" ||
      code == "UNABLE_TO_VERIFY_LEAF_SIGNATURE")
    return "issuer unknown";
  return code;
}

// "secure", or the code that the server has told of.
std::string outcome(World& world, const std::string& credential,
                    std::function<void(SSL_CTX*)> configure = {}) {
  Client client(world, {.credential = credential, .configure = configure});
  world.events.clear();
  world.until("an end of the handshake", [&] {
    return !world.events.empty() && world.events.back() != "connection";
  });
  world.settle();
  std::string said = world.events.back();
  return said.rfind("failed ", 0) == 0 ? without_issuer(said.substr(7)) : said;
}

// What the server thinks of the last client.
std::string verdict(const World& world) {
  const TlsSocket& socket = *world.accepted.at(world.accepted.size() - 1);
  return yes_no(socket.authorized()) + " " +
         without_issuer(socket.authorization_error());
}

}  // namespace

TEST(Certificate, OfAClientIsVerified) {
  RULE("TLSCC-1");
  World world;
  world.serve(asking());

  EXPECT_IS(outcome(world, "client"), "secure") << "ca has signed it.";
  EXPECT_IS(verdict(world), "yes ") << "authorized().";
  auto shown = world.accepted.at(0)->peer_certificate();
  EXPECT_IS(shown ? shown->subject["CN"] : "none", "oracle-client")
      << "peer_certificate() is who it is.";
}

TEST(Certificate, IsAskedForWithTheNamesOfTheAuthorities) {
  RULE("TLSCC-1");
  World world;
  world.serve(asking());
  world.server->add_context("sni.example", context_of("sni"));
  Lines known;

  for (const char* name : {"", "sni.example"}) {
    Client client(world, {.credential = "client", .servername = name});
    world.shake_hands(client);
    known.push_back(
        std::to_string(sk_X509_NAME_num(SSL_get0_peer_CA_list(client.ssl()))));
  }

  EXPECT_IS(known, (Lines{"1", "1"}))
      << "The client is told whom the server trusts: a browser with several "
         "certificates chooses by that.";
}

TEST(Certificate, IsNotAskedForUnlessWanted) {
  RULE("TLSCC-1");
  World world;
  world.serve();

  outcome(world, "client");

  EXPECT_IS(verdict(world), "no ")
      << "Without request_cert nobody is authorized, and nothing is wrong.";
  EXPECT_IS(world.accepted.at(0)->peer_certificate().has_value(), false)
      << "The client has shown none.";
}

TEST(Certificate, IsRequired) {
  RULE("TLSCC-3");
  World world;
  world.serve(asking());

  EXPECT_IS((Lines{outcome(world, ""), outcome(world, "", only_tls12),
                   outcome(world, "rogue"), outcome(world, "server"),
                   outcome(world, "client")}),
            (Lines{"ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE",
                   "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE",
                   "issuer unknown", "INVALID_PURPOSE", "secure"}))
      << "No certificate, with TLS 1.3 and 1.2; one of an authority that the "
         "server does not know; one that is for servers; a good one.";
  EXPECT_IS(world.accepted.size(), std::size_t{1})
      << "Only the good one is an on_secure_connection.";
}

TEST(Certificate, IsJudgedWhereItIsNotRequired) {
  RULE("TLSCC-6");
  World world;
  tls::ServerOptions options = asking();
  options.reject_unauthorized = false;
  world.serve(options);
  Lines verdicts;

  for (const char* credential : {"client", "", "rogue"}) {
    outcome(world, credential);
    verdicts.push_back(verdict(world));
  }

  EXPECT_IS(verdicts, (Lines{"yes ", "no UNABLE_TO_GET_ISSUER_CERT",
                             "no issuer unknown"}))
      << "Everybody gets in; authorized() and authorization_error() say who "
         "they are not.";
}

TEST(Certificate, MayBeRevoked) {
  RULE("TLSCC-8");
  World world;
  tls::ServerOptions options = asking();
  options.crl = credential("ca-crl.pem");
  world.serve(options);

  EXPECT_IS((Lines{outcome(world, "revoked"), outcome(world, "client")}),
            (Lines{"CERT_REVOKED", "secure"}))
      << "ca has signed both, and has taken one of them back.";
}
