// Part 5: over a connection that is there already; sessions.
#include <string>

#include "tests/14_tls_socket/support.h"

using namespace graded;

namespace {

// One key for the tickets of all of a test's servers.
void share_tickets(SSL_CTX* context) {
  std::string keys(80, 'k');
  SSL_CTX_set_tlsext_ticket_keys(context, keys.data(), keys.size());
}

struct Visit {
  Lines events;
  std::string session = {};
  std::string reused = "?", authorized = "?";
};

// Connects, with a session to be resumed, and is served "hello".
Visit visit(int version, const std::string& session = {}) {
  TlsEnd::Options end{.credential = "server",
                      .configure = [=](SSL_CTX* context) {
                        share_tickets(context);
                        SSL_CTX_set_max_proto_version(context, version);
                      }};
  Peer server(serving(
                  [](TlsEnd& tls, Connection&) {
                    tls.send("hello");
                    tls.close_notify();
                    tls.hear();
                  },
                  end),
              {});
  World world;
  Visit visit;
  tls::ConnectOptions options = to(server);
  options.session = session;
  auto socket = tls::connect(world.loop, options);
  socket->on_session([&](std::string_view bytes) {
    if (visit.session.empty()) world.add("session");
    visit.session = bytes;
  });
  socket->on_secure_connect([&] {
    world.add("secure");
    visit.reused = yes_no(socket->is_session_reused());
    visit.authorized = yes_no(socket->authorized());
  });
  socket->resume();
  world.run();
  visit.events = world.events;
  return visit;
}

}  // namespace

TEST(Upgrade, GoesOnOverAnOpenSocket) {
  RULE("TLSHS-6");
  World world;
  Near near(world);
  near.raw->on_close([&](bool) { world.add("the plain one closes"); });
  near.raw->on_data([&](std::string_view bytes) {
    world.add("plain " + std::string(bytes));
    near.socket = world.connect(over(near.raw));
    world.read(*near.socket);
  });

  near.wire.send("220 go ahead");
  world.settle();
  near.shake_hands();
  near.send("hello");
  near.carry();
  near.socket->destroy();
  world.run();

  EXPECT_TRUE(world.saw({"plain 220 go ahead", "secure", "data hello", "close",
                         "the plain one closes"}))
      << "There is no second connect: it is connected. What comes now comes "
         "encrypted, to the TLS socket alone; and both are over together.";
}

