// Part 3: data, in both directions.
#include <string>

#include "tests/14_tls_socket/support.h"

using namespace graded;

namespace {

const Then kEnds = [](TlsEnd& tls, Connection&) {
  tls.close_notify();
  tls.hear();
};

auto adds(World& world, std::string what) {
  return [&world, what](const Error* error) {
    world.add(what + " " + code(error));
  };
}

}  // namespace

TEST(Early, WritesAndTheEndWaitForTheHandshake) {
  RULE("TLSDATA-1");
  std::string heard;
  Peer server(serving([&](TlsEnd& tls, Connection&) {
                heard = tls.hear();
                tls.close_notify();
              }),
              {});
  World world;
  auto socket = world.connect(to(server));

  socket->write("hello ", adds(world, "written"));
  socket->end("world", adds(world, "ended"));
  world.run();
  server.wait();

  EXPECT_TRUE(world.saw({"connect", "secure", "written ok", "ended ok",
                         "finish", "end", "close"}))
      << "A callback says that the bytes are out: they cannot be before.";
  EXPECT_IS(heard, "hello world, then close_notify")
      << "What is written, and the end, waits until it is secure.";
}

TEST(Early, NothingGoesOutInTheClear) {
  RULE("TLSDATA-1");
  std::string seen;
  std::vector<Peer::Script> script{[&](Connection& wire) {
    seen = wire.receive(100);
    wire.finish();
    seen += wire.receive_all();
  }};
  Peer server(script, {});
  World world;
  auto socket = world.connect(to(server));

  socket->write("the password");
  socket->on_connect([&] { socket->write("the password"); });
  world.run();
  server.wait();

  EXPECT_IS(seen.find("password") == std::string::npos, true)
      << "The server has read " << seen.size()
      << " bytes before there were any keys.";
}

TEST(Bulk, AllOfItIsSent) {
  RULE("TLSDATA-3");
  std::string data = random_bytes(3'000'000), heard;
  Peer server(serving([&](TlsEnd& tls, Connection&) {
                heard = tls.receive(data.size());
                tls.close_notify();
                tls.hear();
              }),
              {});
  World world;
  auto socket = world.connect(to(server));

  socket->write(data.substr(0, 1'000'000));
  socket->on_secure_connect([&] { socket->end(data.substr(1'000'000)); });
  world.run();
  server.wait();

  EXPECT_IS(heard, data) << "Far more than the kernel takes at once.";
  EXPECT_IS(socket->bytes_written(), std::uint64_t{3'000'000})
      << "Counted is what you write, not what TLS makes of it.";
}

TEST(Bulk, AllOfItComes) {
  RULE("TLSDATA-3");
  std::string data = random_bytes(3'000'000), got;
  Peer server(serving([&](TlsEnd& tls, Connection& wire) {
                tls.send(data);
                kEnds(tls, wire);
              }),
              {});
  World world;
  auto socket = world.connect(to(server));

  socket->on_data([&](std::string_view bytes) { got += bytes; });
  world.run();

  EXPECT_IS(got, data);
  EXPECT_IS(socket->bytes_read(), std::uint64_t{3'000'000})
      << "Counted is what you read, not what came over the wire.";
}

TEST(Pause, KeepsDataAway) {
  RULE("TLSDATA-5");
  World world;
  Near near(world);
  near.shake_hands();
  world.read(*near.socket);

  near.send("one ");
  near.carry();
  near.socket->pause();
  near.send("two");
  near.carry();
  world.add("resume");
  near.socket->resume();
  world.settle();

  EXPECT_TRUE(world.saw({"secure", "data one ", "resume", "data two"}))
      << "pause() and resume() are as for a plain socket.";
}

