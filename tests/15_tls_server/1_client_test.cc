// Part 1: one client after the other, and those who never finish.
#include "tests/15_tls_server/support.h"

using namespace graded;

namespace {

// How many connections the server counts.
int connections(World& world) {
  int count = -1;
  world.server->get_connections([&](const Error*, int n) { count = n; });
  world.until("get_connections()", [&] { return count >= 0; });
  return count;
}

// A listening server without anybody who hears of failures.
void serve_unheard(World& world, tls::ServerOptions options) {
  world.server = tls::create_server(world.loop, std::move(options));
  world.server->on_close([&world] { world.add("close"); });
  world.server->listen(0, "127.0.0.1");
  world.until("listening()", [&] { return world.server->listening(); });
}

}  // namespace

TEST(Client, IsConnectedAndThenSecure) {
  RULE("TLSHS-2");
  World world;
  world.then = [](TlsSocketPtr socket) {
    socket->on_data([socket](std::string_view b) { socket->write(b); });
  };
  world.serve();
  int raw_port = 0;
  world.server->on_connection(
      [&](SocketPtr& raw) { raw_port = raw->remote_port(); });
  Client client(world);

  world.shake_hands(client);
  client.send("hello");
  world.until("secure");
  world.settle();

  EXPECT_TRUE(world.saw({"connection", "secure"}))
      << "on_connection: somebody is there. on_secure_connection: the "
         "handshake is over.";
  EXPECT_IS(client.received(), "hello") << "What comes out of it is a socket.";
  EXPECT_IS(world.accepted.at(0)->remote_port(), raw_port)
      << "Both are the same connection.";
}

TEST(Client, IsNotSecureBeforeItHasFinished) {
  RULE("TLSHS-2");
  World world;
  world.serve();
  Client first(world);
  first.silent = true;
  Client second(world);

  world.shake_hands(second);

  EXPECT_TRUE(world.saw({"connection", "connection", "secure"}))
      << "The first client says nothing. The second one does not wait for it.";
}

TEST(Client, MayBeRefusedAtOnce) {
  RULE("TLSHS-2");
  World world;
  world.serve();
  bool refuse = true;
  world.server->on_connection([&](SocketPtr& raw) {
    if (refuse) raw->destroy();
  });
  Client refused(world);
  world.until("the client's end", [&] { return refused.ended; });

  refuse = false;
  Client good(world);
  world.shake_hands(good);

  EXPECT_TRUE(world.saw({"connection", "connection", "secure"}))
      << "A listener of on_connection destroys the first client's socket. It "
         "never began a handshake, so none has failed.";
}

TEST(Client, MayBeginPaused) {
  RULE("TLSHS-2");
  World world;
  tls::ServerOptions options = with("server");
  options.pause_on_connect = true;
  world.then = [&](TlsSocketPtr socket) {
    socket->on_data([&](std::string_view b) { world.add(std::string(b)); });
  };
  world.serve(options);
  Client client(world);
  world.shake_hands(client);
  client.send("hello");
  world.settle();

  world.add("resume");
  world.accepted.at(0)->resume();
  world.until("hello");

  EXPECT_TRUE(world.saw({"connection", "secure", "resume", "hello"}))
      << "With pause_on_connect the handshake goes on, and its data waits.";
}

TEST(Client, IsToldOnceEach) {
  RULE("TLSHS-2");
  World world;
  world.serve();
  Client one(world), two(world), three(world);

  for (Client* it : {&one, &two, &three}) world.shake_hands(*it);

  EXPECT_IS(world.accepted.size(), std::size_t{3})
      << "Three clients are three on_secure_connection.";
}

TEST(Close, WaitsForAHandshakeThatTimesOut) {
  RULE("TLSHS-7");
  World world;
  serve_unheard(world, with("server"));
  Client client(world);
  client.silent = true;
  world.settle();

  world.server->close();
  world.settle();
  world.add("two minutes go by");
  world.pass(120s);

  EXPECT_TRUE(world.saw({"two minutes go by", "close"}))
      << "A client that is connected keeps a closed server open, whether it is "
         "secure or not; but not for ever.";
}