TEST(Upgrade, TakesWhatTheOtherHasReadAndNotSent) {
  RULE("TLSHS-6");
  World world;
  Near near(world, {}, TlsEnd::kClient);
  std::string plain(500'000, 'p'), seen;
  near.far.shake_hands();
  near.wire.send(near.far.take());
  near.raw->write(plain);  // more than there is room for
  world.settle();          // and the hello is read, as if it were data

  near.socket = tls::accept(world.loop, near.raw, as_server());
  world.record(*near.socket);
  for (int i = 0; i < 1000 && seen.size() < plain.size(); ++i) {
    seen += near.arrived();
    world.settle();
  }
  near.far.give(seen.substr(std::min(seen.size(), plain.size())));
  near.shake_hands();

  EXPECT_IS(seen.substr(0, plain.size()) == plain, true)
      << "What was written in the clear goes out in the clear, and first.";
  EXPECT_TRUE(world.saw({"secure"}))
      << "The plain socket had read the client's hello already. And a server "
         "that asks for no certificate has nothing against its client.";
}

TEST(Upgrade, OfOneThatEncryptsAlready) {
  RULE("TLSHS-6");
  World world;
  Near near(world);
  near.shake_hands();
  FarEnd inner;
  tls::ConnectOptions options = trusting_ca();
  options.socket = near.socket;
  auto socket = world.connect(options);
  world.read(*socket);
  auto carry = [&] {
    world.settle();
    near.far.give(near.arrived());
    inner.give(near.far.received());
    inner.shake_hands();
    std::string answer = inner.take();
    if (!answer.empty()) near.send(answer);
    world.settle();
  };

  for (int i = 0; i < 3; ++i) carry();
  inner.send("hello");
  carry();
  socket->destroy();
  world.run();

  EXPECT_TRUE(world.saw({"secure", "secure", "data hello", "close", "close"}))
      << "A TLS socket is a socket: another one can go on over it, as through "
         "a proxy. What it encrypts is encrypted once more.";
}

TEST(Upgrade, EndsWhenTheOtherOneIsDestroyed) {
  RULE("TLSHS-6");
  World world;
  Near near(world);
  near.shake_hands();

  near.raw->destroy();
  world.run();

  EXPECT_TRUE(world.saw({"secure", "close"})) << "They are one connection.";
}

TEST(Session, IsResumedWithTls12) {
  RULE("TLSSESS-1");
  Visit first = visit(TLS1_2_VERSION);
  Visit second = visit(TLS1_2_VERSION, first.session);

  EXPECT_IS(
      (Lines{first.reused, first.authorized, second.reused, second.authorized}),
      (Lines{"no", "yes", "yes", "yes"}))
      << "The second connection was given the session of the first. The server "
         "is still known: it was verified then.";
}

TEST(Session, ComesAfterSecureWithTls13) {
  RULE("TLSSESS-1");
  Visit first = visit(TLS1_3_VERSION);
  Visit second = visit(TLS1_3_VERSION, first.session);

  EXPECT_IS(first.events, (Lines{"secure", "session"}))
      << "In TLS 1.3 a session is a ticket, which comes with the data.";
  EXPECT_IS((Lines{first.reused, second.reused}), (Lines{"no", "yes"}));
}

TEST(Session, ThatIsNoneIsNoReasonNotToConnect) {
  RULE("TLSSESS-1");
  Visit it = visit(TLS1_3_VERSION, "this is no session");

  EXPECT_IS((Lines{it.reused, it.authorized}), (Lines{"no", "yes"}))
      << "A session saves work. Without one the handshake is a full one.";
}

TEST(Session, ListenersMayDestroy) {
  RULE("TLSEND-5");
  World world;
  Near near(world, {.credential = "server", .configure = send_tickets});
  near.socket = world.connect(over(near.raw));
  near.socket->on_session([&](std::string_view) {
    world.add("session");
    near.socket->destroy();
  });
  world.read(*near.socket);

  near.carry();
  near.far.give(near.arrived());
  near.far.shake_hands();
  near.send("hello");  // and before it two tickets
  world.run();

  while (!world.events.empty() && world.events[0] != "session")
    world.events.erase(world.events.begin());
  EXPECT_TRUE(world.saw({"session", "close"}))
      << "OpenSSL reports a session from within SSL_read(), which goes on "
         "afterwards. A listener that destroys the socket must not be called "
         "in there: data would come after destroy().";
}

TEST(Session, IsForTheClient) {
  RULE("TLSSESS-1");
  World world;
  Near near(world, {}, TlsEnd::kClient);
  near.socket = tls::accept(world.loop, near.raw, as_server());
  world.record(*near.socket);
  near.socket->on_session([&](std::string_view) { world.add("session"); });

  near.shake_hands();

  EXPECT_TRUE(world.saw({"secure"}))
      << "The server has given out a session, in a ticket. Whoever gets it can "
         "resume; the one that gives it hears of nothing.";
}

TEST(KeyLog, HasALineForEachSecret) {
  RULE("TLSSESS-1");
  World world;
  Near near(world);
  near.socket = tls::connect(world.loop, over(near.raw));
  std::string log;
  near.socket->on_keylog([&](std::string_view line) { log += line; });

  near.shake_hands();

  EXPECT_IS(log.find("CLIENT_TRAFFIC_SECRET_0 ") != std::string::npos &&
                log.back() == '\n',
            true)
      << "With these lines Wireshark can read along. Here they are:\n"
      << log;
}
