// Part 5: contexts that come and go, and the end of it all.
#include "tests/15_tls_server/support.h"

using namespace graded;

TEST(Reload, IsForThoseWhoComeFromNowOn) {
  RULE("RELOAD-1");
  World world;
  world.then = [](TlsSocketPtr socket) {
    socket->on_data([socket](std::string_view b) { socket->write(b); });
  };
  world.serve();
  Client before(world);
  world.shake_hands(before);

  world.server->set_secure_context(context_of("sni"));
  std::string later = shown_to(world, "");
  before.send("still here?");
  world.settle();

  EXPECT_IS((Lines{before.certificate(), later}),
            (Lines{"localhost", "sni.example"}))
      << "A new certificate without a restart.";
  EXPECT_IS(before.received(), "still here?")
      << "Who was there before keeps the old context, and is served.";
}

TEST(Reload, IsNotForThoseWhoAreConnected) {
  RULE("RELOAD-1");
  World world;
  world.serve();
  Client client(world);
  client.silent = true;
  world.until("connection");
  world.settle();

  world.server->set_secure_context(context_of("sni"));
  client.silent = false;
  world.shake_hands(client);

  EXPECT_IS(client.certificate(), "localhost")
      << "The client is connected and has not said a word; then the server "
         "gets another certificate. It is not for this client.";
}

TEST(Reload, InTheMiddleOfAHandshake) {
  RULE("RELOAD-1");
  World world;
  tls::ServerOptions options = with("server");
  tls::SniAnswer waits;
  options.sni_callback = [&](const std::string&, tls::SniAnswer answer) {
    waits = answer;
  };
  world.serve(options);
  Client client(world, {.servername = "any.test"});
  world.until("sni_callback", [&] { return waits != nullptr; });

  world.server->set_secure_context(context_of("sni"));
  if (waits) waits(nullptr, nullptr);
  world.shake_hands(client);

  EXPECT_TRUE(world.saw({"connection", "secure"}))
      << "The old context is gone from the server while a client is in its "
         "handshake.";
  EXPECT_IS(client.certificate(), "localhost")
      << "No context: the server's own, as it was when the client came.";
}

TEST(Context, IsSharedWithSocketsWithoutAServer) {
  RULE("SHARE-1");
  World world;
  tls::ServerOptions options;
  options.secure_context = tls::create_secure_context(context_of("server"));
  world.serve(options);
  Client through(world);
  world.shake_hands(through);
  auto plain = net::create_server(world.loop, {}, [&](SocketPtr raw) {
    tls::AcceptOptions with;
    with.secure_context = options.secure_context;
    auto socket = tls::accept(world.loop, raw, with);
    socket->on_error([&](const Error& e) { world.add("error " + e.code); });
    socket->on_secure_connect([&] { world.add("accepted"); });
    world.accepted.push_back(socket);
  });
  plain->listen(0, "127.0.0.1");
  world.until("listening()", [&] { return plain->listening(); });

  Client direct(world, {}, plain->address()->port);
  world.until("accepted");

  EXPECT_IS(direct.failure(), "")
      << "The same secure_context for a server and for tls::accept().";
}

TEST(Options, ThatCannotBeUsedThrow) {
  RULE("TLSCFG-1");
  World world;
  tls::ServerOptions mixed = with("server");
  mixed.key = credential("sni-key.pem");
  tls::ServerOptions protocols = with("server");
  protocols.alpn_protocols = {""};

  Lines codes;
  for (const auto& options : {mixed, protocols, with("server")})
    codes.push_back(code_of(world, options));

  EXPECT_IS(codes, (Lines{"ERR_OSSL_X509_KEY_VALUES_MISMATCH",
                          "ERR_INVALID_ARG_VALUE", "nothing was thrown"}))
      << "Somebody else's key, a protocol without a name: create_server() says "
         "so, not the first client.";
}

TEST(Ownership, EndsWithTheLoop) {
  RULE("OWN-1");
  std::weak_ptr<tls::Server> seen;
  std::weak_ptr<TlsSocket> secure, unfinished;
  {
    World world;
    world.serve();
    Client client(world), silent(world);
    silent.silent = true;
    world.shake_hands(client);
    seen = world.server;
    secure = world.accepted.at(0);
    world.server.reset();
    world.accepted.clear();
    EXPECT_IS(seen.expired() || secure.expired(), false)
        << "The loop keeps a server that listens, and its clients.";
  }

  EXPECT_IS((Lines{yes_no(seen.expired()), yes_no(secure.expired())}),
            (Lines{"yes", "yes"}))
      << "When the loop is destroyed, both go.";
}

TEST(Ownership, EndsWithTheLastClient) {
  RULE("OWN-1");
  World world;
  DescriptorCheck check;
  world.serve();
  {
    Client client(world), silent(world);
    silent.silent = true;
    world.shake_hands(client);
    world.accepted.clear();
  }
  world.server->close();
  world.until("close");
  world.failed.clear();
  world.settle();
  std::weak_ptr<tls::Server> seen = world.server;
  world.server.reset();
  world.settle();

  EXPECT_IS(seen.expired(), true)
      << "It is closed and has no clients: nobody needs it.";
  EXPECT_IS(check.left_open(), Lines{}) << "All its descriptors are closed.";
}