TEST(Close, WaitsForASecureClient) {
  RULE("TLSHS-7");
  World world;
  world.serve();
  Client client(world);
  world.shake_hands(client);

  int before = connections(world);
  world.server->close();
  world.settle();
  world.add("end");
  world.accepted.at(0)->end();
  client.wire.finish();
  world.until("close");

  EXPECT_IS(before, 1) << "One client is one connection.";
  EXPECT_TRUE(world.saw({"connection", "secure", "end", "close"}))
      << "close() leaves secure clients alone, as it does plain ones.";
}

TEST(Failure, IsToldByTheServer) {
  RULE("TLSERR-2");
  World world;
  tls::ServerOptions options = with("server");
  options.min_version = "TLSv1.3";
  world.serve(options);
  Client old(world, {.configure = only_tls12});

  world.shake_hands(old);
  world.until("the client's end", [&] { return old.ended; });

  EXPECT_TRUE(world.saw({"connection", "failed ERR_SSL_UNSUPPORTED_PROTOCOL"}))
      << "It speaks TLS 1.2, and the server nothing below 1.3: one "
         "on_tls_client_error, no on_secure_connection, no on_error.";
  EXPECT_IS(old.failure(), "tlsv1 alert protocol version")
      << "The client hears the reason by an alert.";
  EXPECT_IS(world.failed.at(0)->destroyed(), true)
      << "After the event the connection is closed.";
}

TEST(Failure, OfOneHarmsNoOther) {
  RULE("TLSERR-2");
  World world;
  tls::ServerOptions options = with("server");
  options.max_version = "TLSv1.2";
  options.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
  world.serve(options);
  Client bad(world, {.configure = [](SSL_CTX* context) {
               only_tls12(context);
               SSL_CTX_set_cipher_list(context,
                                       "ECDHE-ECDSA-AES128-GCM-SHA256");
             }});
  world.shake_hands(bad);
  world.until("the client's end", [&] { return bad.ended; });

  Client good(world);
  world.shake_hands(good);

  EXPECT_TRUE(world.saw({"connection", "failed ERR_SSL_NO_SHARED_CIPHER",
                         "connection", "secure"}))
      << "The first client has no cipher in common with the server.";
  EXPECT_IS(connections(world), 1) << "The first one is not counted any more.";
}

TEST(Failure, AfterThatIsTheSocketsOwn) {
  RULE("TLSERR-2");
  World world;
  world.then = [&](TlsSocketPtr socket) {
    socket->on_error([&](const Error&) { world.add("error of the socket"); });
    socket->resume();
  };
  world.serve();
  Client client(world);
  world.shake_hands(client);

  client.silent = true;
  client.wire.send("this is no record, and never was one");
  world.until("destroyed()", [&] { return world.accepted.at(0)->destroyed(); });
  Client good(world);
  world.shake_hands(good);

  EXPECT_TRUE(world.saw(
      {"connection", "secure", "error of the socket", "connection", "secure"}))
      << "on_tls_client_error is about handshakes. Garbage later is an error "
         "of that one socket.";
}

TEST(Failure, ASecondHandshakeIsRefused) {
  RULE("TLSERR-2");
  World world;
  world.then = [](TlsSocketPtr socket) { socket->resume(); };
  world.serve();
  Client client(world, {.configure = only_tls12});
  world.shake_hands(client);

  SSL_renegotiate(client.ssl());
  SSL_do_handshake(client.ssl());
  world.until("an answer", [&] { return !client.failure().empty(); });
  world.settle();

  EXPECT_IS(client.failure(), "no renegotiation")
      << "It would cost the server as much as a new client, again and again.";
  EXPECT_IS(world.accepted.size(), std::size_t{1})
      << "on_secure_connection comes once.";
}

