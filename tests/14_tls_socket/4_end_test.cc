// Part 4: the end.
#include <string>

#include "tests/14_tls_socket/support.h"

using namespace graded;

TEST(PeersEnd, IsCloseNotify) {
  RULE("TLSEND-1");
  std::string heard;
  Peer server(serving([&](TlsEnd& tls, Connection&) {
                tls.send("bye");
                tls.close_notify();
                heard = tls.hear();
              }),
              {});
  World world;
  auto socket = world.connect(to(server));
  world.read(*socket);

  world.run();
  server.wait();

  EXPECT_TRUE(
      world.saw({"connect", "secure", "data bye", "end", "finish", "close"}))
      << "close_notify is the end, though TCP is still open. The socket "
         "answers, and both are over.";
  EXPECT_IS(heard, "close_notify") << "The answer is a close_notify, too.";
}

TEST(OwnEnd, IsCloseNotifyAndThenFin) {
  RULE("TLSEND-2");
  std::string heard;
  Peer server(serving([&](TlsEnd& tls, Connection& wire) {
                heard = tls.hear();
                wire.expect_end();
                tls.close_notify();
              }),
              {});
  World world;
  auto socket = world.connect(to(server));

  socket->on_secure_connect([&] {
    socket->write("one ");
    socket->end("two",
                [&](const Error* error) { world.add("ended " + code(error)); });
  });
  world.run();
  server.wait();

  EXPECT_TRUE(
      world.saw({"connect", "secure", "ended ok", "finish", "end", "close"}));
  EXPECT_IS(heard, "one two, then close_notify")
      << "Without close_notify the server has to think that it was cut off.";
}

TEST(OwnEnd, WaitsForRoom) {
  RULE("TLSEND-2");
  Desk desk;
  desk.shake_hands();
  Lines steps;
  auto step = [&] {
    std::string kind = desk.shutdown();
    steps.push_back(kind + (desk.wire->shut ? ", FIN" : ""));
  };

  desk.wire->room = 5;
  step();
  desk.wire->room = std::string::npos;
  step();
  desk.carry();
  desk.far.received();

  EXPECT_IS(steps, (Lines{"wants write", "end, FIN"}))
      << "There was room for 5 bytes of close_notify only: FIN waits.";
  EXPECT_IS((SSL_get_shutdown(desk.far.ssl()) & SSL_RECEIVED_SHUTDOWN) != 0,
            true)
      << "It was sent once, and whole.";
}

TEST(OwnEnd, WaitsForTheRestOfATicket) {
  RULE("WAIT-3");
  Desk desk({.credential = "server", .configure = make_long_tickets});
  desk.shake_hands();
  std::string ticket = std::exchange(desk.wire->coming, {});
  Lines steps;

  desk.wire->coming = ticket.substr(0, 600);
  desk.read();
  steps.push_back(desk.shutdown());
  desk.wire->coming = ticket.erase(0, 600);
  steps.push_back(desk.shutdown());
  desk.carry();
  desk.far.received();

  EXPECT_IS(steps, (Lines{"wants read", "end"}))
      << "In the middle of a message OpenSSL cannot make a close_notify.";
  EXPECT_IS((SSL_get_shutdown(desk.far.ssl()) & SSL_RECEIVED_SHUTDOWN) != 0,
            true)
      << "A FIN without close_notify looks to the server as if somebody had "
         "cut the connection off.";
}

TEST(Cut, IsAnEndThatCanBeTold) {
  RULE("TLSEND-3");
  Lines ends;
  for (bool cut : {true, false}) {
    Peer server(serving([&](TlsEnd& tls, Connection& wire) {
                  tls.send("hello");
                  if (!cut) tls.close_notify();
                  wire.finish();
                  tls.hear();
                }),
                {});
    World world;
    auto socket = world.connect(to(server));
    socket->resume();
    world.run();
    std::string last = world.events.empty() ? "" : world.events.back();
    ends.push_back(last + (socket->truncated() ? ", truncated" : ""));
  }

  EXPECT_IS(ends, (Lines{"close, truncated", "close"}))
      << "As in Node a FIN without close_notify is an end, and no error. But "
         "anybody on the way can send a FIN: who cares asks truncated().";
}

TEST(Cut, IsForgottenWhenItConnectsAgain) {
  RULE("TLSEND-3");
  Peer server(serving([](TlsEnd& tls, Connection& wire) {
                wire.finish();
                tls.hear();
              }),
              {});
  RefusedPort nobody;
  World world;
  auto socket = world.connect(to(server));
  auto look = [&] {
    world.add(std::string("truncated ") + yes_no(socket->truncated()));
  };

  socket->resume();
  socket->on_close.once([&](bool) {
    look();
    socket->connect(nobody.port(), "127.0.0.1");
    look();
    socket->on_error([&](const Error&) { look(); });
  });
  world.run();
  look();

  EXPECT_TRUE(
      world.saw({"connect", "secure", "end", "finish", "close", "truncated yes",
                 "truncated no", "error ECONNREFUSED", "truncated no",
                 "close after an error", "truncated no"}))
      << "Only the first connection was cut off. Its transport is gone with "
         "the second connect(): do not ask it any more.";
}

