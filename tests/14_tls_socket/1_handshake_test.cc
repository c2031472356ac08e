// Part 1: until it is secure.
#include <openssl/err.h>

#include <string>

#include "tests/14_tls_socket/support.h"

using namespace graded;

namespace {

// A server's end that has the client's first message, and whose callback says
// "ask me later".
struct Asking {
  explicit Asking(World& world) : near(world, {}, TlsEnd::kClient) {
    tls::AcceptOptions options = as_server();
    options.secure_context = options.context();
    SSL_CTX_set_client_hello_cb(
        options.secure_context->get(),
        [](SSL*, int*, void*) { return SSL_CLIENT_HELLO_RETRY; }, nullptr);
    near.socket = tls::accept(world.loop, near.raw, options);
    world.record(*near.socket);
    near.carry();
  }
  Near near;
};

// Whether the client that leaves now is missed, though somebody is asked still.
testing::AssertionResult is_missed(World& world, Asking& asking) {
  world.add("the client leaves");
  asking.near.wire.finish();
  world.settle();
  return world.saw(
      {"the client leaves", "error ECONNRESET", "close after an error"});
}

}  // namespace

TEST(Handshake, ConnectThenSecureThenData) {
  RULE("TLSHS-1");
  Peer server(serving([](TlsEnd& tls, Connection& wire) {
                tls.send("hello");
                kHears(tls, wire);
              }),
              {});
  World world;

  auto socket = world.connect(to(server));
  world.read(*socket);
  socket->on_data([&](std::string_view) { socket->destroy(); });
  world.run();

  EXPECT_TRUE(world.saw({"connect", "secure", "data hello", "close"}))
      << "connect: the server can be reached. secure: it is who it should be. "
         "Before that there is no data.";
}

TEST(Handshake, IsNotOverWhenItIsConnected) {
  RULE("TLSHS-1");
  World world;
  Near near(world);
  near.world.settle();
  near.socket = world.connect(over(near.raw));

  world.settle();
  world.add("the server answers");
  near.shake_hands();

  EXPECT_TRUE(world.saw({"the server answers", "secure"}))
      << "As long as the server has said nothing, nobody knows who it is.";
}

TEST(Handshake, TheCallbackIsForOneSecureConnect) {
  RULE("TLSHS-1");
  Peer server(serving(kHears), {});
  World world;
  auto socket =
      tls::connect(world.loop, to(server), [&] { world.add("callback"); });
  world.record(*socket);
  std::size_t before = socket->on_secure_connect.listener_count();

  world.leave_when_secure(*socket);
  world.run();

  EXPECT_TRUE(world.saw({"connect", "callback", "secure", "close"}))
      << "The callback of connect() is a listener of on_secure_connect, added "
         "by the call; not one of on_connect.";
  EXPECT_IS(before, std::size_t{2})
      << "One is the callback, one is the test's.";
}

TEST(Handshake, AuthorizedIsFalseUntilThen) {
  RULE("TLSHS-4");
  Peer server(serving(kHears), {});
  World world;
  auto socket = tls::connect(world.loop, to(server));
  auto look = [&](const std::string& when) {
    world.add(when + ": authorized " + yes_no(socket->authorized()) +
              ", error \"" + socket->authorization_error() + "\", encrypted " +
              yes_no(socket->encrypted()));
  };

  look("at first");
  socket->on_connect([&] { look("connect"); });
  socket->on_secure_connect([&] { look("secure"); });
  world.leave_when_secure(*socket);
  world.run();

  EXPECT_TRUE(world.saw({"at first: authorized no, error \"\", encrypted yes",
                         "connect: authorized no, error \"\", encrypted yes",
                         "secure: authorized yes, error \"\", encrypted yes"}))
      << "It says that the server's certificate was verified, not that it "
         "will be.";
}

TEST(Handshake, AuthorizedIsFalseWhileItConnectsAgain) {
  RULE("TLSHS-4");
  Peer server(serving(kHears), {});
  RefusedPort nobody;
  World world;
  auto socket = world.connect(to(server));
  auto look = [&] {
    world.add(std::string("authorized ") + yes_no(socket->authorized()));
  };

  world.leave_when_secure(*socket);
  socket->on_close.once([&](bool) {
    socket->connect(nobody.port(), "127.0.0.1");
    look();
    socket->on_error([&](const Error&) { look(); });
  });
  world.run();
  look();

  EXPECT_TRUE(world.saw({"connect", "secure", "close", "authorized no",
                         "error ECONNREFUSED", "authorized no",
                         "close after an error", "authorized no"}))
      << "connect() was called again, and has failed. What was known of the "
         "first server says nothing about the second one.";
}