TEST(Plaintext, IsRefused) {
  RULE("TLSERR-3");
  World world;
  world.serve();
  Client plain(world);
  plain.silent = true;
  plain.wire.send("hello, who is there?\n");
  world.until("a failure", [&] { return !world.failed.empty(); });
  world.settle();
  plain.silent = false;
  world.until("the client's end", [&] { return plain.ended; });

  Client good(world);
  world.shake_hands(good);

  EXPECT_TRUE(world.saw({"connection", "failed ERR_SSL_WRONG_VERSION_NUMBER",
                         "connection", "secure"}))
      << "What is no TLS is told, closed, and forgotten.";
}

TEST(Plaintext, ARecordThatIsTooLong) {
  RULE("TLSERR-3");
  World world;
  world.serve();
  Client huge(world);
  huge.silent = true;
  huge.wire.send(std::string("\x16\x03\x03\xff\xff", 5) +
                 std::string(5000, 'x'));

  world.until("a failure", [&] { return !world.failed.empty(); });
  world.settle();

  EXPECT_IS(world.events.size(), std::size_t{2})
      << "A record has 16 KiB. One that says 64 KiB is not waited for.";
  EXPECT_IS(world.failed.at(0)->destroyed(), true) << "It is closed.";
}

TEST(GoingAway, IsAnErrorOfTheHandshake) {
  RULE("TLSERR-6");
  World world;
  world.serve();
  Client client(world);
  client.silent = true;
  world.settle();

  client.wire.finish();
  world.until("a failure", [&] { return !world.failed.empty(); });
  world.settle();

  EXPECT_TRUE(world.saw({"connection", "failed ECONNRESET"}))
      << "FIN before the handshake is done: ECONNRESET, as in Node.";
}

TEST(GoingAway, InTheMiddleOfARecord) {
  RULE("TLSERR-6");
  World world;
  world.serve();
  Client client(world);
  client.silent = true;
  client.wire.send(std::string("\x16\x03\x01\x01\x00\x01\x00", 7));
  world.settle();

  client.wire.reset();
  world.until("a failure", [&] { return !world.failed.empty(); });
  world.settle();

  EXPECT_TRUE(world.saw({"connection", "failed ECONNRESET"}))
      << "RST in the middle of its first message: once.";
}

TEST(GoingAway, WhileTheCallbackIsAsked) {
  RULE("TLSSNI-5");
  World world;
  std::vector<tls::SniAnswer> answers;
  tls::ServerOptions options = with("server");
  options.sni_callback = [&](const std::string&, tls::SniAnswer answer) {
    answers.push_back(answer);
    world.add("asked");
  };
  world.serve(options);
  Client one(world, {.servername = "one.test"});
  world.until("sni_callback", [&] { return answers.size() == 1; });
  one.wire.finish();
  world.until("a failure", [&] { return world.failed.size() == 1; });

  Client two(world, {.servername = "two.test"});
  world.until("sni_callback", [&] { return answers.size() == 2; });
  two.wire.reset();
  world.until("a failure", [&] { return world.failed.size() == 2; });
  for (const auto& answer : answers) answer(nullptr, nullptr);
  world.settle();

  EXPECT_TRUE(world.saw({"connection", "asked", "failed ECONNRESET",
                         "connection", "asked", "failed ECONNRESET"}))
      << "sni_callback has not answered yet. FIN of the first client and RST "
         "of the second are noticed all the same, as in Node; and then the "
         "answers are for nobody.";
}

TEST(GoingAway, BecauseTheServerWantsIt) {
  RULE("TLSERR-6");
  World world;
  world.serve();
  SocketPtr raw;
  world.server->on_connection([&](SocketPtr& it) { raw = it; });
  Client client(world);
  client.silent = true;
  world.settle();

  raw->destroy();
  world.settle();

  EXPECT_TRUE(world.saw({"connection", "failed ECONNRESET"}))
      << "Whoever destroys the raw socket destroys what is made of it.";
}