TEST(Reset, IsAnError) {
  RULE("TLSEND-4");
  Peer server(serving([](TlsEnd& tls, Connection& wire) {
                tls.receive(2);
                wire.reset();
              }),
              {});
  World world;
  auto socket = world.connect(to(server));
  world.read(*socket);

  socket->write("go");
  world.run();

  EXPECT_TRUE(world.saw(
      {"connect", "secure", "error ECONNRESET", "close after an error"}))
      << "A reset is never an end.";
}

TEST(Reset, OrGarbageIsAnErrorAfterTheData) {
  RULE("TLSEND-4");
  World world;
  Near near(world);
  near.shake_hands();
  world.read(*near.socket);

  near.far.send("hello");
  near.wire.send(near.far.take() + kGarbage);
  world.run();

  std::string last_but_one =
      world.events.size() < 2 ? "" : world.events[world.events.size() - 2];
  EXPECT_IS(last_but_one.substr(0, 14), "error ERR_SSL_")
      << "A record came that does not decrypt.";
  EXPECT_IS(world.events.size() > 1 ? world.events[1] : "", "data hello")
      << "What came before it is delivered.";
}

TEST(Reset, OrGarbageIsToldToThePeer) {
  RULE("TLSEND-4");
  Desk desk;
  desk.shake_hands();
  desk.carry();

  desk.wire->coming = kGarbage;
  std::string came = desk.read();
  desk.carry();
  desk.far.received();

  EXPECT_IS(came.substr(0, 6), "failed");
  EXPECT_IS((SSL_get_shutdown(desk.far.ssl()) & SSL_RECEIVED_SHUTDOWN) != 0,
            true)
      << "OpenSSL has made an alert, which says that the record was broken. It "
         "has to go out with this read(): after an error nobody writes.";
}

TEST(Destroy, InAnyEventLeavesOnlyClose) {
  RULE("TLSEND-5");
  for (std::string when : {"connect", "secure", "data", "end"}) {
    Peer server(serving([](TlsEnd& tls, Connection&) {
                  tls.send("hello");
                  tls.close_notify();
                  tls.hear();
                }),
                {});
    World world;
    auto socket = tls::connect(world.loop, to(server));
    auto at = [&](const std::string& event) {
      if (event == when) socket->destroy();
      world.add(event);
    };
    socket->on_connect([&] { at("connect"); });
    socket->on_secure_connect([&] { at("secure"); });
    socket->on_data([&](std::string_view) { at("data"); });
    socket->on_end([&] { at("end"); });
    socket->on_finish([&] { at("finish"); });
    socket->on_error([&](const Error& error) { at("error " + error.code); });
    socket->on_close([&](bool error) { at(error ? "close(true)" : "close"); });
    socket->write("hello");
    world.run();

    Lines expected{"connect", "secure", "data", "end"};
    while (expected.back() != when) expected.pop_back();
    expected.push_back("close");
    EXPECT_IS(world.events, expected) << "destroy() was called in " << when;
  }
}

TEST(Destroy, InTheMiddleOfTheHandshake) {
  RULE("TLSEND-5");
  World world;
  Near near(world);
  near.socket = world.connect(over(near.raw));
  near.carry(100);  // the client has a part of what the server says

  near.socket->write("hello",
                     [&](const Error* error) { world.add(code(error)); });
  world.events.clear();
  near.socket->destroy();
  world.run();

  EXPECT_TRUE(world.saw({"ERR_STREAM_DESTROYED", "close"}))
      << "One close, and nothing is left that keeps run() going.";
}

TEST(HalfOpen, WeStillWrite) {
  RULE("TLSEND-1");
  std::string heard;
  Peer server(serving([&](TlsEnd& tls, Connection&) {
                tls.send("your turn");
                tls.close_notify();
                heard = tls.hear();
              }),
              {});
  World world;
  tls::ConnectOptions options = to(server);
  options.allow_half_open = true;
  auto socket = world.connect(options);
  world.read(*socket);

  socket->on_end([&] {
    world.loop.set_timeout(0ms, [&] {
      world.add(std::string(socket->ready_state()));
      socket->end("thanks");
    });
  });
  world.run();
  server.wait();

  EXPECT_TRUE(world.saw({"connect", "secure", "data your turn", "end",
                         "writeOnly", "finish", "close"}));
  EXPECT_IS(heard, "thanks, then close_notify")
      << "Each direction of TLS ends by itself, as those of TCP do.";
}

TEST(HalfOpen, AServerStillWrites) {
  RULE("TLSEND-1");
  World world;
  Near near(world, {}, TlsEnd::kClient);
  tls::AcceptOptions options = as_server();
  options.allow_half_open = true;
  near.socket = tls::accept(world.loop, near.raw, options);
  world.record(*near.socket);
  world.read(*near.socket);

  near.shake_hands();
  SSL_shutdown(near.far.ssl());
  near.carry();
  world.add(std::string(near.socket->ready_state()));
  near.socket->end("thanks");
  near.carry();

  EXPECT_TRUE(world.saw({"secure", "end", "writeOnly", "finish", "close"}))
      << "allow_half_open is an option of accept(), too.";
  EXPECT_IS(near.far.received(), "thanks");
}