TEST(Handshake, TellsTheServerWhomItWants) {
  RULE("TLSSNI-1");
  std::string heard;
  Peer server(serving(
                  [&](TlsEnd& tls, Connection& wire) {
                    const char* name = SSL_get_servername(
                        tls.ssl(), TLSEXT_NAMETYPE_host_name);
                    heard = name ? name : "nothing";
                    kHears(tls, wire);
                  },
                  {.credential = "names"}),
              {});
  World world;
  tls::ConnectOptions options = to(server);
  options.servername = "two.test";

  auto socket = world.connect(options);
  std::string known;
  socket->on_secure_connect([&] { known = socket->servername(); });
  world.leave_when_secure(*socket);
  world.run();
  server.wait();

  EXPECT_IS((Lines{heard, known}), (Lines{"two.test", "two.test"}))
      << "Behind one address there can be many servers: servername says which "
         "one.";
}

TEST(Handshake, DoesNotTellTheHost) {
  RULE("TLSSNI-1");
  std::string heard;
  Peer server(serving([&](TlsEnd& tls, Connection& wire) {
                const char* name =
                    SSL_get_servername(tls.ssl(), TLSEXT_NAMETYPE_host_name);
                heard = name ? name : "nothing";
                kHears(tls, wire);
              }),
              {});
  World world;
  tls::ConnectOptions options = to(server);
  options.servername = "";
  options.host = "localhost";

  auto socket = world.connect(options);
  world.leave_when_secure(*socket);
  world.run();
  server.wait();

  EXPECT_IS(heard, "nothing")
      << "host says where to connect to, and is looked for in the "
         "certificate. Only servername is told.";
}

TEST(Handshake, AgreesOnAProtocol) {
  RULE("TLSALPN-1");
  auto choose_second = [](SSL*, const unsigned char** chosen,
                          unsigned char* size, const unsigned char* offered,
                          unsigned, void*) {
    *chosen = offered + 1 + offered[0] + 1;
    *size = offered[1 + offered[0]];
    return SSL_TLSEXT_ERR_OK;
  };
  std::string agreed[2];
  for (bool server_chooses : {true, false}) {
    TlsEnd::Options end{.credential = "server"};
    if (server_chooses)
      end.configure = [=](SSL_CTX* context) {
        SSL_CTX_set_alpn_select_cb(context, choose_second, nullptr);
      };
    Peer server(serving(kHears, end), {});
    World world;
    tls::ConnectOptions options = to(server);
    options.alpn_protocols = {"h2", "http/1.1"};
    auto socket = world.connect(options);
    socket->on_secure_connect(
        [&] { agreed[!server_chooses] = socket->alpn_protocol(); });
    world.leave_when_secure(*socket);
    world.run();
  }

  EXPECT_IS((Lines{agreed[0], agreed[1]}), (Lines{"http/1.1", ""}))
      << "The first server has taken the second of the offers, the other one "
         "knows nothing of protocols.";
}

TEST(Handshake, OffersNoNameThatIsNone) {
  RULE("TLSALPN-1");
  World world;
  RefusedPort nobody;
  tls::ConnectOptions options = trusting_ca();
  options.host = "127.0.0.1";
  options.port = nobody.port();
  options.alpn_protocols = {"h2", ""};

  std::string thrown = usage_error([&] { tls::connect(world.loop, options); });

  EXPECT_IS(thrown, "ERR_INVALID_ARG_VALUE")
      << "Options that cannot be used throw in the call that has them, not "
         "when the server has answered.";
}

TEST(Waiting, AHandshakeGoesOnStepByStep) {
  RULE("WAIT-1");
  Desk desk;
  Lines steps;
  auto step = [&] { steps.push_back(desk.handshake()); };

  desk.wire->room = 0;
  step();
  desk.wire->room = std::string::npos;
  step();
  desk.carry();
  std::string answer = std::exchange(desk.wire->coming, {});
  desk.wire->coming = answer.substr(0, 100);
  step();
  desk.wire->coming = answer.erase(0, 100);
  desk.wire->room = 10;
  step();
  desk.wire->room = std::string::npos;
  step();
  desk.carry();

  EXPECT_IS(steps, (Lines{"wants write", "wants read", "wants read",
                          "wants write", "end"}))
      << "No room for the first message; no answer yet; 100 bytes of it; no "
         "room for all of the last message; all is out.";
  EXPECT_IS(desk.far.is_secure(), true)
      << "Each byte goes out once, in order: the server has understood all.";
}

