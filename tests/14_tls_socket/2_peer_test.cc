// Part 2: is the peer who it should be?
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <string>

#include "tests/14_tls_socket/support.h"

using namespace graded;

namespace {

// The events of a client that connects to a server with this certificate.
Lines events_with(const std::string& credential,
                  const std::function<void(tls::ConnectOptions&)>& change = {},
                  const std::function<void(TlsSocket&)>& use = {}) {
  Peer server(serving(kHears, {.credential = credential}), {});
  World world;
  tls::ConnectOptions options = to(server);
  if (change) change(options);
  auto socket = world.connect(options);
  if (use) use(*socket);
  world.leave_when_secure(*socket);
  world.run();
  for (std::string& event : world.events)
    if (event.rfind("error ", 0) == 0)
      event = "error " + without_issuer(event.substr(6));
  return world.events;
}

const Lines kGood{"connect", "secure", "close"};

// What can be computed from the file alone.
struct Shown {
  std::string serial, fingerprint, der;
};

template <typename Text>
std::string taken(Text* text) {
  std::string copy(text);
  OPENSSL_free(text);
  return copy;
}

Shown as_shown(const std::string& file) {
  const std::string& pem = credential(file);
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* read = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(read), nullptr);
  unsigned char hash[32];
  X509_digest(read, EVP_sha256(), hash, nullptr);
  unsigned char* der = nullptr;
  int size = i2d_X509(read, &der);
  Shown shown{taken(BN_bn2hex(number)),
              taken(OPENSSL_buf2hexstr(hash, sizeof hash)),
              std::string(reinterpret_cast<char*>(der),
                          static_cast<std::size_t>(size))};
  OPENSSL_free(der);
  BN_free(number);
  X509_free(read);
  return shown;
}

}  // namespace

TEST(Peer, ThatDoesNotVerifyIsAnError) {
  RULE("TLSAUTH-1");
  std::string known;

  Lines events = events_with("unknown", {}, [&](TlsSocket& socket) {
    socket.on_error([&](const Error&) {
      known = "authorized " + std::string(yes_no(socket.authorized())) + ", " +
              without_issuer(socket.authorization_error());
    });
  });

  EXPECT_IS(events,
            (Lines{"connect", "error issuer unknown", "close after an error"}))
      << "The certificate is by an authority that is not in ca. There is no "
         "secure, one error, and close.";
  EXPECT_IS(known, "authorized no, issuer unknown")
      << "The error listener can ask why.";
}

TEST(Peer, IsToldWhyItIsRefused) {
  RULE("TLSAUTH-1");
  std::string failure = "none";
  std::vector<Peer::Script> script{[&](Connection& wire) {
    block_sigpipe();
    TlsEnd tls(wire, TlsEnd::kServer, {.credential = "expired"});
    if (!tls.handshake()) failure = tls.failure();
  }};
  Peer server(script, {});
  World world;

  world.connect(to(server));
  world.run();
  server.wait();

  EXPECT_TRUE(
      world.saw({"connect", "error CERT_HAS_EXPIRED", "close after an error"}));
  EXPECT_IS(failure.find("alert") != std::string::npos, true)
      << "The server saw \"" << failure << "\". OpenSSL has made an alert that "
      << "says why: it has to be sent before the connection is closed.";
}

TEST(Peer, IsForTheCallerToJudge) {
  RULE("TLSAUTH-3");
  std::string known;

  Lines events = events_with(
      "expired",
      [](tls::ConnectOptions& options) { options.reject_unauthorized = false; },
      [&](TlsSocket& socket) {
        socket.on_secure_connect([&] {
          known = "authorized " + std::string(yes_no(socket.authorized())) +
                  ", " + socket.authorization_error();
        });
      });

  EXPECT_IS(events, kGood)
      << "Without reject_unauthorized the connection is made.";
  EXPECT_IS(known, "authorized no, CERT_HAS_EXPIRED")
      << "Who switches it off looks at the verdict. It is still the truth.";
}

TEST(Peer, OfAServerIsForTheCallerToJudge) {
  RULE("TLSAUTH-3");
  Lines known;
  for (std::string client : {"client", ""}) {
    World world;
    Near near(world, {.credential = client}, TlsEnd::kClient);
    tls::AcceptOptions options = as_server();
    options.ca = credential("ca-cert.pem");
    options.request_cert = true;
    options.reject_unauthorized = false;
    auto socket = near.socket = tls::accept(world.loop, near.raw, options);
    socket->on_secure_connect([&] {
      known.push_back("authorized " +
                      std::string(yes_no(socket->authorized())) + ", " +
                      socket->authorization_error());
    });
    near.shake_hands();
  }

  EXPECT_IS(known, (Lines{"authorized yes, ",
                          "authorized no, UNABLE_TO_GET_ISSUER_CERT"}))
      << "With request_cert a server of accept() asks its client for a "
         "certificate. The first has shown one, the second has not.";
}

