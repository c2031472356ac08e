#include <sys/socket.h>

#include "chapters/13_blocking_tls/engine.h"
#include "tests/13_blocking_tls/support.h"

using namespace graded;

namespace {

using Lines = std::vector<std::string>;

// How the code under test, as a client that trusts ca, likes NAME-cert.pem.
std::string opinion_of(const std::string& name) {
  Opposite opposite(tls_server({}, {.credential = name}));
  std::string code = code_of([&] { connect_to(opposite); });
  return name + ": " + without_issuer(code);
}

// As a server that asks for a certificate, of a client with NAME-cert.pem.
std::string opinion_of_client(const std::string& name,
                              const tls::EngineOptions& options) {
  Opposite opposite(tls_client([](TlsEnd& tls, Connection&) { tls.hear(); },
                               {.credential = name}));
  std::string verdict;
  std::string code = code_of([&] {
    auto connection = accept_from(opposite, with_credential("server"), options);
    verdict = ", verdict: " +
              without_issuer(code_of(connection.authorization_error()));
  });
  return (name.empty() ? "none" : name) + ": " + without_issuer(code) + verdict;
}

// A server's choice of a protocol: `wanted`, if it was offered.
int choose(SSL*, const unsigned char** chosen, unsigned char* size,
           const unsigned char* offered, unsigned offered_size, void* wanted) {
  const auto& name = *static_cast<const std::string*>(wanted);
  for (unsigned i = 0; i < offered_size; i += 1u + offered[i]) {
    *chosen = offered + i + 1;
    *size = offered[i];
    if (name == std::string(reinterpret_cast<const char*>(*chosen), *size))
      return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

std::string alpn_of(SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return std::string(reinterpret_cast<const char*>(name), size);
}

// The code under test as a server of these protocols: what it says of a client
// with this list, and what the client says.
Lines agreed_with(const std::vector<std::string>& offered,
                  const tls::Protocols& own = {"h2", "http/1.1"}) {
  std::string theirs = "no handshake";
  Opposite opposite([&](Connection& wire) {
    TlsEnd tls(wire, TlsEnd::kClient, {.alpn = offered});
    if (tls.handshake()) theirs = alpn_of(tls.ssl());
  });
  std::string ours;
  std::string code = code_of([&] {
    auto connection = accept_from(opposite, with_credential("server"),
                                  {.alpn_protocols = own});
    ours = connection.alpn_protocol();
  });
  opposite.wait();
  return {code == kNothing ? ours : code, theirs};
}

// What a server is told by a client with these options.
std::string told(const tls::EngineOptions& options) {
  std::string name = "no handshake";
  Opposite opposite(tls_server([&](TlsEnd& tls, Connection&) {
    const char* sent = SSL_get_servername(tls.ssl(), TLSEXT_NAMETYPE_host_name);
    name = sent ? sent : "nothing";
  }));
  code_of([&] { connect_to(opposite, trusting(), options); });
  opposite.wait();
  return name;
}

// The code under test as a client of `server` that wants `options`.
std::string code_with(const std::string& credential,
                      const tls::EngineOptions& options) {
  Opposite opposite(tls_server({}, {.credential = credential}));
  return code_of([&] { connect_to(opposite, trusting(), options); });
}

}  // namespace

TEST(Chain, ABadOneIsRefusedWithTheReason) {
  RULE("TLSAUTH-1");
  Lines opinions;
  for (const char* name : {"server", "expired", "future", "selfsigned",
                           "unknown", "wrong-usage", "chained"})
    opinions.push_back(opinion_of(name));

  EXPECT_IS(opinions,
            (Lines{"server: nothing was thrown", "expired: CERT_HAS_EXPIRED",
                   "future: CERT_NOT_YET_VALID",
                   "selfsigned: DEPTH_ZERO_SELF_SIGNED_CERT",
                   "unknown: issuer unknown", "wrong-usage: INVALID_PURPOSE",
                   "chained: issuer unknown"}))
      << "connect() throws what SSL_get_verify_result() says, by Node's names. "
         "(wrong-usage is a client's certificate; chained comes without the "
         "authority in between.)";
}

TEST(Chain, TheReasonIsThereInWords) {
  RULE("TLSAUTH-1");
  Opposite opposite(tls_server({}, {.credential = "expired"}));
  std::string message = kNothing;

  try {
    connect_to(opposite);
  } catch (const net::Error& error) {
    message = error.message;
  }

  EXPECT_TRUE(message.find("certificate has expired") != std::string::npos)
      << "The message is \"" << message << "\". OpenSSL has words for it: "
      << "X509_verify_cert_error_string().";
}

TEST(Chain, ThePeerIsToldWhyItIsRefused) {
  RULE("TLSAUTH-1");
  std::string heard;
  Opposite opposite([&](Connection& wire) {
    TlsEnd tls(wire, TlsEnd::kServer, {.credential = "expired"});
    heard = tls.handshake() ? "a handshake that is done" : tls.failure();
  });

  code_of([&] { connect_to(opposite); });
  opposite.wait();

  EXPECT_IS(heard, "sslv3 alert certificate expired")
      << "OpenSSL looks at the chain during the handshake, and sends an alert. "
         "Who looks at it afterwards has told the peer that all is well.";
}

TEST(Verdict, IsThereForThoseWhoDoNotReject) {
  RULE("TLSAUTH-3");
  Lines verdicts;
  for (auto [credential, name] : {std::pair("server", "localhost"),
                                  {"expired", "localhost"},
                                  {"server", "other.test"}}) {
    Opposite opposite(tls_server(
        [](TlsEnd& tls, Connection&) {
          tls.send("hello");
          tls.close_notify();
        },
        {.credential = credential}));
    auto connection =
        connect_to(opposite, trusting(),
                   {.servername = name, .reject_unauthorized = false});
    verdicts.push_back(read_all(connection) + ", " +
                       code_of(connection.authorization_error()));
  }

  EXPECT_IS(verdicts, (Lines{"hello, no error", "hello, CERT_HAS_EXPIRED",
                             "hello, ERR_TLS_CERT_ALTNAME_INVALID"}))
      << "With reject_unauthorized = false the connection is there, and "
         "authorization_error() says what is wrong with the peer: nothing, its "
         "certificate, its name.";
}

TEST(Servername, IsToldToTheServer) {
  RULE("TLSSNI-1");
  EXPECT_IS(
      (Lines{told({.servername = "localhost"}),
             told({.servername = "127.0.0.1"}), told({.host = "localhost"})}),
      (Lines{"localhost", "nothing", "nothing"}))
      << "What the server reads in the client's SNI: for a servername, for one "
         "that is an address (RFC 6066 forbids it), and for a host alone.";
}

TEST(Servername, IsWhatTheClientHasAskedFor) {
  RULE("TLSSNI-1");
  Opposite with(tls_client({}, {.servername = "shop.test"}));
  Opposite without(tls_client());

  std::string asked = accept_from(with).servername();
  std::string silent = accept_from(without).servername();

  EXPECT_IS((Lines{asked, silent}), (Lines{"shop.test", ""}))
      << "servername() of a server's connection, with SNI and without.";
}

TEST(ClientCertificate, IsRequiredAndVerified) {
  RULE("TLSCC-3");
  tls::EngineOptions asking{.request_cert = true};

  EXPECT_IS(
      (Lines{opinion_of_client("client", asking), opinion_of_client("", asking),
             opinion_of_client("rogue", asking)}),
      (Lines{"client: nothing was thrown, verdict: no error",
             "none: ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE",
             "rogue: issuer unknown"}))
      << "With request_cert a client shows a certificate that leads to ca, or "
         "accept() throws.";
}

TEST(ClientCertificate, IsJudgedWhereItIsNotRequired) {
  RULE("TLSCC-3");
  tls::EngineOptions asking{.request_cert = true, .reject_unauthorized = false};

  EXPECT_IS(
      (Lines{opinion_of_client("client", asking), opinion_of_client("", asking),
             opinion_of_client("rogue", asking)}),
      (Lines{"client: nothing was thrown, verdict: no error",
             "none: nothing was thrown, verdict: "
             "UNABLE_TO_GET_ISSUER_CERT",
             "rogue: nothing was thrown, verdict: issuer unknown"}))
      << "With reject_unauthorized = false everybody gets in, and "
         "authorization_error() tells who they are not.";
}

TEST(ClientCertificate, IsAskedForInTheNameOfAnAuthority) {
  RULE("TLSCC-3");
  int authorities = 0;
  Opposite opposite(tls_client(
      [&](TlsEnd& tls, Connection&) {
        authorities = sk_X509_NAME_num(SSL_get0_peer_CA_list(tls.ssl()));
      },
      {.credential = "client"}));

  accept_from(opposite, with_credential("server"), {.request_cert = true});
  opposite.wait();

  EXPECT_IS(authorities, 1)
      << "How many authorities the server names when it asks: that in ca, so "
         "that a client with several certificates knows which one will do.";
}

TEST(Alpn, TheServersOrderDecides) {
  RULE("TLSALPN-1");
  EXPECT_IS(agreed_with({"http/1.1", "h2"}), (Lines{"h2", "h2"}))
      << "The server has h2 first, the client http/1.1. Both ends see the same "
         "choice.";
  EXPECT_IS(agreed_with({"http/1.1"}), (Lines{"http/1.1", "http/1.1"}))
      << "The client offers the server's second choice alone.";
}

TEST(Alpn, NothingIsAgreedOnIfNothingIsOffered) {
  RULE("TLSALPN-1");
  EXPECT_IS(agreed_with({}), (Lines{"", ""}))
      << "A client that offers no protocol is served, without one.";
}

TEST(Alpn, NothingIsAgreedOnWithAServerThatHasNoList) {
  RULE("TLSALPN-1");
  EXPECT_IS(agreed_with({"h2"}, {}), (Lines{"", ""}))
      << "The client offers h2, and the server was given no protocols: the "
         "client is served, without one.";
}

TEST(Alpn, NoneInCommonIsAnError) {
  RULE("TLSALPN-1");
  EXPECT_IS(agreed_with({"smtp"}),
            (Lines{"ERR_SSL_NO_APPLICATION_PROTOCOL", "no handshake"}))
      << "Going on would mean that one speaks h2 and the other smtp.";
}

TEST(Alpn, AClientOffersItsList) {
  RULE("TLSALPN-1");
  std::string wanted = "http/1.1";
  Opposite opposite(
      tls_server({}, {.credential = "server", .configure = [&](SSL_CTX* c) {
                        SSL_CTX_set_alpn_select_cb(c, choose, &wanted);
                      }}));

  auto connection = connect_to(
      opposite, trusting(),
      {.servername = "localhost", .alpn_protocols = {"h2", "http/1.1", "x"}});

  EXPECT_IS(connection.alpn_protocol(), wanted)
      << "The server takes http/1.1, if it finds it in what the client offers.";
}

TEST(Identity, TheNameIsCheckedAfterTheChain) {
  RULE("TLSAUTH-5");
  const std::string bad = "ERR_TLS_CERT_ALTNAME_INVALID";
  EXPECT_IS(
      (Lines{code_with("server", {.servername = "localhost"}),
             code_with("server", {.servername = "other.test"}),
             code_with("server", {.servername = "127.0.0.1"}),
             code_with("server", {.servername = "127.0.0.2"}),
             code_with("sni", {.servername = "a.wild.example"}),
             code_with("server", {.host = "localhost"}),
             code_with("server", {.host = "other.test"}),
             code_with("sni",
                       {.servername = "sni.example", .host = "other.test"})}),
      (Lines{kNothing, bad, kNothing, bad, kNothing, kNothing, bad, kNothing}))
      << "A good certificate of somebody else is no good. The name is "
         "servername, or host if there is none; server is for localhost and "
         "127.0.0.1, sni for sni.example and *.wild.example.";
}

TEST(Identity, AClientMustSayWhomItWants) {
  RULE("TLSAUTH-5");
  tls::Context context(trusting());

  EXPECT_IS(code_of([&] { tls::new_client(context, {}); }), "ERR_MISSING_ARGS")
      << "Without a name every certificate of a known authority would do.";
}

TEST(Handshake, WithPlainTextIsAnError) {
  RULE("TLSERR-1");
  auto plain = [](Connection& wire) {
    wire.send("hello, who is there?\n");
    wire.finish();
    wire.wait_until_reset();
  };
  Opposite first(plain), second(plain);

  std::string as_client = code_of([&] { connect_to(first); });
  std::string as_server = code_of([&] { accept_from(second); });

  EXPECT_IS(
      (Lines{as_client, as_server}),
      (Lines{"ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_WRONG_VERSION_NUMBER"}))
      << "The peer does not speak TLS. Where the version of a record should be "
         "it has letters.";
}

TEST(Handshake, EndsWhenThePeerHangsUp) {
  RULE("TLSERR-1");
  auto hang_up = [](Connection& wire) {
    wire.finish();
    wire.wait_until_reset();
  };
  Opposite first(hang_up), second(hang_up);

  std::string as_client = code_of([&] { connect_to(first); });
  std::string as_server = code_of([&] { accept_from(second); });

  EXPECT_IS((Lines{as_client, as_server}), (Lines{"ECONNRESET", "ECONNRESET"}))
      << "The peer sends FIN before the handshake is done.";
}

TEST(Queue, OldErrorsAreNotOurs) {
  RULE("ERRQ-2");
  Opposite opposite(tls_server([](TlsEnd& tls, Connection&) {
    tls.send("hello");
    tls.close_notify();
  }));
  auto connection = connect_to(opposite);
  char buffer[16];
  connection.read(buffer);
  // Another connection of this thread has left something.
  ERR_raise(ERR_LIB_SSL, SSL_R_BAD_PACKET);

  std::string code = code_of([&] { connection.read(buffer); });

  EXPECT_IS(code, kNothing)
      << "The peer has sent close_notify: the end, and no error. "
         "SSL_get_error() looks into the queue first.";
}

TEST(Queue, IsEmptyAfterAFailure) {
  RULE("ERRQ-2");
  Opposite opposite(tls_server({}, {.credential = "expired"}));

  code_of([&] { connect_to(opposite); });

  EXPECT_IS(ERR_peek_error(), 0ul)
      << "connect() has thrown the error. What it leaves in the queue hits "
         "somebody else.";
}
