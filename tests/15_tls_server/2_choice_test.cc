// Part 2: which certificate, which protocol.
#include "tests/15_tls_server/support.h"

using namespace graded;

namespace {

// The server's own certificate is that of "server"; by name there is "sni".
tls::ServerOptions asked_by(tls::SniCallback callback) {
  tls::ServerOptions options = with("server");
  options.sni_callback = std::move(callback);
  return options;
}

// Which certificate clients are shown who ask for these names: "NAME: whose".
Lines shown_to_all(World& world, const Lines& names) {
  Lines shown;
  for (const std::string& name : names)
    shown.push_back(name + ": " + shown_to(world, name));
  return shown;
}

// For SSL_set_msg_callback(3): whoever has sent its first hello wants somebody
// else.
void change_name(int is_sent, int, int kind, const void*, std::size_t, SSL* ssl,
                 void*) {
  if (is_sent && kind == SSL3_RT_HANDSHAKE)
    SSL_set_tlsext_host_name(ssl, "two.test");
}

// The first message of a client that asks for any.test, with another byte `at`
// so many bytes from where the name begins.
std::string hello_with(Client& client, int at, char byte) {
  SSL_do_handshake(client.ssl());
  ERR_clear_error();
  char* bytes = nullptr;
  long size = BIO_get_mem_data(SSL_get_wbio(client.ssl()), &bytes);
  std::string hello(bytes, static_cast<std::size_t>(size));
  hello.at(hello.find("any.test") + static_cast<std::size_t>(at)) = byte;
  return hello;
}

// What a server of {"h2", "http/1.1"} agrees on with a client of `offered`:
// "server's end, client's end", or how it failed.
std::string agreed(World& world, const std::vector<std::string>& offered,
                   const std::string& servername = "") {
  Client client(world, {.servername = servername, .alpn = offered});
  std::size_t before = world.accepted.size();
  world.shake_hands(client);
  if (world.accepted.size() == before) return client.failure();
  return world.accepted.back()->alpn_protocol() + ", " + client.alpn();
}

}  // namespace

TEST(Servername, IsWhatTheClientHasSaid) {
  RULE("TLSSNI-1");
  World world;
  world.serve();
  world.server->add_context("sni.example", context_of("sni"));
  for (const char* name : {"sni.example", "other.test", ""})
    shown_to(world, name);

  Lines names;
  for (const TlsSocketPtr& it : world.accepted)
    names.push_back(it->servername());

  EXPECT_IS(names, (Lines{"sni.example", "other.test", ""}))
      << "servername(): whether or not there is a context for it.";
}

TEST(Name, OfASecondHello) {
  RULE("TLSSNI-1");
  World world;
  tls::ServerOptions options;
  options.secure_context = tls::create_secure_context(context_of("server"));
  SSL_CTX_set1_groups_list(options.secure_context->get(), "P-256");
  world.serve(options);
  Client same(world, {.servername = "one.test"});
  world.shake_hands(same);

  Client changed(world, {.servername = "one.test"});
  SSL_set_msg_callback(changed.ssl(), change_name);
  world.shake_hands(changed);

  EXPECT_IS(same.failure(), "")
      << "The client's key is of another group than the server wants: so it "
         "sends a second hello (RFC 8446, section 4.1.4).";
  std::string refused = changed.failure();
  refused.erase(0, refused.find("illegal"));  // versions put it differently
  EXPECT_IS(refused, "illegal parameter")
      << "This one asks for two.test in its second hello, after the server has "
         "taken it for somebody who wants one.test. That is not allowed "
         "(section 4.1.2), and OpenSSL does not look.";
}

TEST(Context, IsChosenByName) {
  RULE("TLSSNI-3");
  World world;
  world.serve();
  world.server->add_context("sni.example", context_of("sni"));

  Lines shown = shown_to_all(world, {"sni.example", "Sni.EXAMPLE", "other.test",
                                     "sni.example.org", ""});

  EXPECT_IS(shown, (Lines{"sni.example: sni.example",
                          "Sni.EXAMPLE: sni.example", "other.test: localhost",
                          "sni.example.org: localhost", ": localhost"}))
      << "The certificate for a name that was added, in any case of letters; "
         "for others and for none the server's own.";
}

TEST(Context, AStarIsOneLabel) {
  RULE("TLSSNI-3");
  World world;
  world.serve();
  world.server->add_context("*.wild.example", context_of("sni"));

  Lines shown = shown_to_all(
      world, {"a.wild.example", "a.b.wild.example", "wild.example",
              "a.wildXexample", "a.wild.example.org", ".wild.example"});

  EXPECT_IS(
      shown,
      (Lines{"a.wild.example: sni.example", "a.b.wild.example: localhost",
             "wild.example: localhost", "a.wildXexample: localhost",
             "a.wild.example.org: localhost", ".wild.example: localhost"}))
      << "*.wild.example is for a.wild.example, and for no name with more or "
         "fewer labels, or with an empty one.";
}

TEST(Context, TheLastOneCounts) {
  RULE("TLSSNI-3");
  World world;
  world.serve();
  world.server->add_context("*.test", context_of("names"));
  world.server->add_context("one.test", context_of("sni"));
  std::string first = shown_to(world, "one.test");
  world.server->add_context("*.test", context_of("cn"));

  EXPECT_IS((Lines{first, shown_to(world, "one.test")}),
            (Lines{"sni.example", "cn.test"}))
      << "Of those that fit, the one that was added last; also while it "
         "listens.";
}