TEST(Peer, IsNotToBlameForAnotherError) {
  RULE("TLSAUTH-1");
  Peer server(serving({}, {.credential = "expired",
                           .ca = "ca",
                           .configure =
                               [](SSL_CTX* context) {
                                 SSL_CTX_set_max_proto_version(context,
                                                               TLS1_2_VERSION);
                               }}),
              {});
  World world;
  tls::ConnectOptions options = to(server);
  options.reject_unauthorized = false;
  auto socket = world.connect(options);
  std::string known = "?";

  socket->on_error(
      [&](const Error&) { known = socket->authorization_error(); });
  world.run();

  EXPECT_TRUE(
      world.saw({"connect", "error ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
                 "close after an error"}))
      << "The server wants a certificate of ours, and there is none.";
  EXPECT_IS(known, "")
      << "Its own certificate has expired, which nobody minded: that is not "
         "why the handshake has failed.";
}

TEST(Name, ThatIsAnotherIsAnError) {
  RULE("TLSAUTH-5");
  std::string heard;
  Peer server(serving([&](TlsEnd& tls, Connection&) { heard = tls.hear(); },
                      {.credential = "names"}),
              {});
  World world;
  tls::ConnectOptions options = to(server);
  options.servername = "four.test";

  auto socket = world.connect(options);
  socket->write("a secret");
  world.run();
  server.wait();

  EXPECT_TRUE(world.saw({"connect", "error ERR_TLS_CERT_ALTNAME_INVALID",
                         "close after an error"}))
      << "The chain is good, and the certificate is somebody else's.";
  EXPECT_IS(heard.find("secret"), std::string::npos)
      << "What was written must not reach whom it is not for; the server heard "
         "\""
      << heard << "\".";
}

TEST(Name, IsServernameOrElseHost) {
  RULE("TLSAUTH-5");

  Lines by_servername = events_with("names", [](tls::ConnectOptions& options) {
    options.servername = "one.test";
  });
  Lines by_host = events_with(
      "ip", [](tls::ConnectOptions& options) { options.servername = ""; });

  EXPECT_IS(by_servername, kGood)
      << "127.0.0.1 is not in this certificate, but one.test is.";
  EXPECT_IS(by_host, kGood)
      << "Without a servername the certificate must be for host.";
}

TEST(Name, IsHostEvenIfNothingElseIsSaid) {
  RULE("TLSAUTH-5");

  Lines another = events_with(
      "names", [](tls::ConnectOptions& options) { options.servername = ""; });
  Lines localhost = events_with("server", [](tls::ConnectOptions& options) {
    options.servername = options.host = "";
  });

  EXPECT_IS(another, (Lines{"connect", "error ERR_TLS_CERT_ALTNAME_INVALID",
                            "close after an error"}))
      << "There is no servername, and the certificate is not for host, "
         "127.0.0.1. Without a check anybody could be there.";
  EXPECT_IS(localhost, kGood)
      << "No host is localhost, as for a Socket; so is the name that is looked "
         "for.";
}

TEST(Failing, AServerWithoutTls) {
  RULE("TLSERR-1");
  std::vector<Peer::Script> script{[](Connection& wire) {
    wire.send("220 hello, this is no TLS\r\n");
    wire.receive_all();
  }};
  Peer server(script, {});
  World world;

  world.connect(to(server));
  world.run();

  EXPECT_TRUE(world.saw({"connect", "error ERR_SSL_WRONG_VERSION_NUMBER",
                         "close after an error"}))
      << "A failing handshake is one error, and then close.";
}

TEST(Failing, AServerThatHangsUp) {
  RULE("TLSERR-1");
  std::vector<Peer::Script> script{[](Connection& wire) {
    wire.receive(100);  // the beginning of the client's hello
    wire.finish();
    wire.receive_all();
  }};
  Peer server(script, {});
  World world;

  world.connect(to(server));
  world.run();

  EXPECT_TRUE(
      world.saw({"connect", "error ECONNRESET", "close after an error"}))
      << "There is no connection yet that could have ended.";
}