TEST(Pause, LosesNothingThatIsDecryptedAlready) {
  RULE("TLSDATA-5");
  World world;
  Near near(world);
  tls::ConnectOptions options = over(near.raw);
  options.high_water_mark = 1000;
  near.socket = world.connect(options);
  near.shake_hands();
  std::string got;

  near.send(std::string(30'000, 'x'));
  near.carry();  // 1000 of them are read: nobody wants them yet
  near.socket->on_data([&](std::string_view bytes) { got += bytes; });
  world.settle();
  near.carry();

  EXPECT_IS(got.size(), std::size_t{30'000})
      << "The rest is in OpenSSL, or kept beside it. The kernel has nothing "
         "more, so poll() wakes nobody for it.";
}

TEST(Pending, IsWhatPollDoesNotSee) {
  RULE("TLSDATA-5");
  Desk desk;
  desk.shake_hands();
  desk.far.send("hello");
  desk.far.send("world");
  desk.carry();

  std::string got = desk.read(3);
  while (desk.transport->has_pending() && got.size() < 100) got += desk.read(4);

  EXPECT_IS(got, "helloworld")
      << "Two records have come with one read() of the wire. As long as "
         "has_pending() is true there is something to read, and then nothing.";
}

TEST(Writing, KeepsWhatIsEncryptedAlready) {
  RULE("WAIT-2");
  Desk desk;
  desk.shake_hands();
  std::string data = random_text(200'000);

  desk.wire->room = 10'000;
  desk.write_all(data);
  desk.wire->room = std::string::npos;
  desk.write_all("the end");
  desk.carry();

  EXPECT_IS(desk.far.received(), data + "the end")
      << "The wire has had no room in the middle of a record. The next call "
         "has the same bytes, at another address.";
}

TEST(Writing, GoesOnWithMoreThanItHadBefore) {
  RULE("WAIT-2");
  Desk desk;
  desk.shake_hands();
  std::string both = "hello world";

  desk.wire->room = 0;
  std::string full = in_words(desk.write("hello "));
  desk.wire->room = std::string::npos;
  IoResult result = desk.write(both);
  both.erase(0, result.bytes);
  desk.write_all(both);
  desk.carry();

  EXPECT_IS(full, "wants write");
  EXPECT_IS(desk.far.received(), "hello world")
      << "Meanwhile more was written, so the second call has more than the "
         "first. What is encrypted is encrypted, and only that counts.";
}

TEST(Writing, GoesAheadOfWhatIsMadeLater) {
  RULE("WAIT-2");
  Desk desk;
  desk.shake_hands();
  desk.carry();

  desk.wire->room = 10;
  std::string full = in_words(desk.write("hello"));
  desk.wire->room = std::string::npos;
  desk.wire->coming = kGarbage;
  desk.read();  // OpenSSL answers it with an alert
  desk.write("hello");
  desk.carry();

  EXPECT_IS(full, "wants write");
  EXPECT_IS(desk.far.received(), "hello")
      << "10 bytes of it were out when an alert was made, and the wire had "
         "room again. No byte overtakes another: the rest goes first.";
}

TEST(Writing, MayHaveToRead) {
  RULE("WAIT-3");
  Desk desk({.credential = "server", .configure = make_long_tickets});
  desk.shake_hands();
  std::string ticket = std::exchange(desk.wire->coming, {});
  Lines steps;

  desk.wire->coming = ticket.substr(0, 600);
  steps.push_back(desk.read());
  steps.push_back(in_words(desk.write("hello")));
  desk.wire->coming = ticket.erase(0, 600);
  steps.push_back(in_words(desk.write("hello")));
  desk.carry();

  EXPECT_IS(steps, (Lines{"wants read", "wants read", "5 bytes"}))
      << "The server has begun a long message for OpenSSL itself, a ticket in "
         "several records. As long as it is not there OpenSSL cannot write.";
  EXPECT_IS(desk.far.received(), "hello") << "Then the bytes are sent.";
}

TEST(Writing, FailsIfWhatItHasToReadDoesNotCome) {
  RULE("WAIT-3");
  Desk desk({.credential = "server", .configure = make_long_tickets});
  desk.shake_hands();

  desk.wire->coming.resize(600);
  desk.read();
  desk.wire->ended = true;
  IoResult result = desk.write("hello");

  EXPECT_IS(result.error ? result.error->code : in_words(result), "EPIPE")
      << "The wire has ended in the middle of a ticket. What was to be written "
         "will never be: that is an error of the write.";
}

TEST(Writing, ThatHadToReadHasReadForOthers) {
  RULE("WAIT-3");
  World world;
  Near near(world, {.credential = "server", .configure = make_long_tickets});
  near.socket = world.connect(over(near.raw));
  world.read(*near.socket);
  for (int i = 0; i < 20 && !near.far.is_secure(); ++i) near.carry(600);
  std::string rest = std::exchange(near.held, {});
  world.settle();

  near.far.send("data");
  near.wire.send(rest + near.far.take());
  near.socket->write("hello");
  near.carry();

  EXPECT_TRUE(world.saw({"secure", "data data"}))
      << "write() had to read the rest of a ticket, and data has come with it. "
         "poll() knows nothing of that data any more.";
  EXPECT_IS(near.far.received(), "hello");
}

TEST(Tickets, AreNeitherDataNorAnEnd) {
  RULE("TICKET-1");
  World world;
  Near near(world, {.credential = "server", .configure = send_tickets});
  near.shake_hands();
  world.read(*near.socket);

  world.settle();
  SSL_key_update(near.far.ssl(), SSL_KEY_UPDATE_REQUESTED);
  SSL_do_handshake(near.far.ssl());
  near.wire.send(near.far.take());
  near.carry();
  near.socket->write("still there");
  near.carry();
  near.send("hello");
  near.carry();

  EXPECT_TRUE(world.saw({"secure", "data hello"}))
      << "Two tickets and new keys have come: records without data.";
  EXPECT_IS(near.far.received(), "still there");
}