TEST(Callback, MayAnswerLater) {
  RULE("TLSSNI-5");
  World world;
  tls::SniAnswer waits;
  world.serve(asked_by([&](const std::string& name, tls::SniAnswer answer) {
    world.add("asked " + name);
    waits = answer;
  }));
  Client client(world, {.servername = "any.test"});
  world.until("asked any.test");
  world.settle();

  world.add("answered");
  if (waits) waits(nullptr, tls::create_secure_context(context_of("sni")));
  world.shake_hands(client);

  EXPECT_TRUE(world.saw({"connection", "asked any.test", "answered", "secure"}))
      << "The handshake waits for the answer; it is asked once.";
  EXPECT_IS(client.certificate(), "sni.example") << "And this is the answer.";
}

TEST(Callback, IsNotAskedForWhatIsNoName) {
  RULE("TLSSNI-5");
  World world;
  Lines asked;
  world.serve(asked_by([&](const std::string& name, tls::SniAnswer answer) {
    asked.push_back(name);
    answer(nullptr, nullptr);
  }));
  std::vector<std::unique_ptr<Client>> clients;
  auto say = [&](int at, char byte) {
    clients.push_back(std::make_unique<Client>(
        world, TlsEnd::Options{.servername = "any.test"}));
    clients.back()->silent = true;
    clients.back()->wire.send(hello_with(*clients.back(), at, byte));
    world.until("a failure",
                [&] { return world.failed.size() == clients.size(); });
  };

  say(3, '\0');
  say(-1, 7);
  say(-1, 9);
  say(-3, 1);
  say(-4, 12);

  EXPECT_IS(asked, Lines{})
      << "A zero in the name; a name of 7 bytes, and one byte more; one of 9, "
         "and only 8 come; something else than the name of a host; a list that "
         "is longer than what it is in. Nobody need be asked: OpenSSL "
         "refuses them.";
}

TEST(Callback, MayAnswerNothing) {
  RULE("TLSSNI-5");
  World world;
  int asked = 0;
  world.serve(asked_by([&](const std::string&, tls::SniAnswer answer) {
    ++asked;
    answer(nullptr, nullptr);
  }));

  EXPECT_IS((Lines{shown_to(world, "any.test"), shown_to(world, "")}),
            (Lines{"localhost", "localhost"}))
      << "No context: the server's own.";
  EXPECT_IS(asked, 1) << "Who asks for no name is not asked about.";
}

TEST(Callback, MayAnswerWhenTheClientIsGone) {
  RULE("TLSSNI-5");
  World world;
  tls::SniAnswer waits;
  world.serve(asked_by(
      [&](const std::string&, tls::SniAnswer answer) { waits = answer; }));
  auto context = tls::create_secure_context(context_of("sni"));
  {
    Client client(world, {.servername = "any.test"});
    world.until("sni_callback", [&] { return waits != nullptr; });
  }
  world.failed.clear();
  // That the server sees FIN while it waits is TLSERR-6.
  world.server->on_tls_client_error.clear();
  world.pass(120s);

  if (waits) waits(nullptr, context);
  if (waits) waits(nullptr, context);
  world.server->close();
  world.until("close");

  EXPECT_IS(world.accepted.size(), std::size_t{0})
      << "An answer that comes too late is for nobody.";
}

TEST(Callback, AnswersOnce) {
  RULE("TLSSNI-5");
  World world;
  auto context = tls::create_secure_context(context_of("sni"));
  world.serve(asked_by([&](const std::string&, tls::SniAnswer answer) {
    answer(nullptr, context);
    Error error("E_LATE", "no");
    answer(&error, nullptr);
    answer(nullptr, nullptr);
  }));

  EXPECT_IS(shown_to(world, "any.test"), "sni.example")
      << "The first answer counts.";
  EXPECT_TRUE(world.saw({"connection", "secure"})) << "The others do not.";
}

TEST(Callback, MayRefuse) {
  RULE("TLSSNI-6");
  World world;
  world.serve(asked_by([&](const std::string&, tls::SniAnswer answer) {
    Error error("E_NOT_HERE", "no such site");
    answer(&error, nullptr);
    answer(&error, nullptr);
    world.add("answered");
  }));
  Client client(world, {.servername = "any.test"});

  world.until("the client's end", [&] { return client.ended; });

  EXPECT_TRUE(world.saw({"connection", "answered", "failed E_NOT_HERE"}))
      << "The callback's error is the error of the handshake; it is told once, "
         "and not inside the call of answer().";
}

TEST(Alpn, TheServersOrderDecides) {
  RULE("TLSALPN-3");
  World world;
  tls::ServerOptions options = with("server");
  options.alpn_protocols = {"h2", "http/1.1"};
  world.serve(options);
  world.server->add_context("sni.example", context_of("sni"));

  EXPECT_IS((Lines{agreed(world, {"http/1.1", "h2"}),
                   agreed(world, {"x", "http/1.1"}), agreed(world, {}),
                   agreed(world, {"http/1.1", "h2"}, "sni.example")}),
            (Lines{"h2, h2", "http/1.1, http/1.1", ", ", "h2, h2"}))
      << "The first of the server's that the client has; nothing, if the "
         "client offers nothing; and the same for every certificate.";
}

TEST(Alpn, AServerWithoutAListAgreesOnNothing) {
  RULE("TLSALPN-3");
  World world;
  world.serve();

  EXPECT_IS(agreed(world, {"h2"}), ", ")
      << "The client offers h2, the server has no list: it goes on without.";
}

TEST(Alpn, NoneInCommonIsAnError) {
  RULE("TLSALPN-4");
  World world;
  tls::ServerOptions options = with("server");
  options.alpn_protocols = {"h2", "http/1.1"};
  world.serve(options);

  EXPECT_IS(agreed(world, {"smtp"}), "tlsv1 alert no application protocol")
      << "One would speak smtp, and the other h2.";
  EXPECT_TRUE(
      world.saw({"connection", "failed ERR_SSL_NO_APPLICATION_PROTOCOL"}))
      << "The server says so, too.";
}