TEST(Failing, AServerThatIsNotThere) {
  RULE("TLSERR-1");
  RefusedPort nobody;
  World world;
  tls::ConnectOptions options = trusting_ca();
  options.host = "127.0.0.1";
  options.port = nobody.port();

  world.connect(options);
  world.run();

  EXPECT_TRUE(world.saw({"error ECONNREFUSED", "close after an error"}))
      << "Before it is connected all is as for a plain socket.";
}

TEST(Queue, HoldsOtherPeoplesErrors) {
  RULE("ERRQ-2");
  Peer server(serving([](TlsEnd& tls, Connection& wire) {
                tls.send("hello");
                kHears(tls, wire);
              }),
              {});
  World world;
  auto socket = world.connect(to(server));
  world.read(*socket);
  auto spoil = [] { ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH); };

  socket->on_connect(spoil);
  socket->on_secure_connect([&] {
    spoil();
    socket->write("hello");
    spoil();
  });
  socket->on_data([&](std::string_view) { socket->destroy(); });
  world.run();

  EXPECT_TRUE(world.saw({"connect", "secure", "data hello", "close"}))
      << "OpenSSL's error queue is one for each thread. What another "
         "connection has left in there must not be taken for ours.";
}

TEST(Queue, IsLeftEmpty) {
  RULE("ERRQ-2");

  events_with("unknown");
  events_with("server", [](tls::ConnectOptions& options) {
    options.session = "this is no session";
  });

  EXPECT_IS(ERR_peek_error(), 0ul)
      << "A handshake has failed, and a session could not be read. Whoever "
         "takes an error takes all of them, or the next connection stumbles.";
}

TEST(Certificate, SaysWhoThePeerIs) {
  RULE("TLSCERT-1");
  Peer server(serving(kHears), {});
  World world;
  auto socket = tls::connect(world.loop, to(server));
  auto look = [&](const std::string& when) {
    auto peer = socket->peer_certificate();
    world.add(when + ": " + (peer ? peer->subject["CN"] : "nothing") + ", " +
              socket->protocol().value_or("nothing") + ", " +
              (socket->cipher() ? socket->cipher()->standard_name
                                : std::string("nothing")));
  };

  look("at first");
  socket->on_connect([&] { look("connect"); });
  socket->on_secure_connect([&] { look("secure"); });
  socket->on_close([&](bool) { look("close"); });
  world.leave_when_secure(*socket);
  world.run();

  EXPECT_TRUE(world.saw({"at first: nothing, nothing, nothing",
                         "connect: nothing, nothing, nothing",
                         "secure: localhost, TLSv1.3, TLS_AES_256_GCM_SHA384",
                         "close: nothing, nothing, nothing"}))
      << "From the handshake on, as long as there is a connection. Before "
         "that nothing was agreed on: OpenSSL would tell what it hopes for.";
}

TEST(Certificate, HasAllItsFields) {
  RULE("TLSCERT-1");
  Peer server(serving(kHears), {});
  World world;
  auto socket = world.connect(to(server));
  std::optional<tls::Certificate> peer;

  socket->on_secure_connect([&] { peer = socket->peer_certificate(); });
  world.leave_when_secure(*socket);
  world.run();

  Shown shown = as_shown("server-cert.pem");
  ASSERT_IS(peer.has_value(), true);
  EXPECT_IS(
      (Lines{peer->subject["CN"], peer->issuer["CN"], peer->subjectaltname,
             peer->valid_from, peer->valid_to, peer->serial_number,
             peer->fingerprint256}),
      (Lines{"localhost", "Oracle CA", "DNS:localhost, IP Address:127.0.0.1",
             "Jan  1 00:00:00 2020 GMT", "Jan  1 00:00:00 2120 GMT",
             shown.serial, shown.fingerprint}))
      << "The names as OpenSSL prints them; the serial number in hexadecimal "
         "digits; the bytes of SHA-256 as capital ones, with colons.";
  EXPECT_IS(peer->raw, shown.der) << "raw is the certificate itself, as DER.";
}

TEST(Certificate, IsNotThereIfThePeerShowsNone) {
  RULE("TLSCERT-1");
  World world;
  Near near(world, {}, TlsEnd::kClient);

  auto socket = near.socket = tls::accept(world.loop, near.raw, as_server());
  world.record(*socket);
  near.shake_hands();

  EXPECT_TRUE(world.saw({"secure"}));
  EXPECT_IS(
      (Lines{yes_no(socket->peer_certificate().has_value()),
             yes_no(socket->authorized()), socket->authorization_error()}),
      (Lines{"no", "no", ""}))
      << "A server that asks for no certificate knows nothing of its client: "
         "neither who it is, nor that something is wrong with it.";
}