TEST(Waiting, AFullSocketDelaysTheHandshake) {
  RULE("WAIT-1");
  Peer server(serving(kHears), {});
  World world;
  auto socket = world.connect(to(server));
  world.leave_when_secure(*socket);

  Fault full(Call::kSend, {fails(EAGAIN), at_most(10), fails(EAGAIN)});
  world.run();

  EXPECT_TRUE(world.saw({"connect", "secure", "close"}))
      << "The kernel has had no room three times during the handshake.";
}

TEST(Waiting, AHandshakeThatIsHeldKeepsItsLastMessage) {
  RULE("WAIT-1");
  Desk desk;
  std::string early;
  auto step = [&] {
    std::string result = desk.handshake();
    desk.carry();
    return result;
  };

  desk.transport->hold(true);
  for (int i = 0; i < 3; ++i)
    if (step() == "end") early += "end";
  if (desk.far.is_secure()) early += " at the server";
  desk.transport->hold(false);
  std::string last = step();

  EXPECT_IS(last, "end") << "After hold(false) it goes on to its end.";
  EXPECT_IS(early, "")
      << "hold(true), and the server's answer is there: not before hold(false) "
         "is this the end. The last message waits, too: with it the server "
         "would think that all is done.";
  EXPECT_IS(desk.far.is_secure(), true) << "Afterwards it goes out.";
}

TEST(Waiting, WhatComesMeanwhileIsNotKeptWithoutEnd) {
  RULE("WAIT-1");
  Desk desk;
  desk.transport->hold(true);
  desk.handshake();
  desk.carry();
  desk.handshake();
  const std::size_t much = std::size_t{8} * 1024 * 1024;

  desk.wire->coming = std::string(much, 'x');
  std::string result = desk.handshake();

  EXPECT_IS(desk.wire->coming.size() > much / 2, true)
      << "hold(true), and the peer sends 8 MiB. Whoever reads them while "
         "nobody can look at them needs as much memory as the peer likes.";
  EXPECT_IS(result, "waits")
      << "And who still wants to read then is called again at once, for ever.";
}

TEST(Waiting, ThePeerMayLeaveAHandshakeThatIsHeld) {
  RULE("TLSERR-1");
  Desk desk;
  desk.transport->hold(true);
  desk.handshake();
  desk.carry();
  desk.handshake();

  desk.wire->ended = true;
  IoResult result = desk.transport->handshake();

  EXPECT_IS(result.error ? result.error->code : in_words(result), "ECONNRESET")
      << "hold(true), and the server goes away before it has got the last "
         "message. Who is waited for may take long: say it now.";
}

TEST(Waiting, ThePeerMayLeaveWhileSomebodyIsAsked) {
  RULE("TLSERR-1");
  World world;
  Asking asking(world);

  EXPECT_TRUE(is_missed(world, asking))
      << "A callback of the engine's (SSL_CTX_set_client_hello_cb(3)) has said "
         "\"ask me later\". Whoever is asked may never answer, and the client "
         "goes away meanwhile: that has to be noticed.";
}

TEST(Waiting, ThePeerMayLeaveAfterAFurtherWord) {
  RULE("TLSERR-1");
  World world;
  Asking asking(world);
  asking.near.wire.send("one more word");
  world.settle();

  EXPECT_TRUE(is_missed(world, asking))
      << "Somebody is asked, the client says more than its first message, and "
         "then it goes away. What it has said is kept for later; that it has "
         "gone has to be noticed now.";
}

TEST(Later, AnErrorWaitsUntilConnectHasReturned) {
  RULE("EVT-6");
  World world;
  Near near(world);
  near.wire.send("220 this is no TLS\r\n");
  world.settle();  // the plain socket has read it

  auto socket = world.connect(over(near.raw));
  world.add("connect() has returned");
  world.run();

  EXPECT_TRUE(
      world.saw({"connect() has returned", "error ERR_SSL_WRONG_VERSION_NUMBER",
                 "close after an error"}))
      << "All that is needed to fail was there already. Who gets the socket "
         "adds listeners then, and must not miss the error.";
}