TEST(Timeout, IsToldOnce) {
  RULE("TLSERR-7");
  World world;
  tls::ServerOptions options = with("server");
  options.handshake_timeout = 5s;
  world.serve(options);
  Client client(world);
  client.silent = true;
  world.settle();

  world.pass(4999ms);
  world.add("one millisecond more");
  world.pass(1ms);
  world.pass(60s);

  EXPECT_TRUE(world.saw({"connection", "one millisecond more",
                         "failed ERR_TLS_HANDSHAKE_TIMEOUT"}))
      << "handshake_timeout begins with the connection.";
  EXPECT_IS(world.failed.at(0)->destroyed(), false)
      << "As in Node: it is the listener's to destroy.";
  world.failed.at(0)->destroy();
  world.until("the client's end", [&] {
    client.silent = false;
    return client.ended;
  });
  EXPECT_IS(world.events.size(), std::size_t{3}) << "And that is no error.";
}

TEST(Timeout, IsNotTheEndIfTheListenerKeepsIt) {
  RULE("TLSERR-7");
  World world;
  world.serve();
  Client client(world);
  client.silent = true;
  world.settle();
  world.pass(120s);
  if (!world.failed.empty())
    world.failed[0]->on_secure_connect([&] { world.add("its own secure"); });

  client.silent = false;
  world.shake_hands(client);

  EXPECT_TRUE(world.saw({"connection", "failed ERR_TLS_HANDSHAKE_TIMEOUT",
                         "its own secure", "secure"}))
      << "The client is late, and the listener of on_tls_client_error has not "
         "destroyed it. Its socket is told first, then the server.";
}

TEST(Timeout, ClosesWhatNobodyHearsOf) {
  RULE("TLSERR-7");
  World world;
  serve_unheard(world, with("server"));
  Client client(world);
  client.silent = true;
  world.settle();

  world.pass(120s);
  client.silent = false;
  world.until("the client's end", [&] { return client.ended; });

  EXPECT_IS(connections(world), 0)
      << "Without a listener of on_tls_client_error nobody else would.";
}

TEST(Timeout, IsOverWhenItIsSecure) {
  RULE("TLSERR-7");
  World world;
  world.serve();
  Client client(world);
  world.shake_hands(client);

  world.pass(10min);

  EXPECT_TRUE(world.saw({"connection", "secure"}))
      << "It is about the handshake, not about silence.";
  EXPECT_IS(client.ended, false) << "The connection stays.";
}

TEST(Many, TheOldestGivesWay) {
  RULE("MANY-1");
  World world;
  tls::ServerOptions options = with("server");
  options.max_handshakes = 2;
  world.serve(options);
  Client one(world), two(world), three(world);
  for (Client* it : {&one, &two, &three}) it->silent = true;

  world.until("a failure", [&] { return world.failed.size() == 1; });
  world.settle();
  two.silent = three.silent = false;
  world.shake_hands(two);
  world.shake_hands(three);
  Client four(world);
  world.shake_hands(four);

  EXPECT_TRUE(world.saw({"connection", "connection", "connection",
                         "failed ERR_TLS_TOO_MANY_HANDSHAKES", "secure",
                         "secure", "connection", "secure"}))
      << "Two may be under way. The third one takes the place of the first. "
         "Those who are secure need no place.";
}

TEST(Many, WhoNeverFinishKeepNobodyOut) {
  RULE("MANY-1");
  World world;
  tls::ServerOptions options = with("server");
  options.max_handshakes = 10;
  world.serve(options);
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 60; ++i) {
    idle.push_back(std::make_unique<Client>(world));
    idle.back()->silent = true;
    world.loop.run_once(10ms);
  }

  Client good(world);
  world.shake_hands(good);

  EXPECT_IS(world.accepted.size(), std::size_t{1})
      << "Sixty clients have connected and say nothing; one does.";
  EXPECT_IS(connections(world), 10)
      << "The good one, and nine of them: it has taken a place, for a moment.";
}
