// Part 4: clients that come again.
#include <algorithm>
#include <map>

#include "tests/15_tls_server/support.h"

using namespace graded;

namespace {

// Comes with `session`, whatever it is good for; waits for a new one.
struct Visit {
  Visit(World& world, const SessionPtr& session = {},
        TlsEnd::Options options = {})
      : client(world, std::move(options)) {
    client.resume(session);
    world.shake_hands(client);
    world.until("a session", [&] {
      return client.session() || !client.failure().empty() || client.reused();
    });
    world.settle();
  }
  std::string said() const {
    if (!client.failure().empty()) return client.failure();
    if (client.reused()) return "reused";
    return client.session() ? "full" : "full, and it got no session";
  }
  Client client;
};

// TLS 1.2, and no tickets: sessions are the server's to keep.
tls::ServerOptions with_store() {
  tls::ServerOptions options = with("server");
  options.max_version = "TLSv1.2";
  options.session_tickets = false;
  return options;
}

// A server that keeps them in `store`.
struct Store {
  explicit Store(World& world) {
    world.server->on_new_session([this, &world](std::string_view id,
                                                std::string_view session,
                                                std::function<void()> done) {
      world.add("new session");
      kept[std::string(id)] = session;
      done();
    });
    world.server->on_resume_session(
        [this, &world](std::string_view id,
                       std::function<void(std::string)> answer) {
          auto found = kept.find(std::string(id));
          world.add(found == kept.end() ? "asked, unknown" : "asked, known");
          answer(found == kept.end() ? "" : found->second);
        });
  }
  std::map<std::string, std::string> kept;
};

// A server that is asked to keep them, and has not answered yet.
struct Keeper {
  explicit Keeper(World& world) {
    world.server->on_new_session([this, &world](std::string_view,
                                                std::string_view,
                                                std::function<void()> done) {
      world.add("new session");
      waiting.push_back(done);
    });
  }
  void answer() {
    for (auto& done : waiting) done();
  }
  std::vector<std::function<void()>> waiting;
};

// Two servers in one loop, the second with `change`: how the second likes a
// session of the first. Both have the same keys for tickets.
std::string elsewhere(std::function<void(tls::ServerOptions&)> change,
                      TlsEnd::Options client = {}) {
  World first, second;
  tls::ServerOptions options = with("server");
  options.ticket_keys = std::string(48, 'k');
  first.serve(options);
  change(options);
  second.serve(options);
  Visit before(first, {}, client);
  return Visit(second, before.client.session(), client).said();
}

const TlsEnd::Options kClient{.credential = "client"};
// One that speaks TLS 1.3 sends an id in any case.
const TlsEnd::Options kOld{.configure = only_tls12};

std::string name_of(const SSL_SESSION* session) {
  const unsigned char* ticket = nullptr;
  std::size_t size = 0;
  SSL_SESSION_get0_ticket(session, &ticket, &size);
  return std::string(reinterpret_cast<const char*>(ticket),
                     std::min<std::size_t>(size, 16));
}

}  // namespace

TEST(Ticket, ResumesASession) {
  RULE("TLSSESS-1");
  World world;
  Lines said, told;
  world.then = [&](TlsSocketPtr socket) {
    told.push_back(socket->is_session_reused() ? "reused" : "full");
  };
  world.serve();
  for (auto configure : {std::function<void(SSL_CTX*)>(),
                         std::function<void(SSL_CTX*)>(only_tls12)}) {
    Visit first(world, {}, {.configure = configure});
    Visit second(world, first.client.session(), {.configure = configure});
    said.insert(said.end(), {first.said(), second.said()});
  }

  EXPECT_IS(said, (Lines{"full", "reused", "full", "reused"}))
      << "With TLS 1.3 and with TLS 1.2.";
  EXPECT_IS(told, said) << "is_session_reused() says so at the server's end.";
}

TEST(Ticket, ResumesWhoTheClientIs) {
  RULE("TLSSESS-1");
  World world;
  world.serve(asking());
  world.then = [&](TlsSocketPtr socket) {
    auto shown = socket->peer_certificate();
    world.add(yes_no(socket->authorized()) + " " +
              (shown ? shown->subject["CN"] : "nobody"));
  };

  Visit first(world, {}, kClient);
  Visit second(world, first.client.session(), kClient);

  EXPECT_IS(second.said(), "reused") << "A client with a certificate.";
  EXPECT_TRUE(world.saw({"connection", "secure", "yes oracle-client",
                         "connection", "secure", "yes oracle-client"}))
      << "It is authorized the second time, too.";
}

TEST(Ticket, ResumesTheName) {
  RULE("TLSSESS-1");
  World world;
  world.serve();
  Lines names;
  for (auto configure : {std::function<void(SSL_CTX*)>(),
                         std::function<void(SSL_CTX*)>(only_tls12)}) {
    TlsEnd::Options as{.servername = "one.test", .configure = configure};
    Visit first(world, {}, as);
    Visit second(world, first.client.session(), as);
    names.push_back(world.accepted.back()->servername() + ", " + second.said());
  }

  EXPECT_IS(names, Lines(2, "one.test, reused"))
      << "servername() is what the client has said, also when it resumes a "
         "session; with TLS 1.3 and with TLS 1.2.";
}

TEST(NewSession, IsStoredFirst) {
  RULE("TLSSESS-4");
  World world;
  world.serve(with_store());
  std::function<void()> waits;
  world.server->on_new_session([&](std::string_view id,
                                   std::string_view session,
                                   std::function<void()> done) {
    world.add("new session" + std::string(id.empty() ? " without id" : "") +
              (session.empty() ? " without content" : ""));
    waits = done;
  });
  Client client(world);
  world.until("new session");
  world.settle();
  bool early = client.is_secure();

  world.add("stored");
  if (waits) waits();
  if (waits) waits();
  world.shake_hands(client);

  EXPECT_TRUE(world.saw({"connection", "new session", "stored", "secure"}))
      << "on_secure_connection waits for done(): a client that comes back at "
         "once must be known. done() again does nothing.";
  EXPECT_IS(early, false) << "The client has not got its id before done().";
}

TEST(NewSession, EachIsStoredFirst) {
  RULE("TLSSESS-4");
  World world;
  tls::ServerOptions options = with("server");
  options.session_tickets = false;
  world.serve(options);
  Keeper keeper(world);
  auto& waiting = keeper.waiting;
  Client client(world);
  world.until("two sessions", [&] { return waiting.size() == 2; });

  world.add("the first is stored");
  for (int i = 0; i < 2 && !waiting.empty(); ++i) waiting[0]();
  world.settle();
  world.add("the second is stored");
  if (!waiting.empty()) waiting.back()();
  world.until("secure");

  EXPECT_TRUE(
      world.saw({"connection", "new session", "new session",
                 "the first is stored", "the second is stored", "secure"}))
      << "With TLS 1.3 a client gets two sessions. done() of the one, called "
         "twice, is no done() of the other.";
}

TEST(NewSession, MayBeStoredWhenTheClientIsGone) {
  RULE("TLSSESS-4");
  World world;
  world.serve(with_store());
  Keeper keeper(world);
  {
    Client client(world);
    world.until("new session");
  }
  world.pass(120s);
  for (const TlsSocketPtr& it : world.failed) it->destroy();
  world.failed.clear();
  world.settle();

  keeper.answer();
  world.server->close();
  world.until("close");

  EXPECT_IS(world.events.back(), "close") << "done() is for nobody then.";
}

TEST(NewSession, IsNotWaitedForByAClientThatHasGone) {
  RULE("TLSERR-6");
  World world;
  world.serve(with_store());
  Keeper keeper(world);
  Client client(world);
  world.until("new session");

  client.wire.finish();
  world.until("a failure", [&] { return !world.failed.empty(); });
  keeper.answer();
  world.settle();

  EXPECT_TRUE(world.saw({"connection", "new session", "failed ECONNRESET"}))
      << "on_new_session is not answered yet, and the client leaves: that is "
         "noticed at once.";
}

TEST(NewSession, MayBeStoredWhenTheClientHasSaidAll) {
  RULE("TLSSESS-4");
  World world;
  world.serve();
  world.then = [&](TlsSocketPtr socket) {
    socket->on_data(
        [&](std::string_view it) { world.add("data " + std::string(it)); });
    socket->on_end([&] { world.add("end"); });
  };
  Keeper keeper(world);
  Client client(world);
  world.until("two sessions", [&] { return keeper.waiting.size() == 2; });

  client.send("a question");
  SSL_shutdown(client.ssl());
  world.settle();
  client.wire.finish();
  world.settle();
  world.add("stored");
  keeper.answer();
  world.until("end");

  EXPECT_TRUE(world.saw({"connection", "new session", "new session", "stored",
                         "secure", "data a question", "end"}))
      << "With TLS 1.3 a client is done before its sessions are stored. It may "
         "ask, and send its end: it has not left, it waits for the answer.";
}

TEST(Resume, AsksTheStore) {
  RULE("TLSSESS-5");
  World world;
  world.serve(with_store());
  Store store(world);

  Visit first(world, {}, kOld);
  Visit second(world, first.client.session(), kOld);

  EXPECT_TRUE(world.saw({"connection", "new session", "secure", "connection",
                         "asked, known", "secure"}))
      << "Who comes with the id of a session is looked for in the store. A "
         "session that was resumed is no new one.";
  EXPECT_IS((Lines{first.said(), second.said()}), (Lines{"full", "reused"}))
      << "And goes on with it.";
}

TEST(Resume, OfWhatIsNotThereIsAFullHandshake) {
  RULE("TLSSESS-5");
  World world;
  world.serve(with_store());
  Store store(world);
  Visit first(world, {}, kOld);
  SessionPtr session = first.client.session();

  store.kept.clear();
  Visit forgotten(world, session, kOld);
  for (auto& [id, bytes] : store.kept) bytes = "no session at all";
  Visit damaged(world, forgotten.client.session(), kOld);

  EXPECT_IS((Lines{forgotten.said(), damaged.said()}), (Lines{"full", "full"}))
      << "Neither an empty answer nor one that cannot be read is an error.";
}

TEST(Resume, LeavesNoErrorBehind) {
  RULE("TLSSESS-5");
  World world;
  // OpenSSL clears its errors when it looks for the chain of a certificate;
  // here it need not.
  tls::ServerOptions options = with_store();
  options.cert = credential("chained-chain.pem");
  options.key = credential("chained-key.pem");
  world.serve(options);
  Store store(world);
  Visit first(world, {}, kOld);

  for (auto& [id, bytes] : store.kept) bytes = "no session at all";
  Visit damaged(world, first.client.session(), kOld);

  EXPECT_IS(damaged.said(), "full")
      << "What the store has cannot be read. OpenSSL's queue has an error "
         "then, which the next call takes for its own.";
}

TEST(Resume, MayAnswerLaterAndOnce) {
  RULE("TLSSESS-5");
  World world;
  world.serve(with_store());
  std::string kept;
  std::function<void(std::string)> waits;
  world.server->on_new_session([&](std::string_view, std::string_view session,
                                   std::function<void()> done) {
    kept = session;
    done();
  });
  world.server->on_resume_session(
      [&](std::string_view, std::function<void(std::string)> answer) {
        world.add("asked");
        waits = answer;
      });
  Visit first(world, {}, kOld);
  Client second(world, kOld);
  second.resume(first.client.session());
  world.until("asked");
  world.settle();

  world.add("answered");
  if (waits) waits(kept);
  if (waits) waits("");
  world.shake_hands(second);

  EXPECT_TRUE(world.saw(
      {"connection", "secure", "connection", "asked", "answered", "secure"}))
      << "The handshake waits for the answer.";
  EXPECT_IS(second.reused(), true) << "The first answer counts.";
}

TEST(Resume, IsNotWaitedForByAClientThatHasGone) {
  RULE("TLSSESS-5");
  World world;
  world.serve(with_store());
  Visit first(world, {}, kOld);
  std::function<void(std::string)> waits;
  world.server->on_resume_session(
      [&](std::string_view, std::function<void(std::string)> answer) {
        world.add("asked");
        waits = answer;
      });
  Client second(world, kOld);
  second.resume(first.client.session());
  world.until("asked");

  second.wire.finish();
  world.until("a failure", [&] { return !world.failed.empty(); });
  if (waits) waits("");
  world.settle();

  EXPECT_TRUE(world.saw(
      {"connection", "secure", "connection", "asked", "failed ECONNRESET"}))
      << "on_resume_session has not answered yet, and the client leaves: that "
         "is noticed at once, and the answer is for nobody.";
}

TEST(Ticket, NeedsNoStore) {
  RULE("TLSSESS-1");
  World world;
  world.serve();
  Store store(world);
  Visit old(world, {}, kOld), fresh(world);
  world.events.clear();

  Visit old_again(world, old.client.session(), kOld);
  Visit fresh_again(world, fresh.client.session());

  EXPECT_TRUE(world.saw({"connection", "secure", "connection", "secure"}))
      << "A ticket is all that the server needs, with TLS 1.2 and 1.3.";
  EXPECT_IS((Lines{old_again.said(), fresh_again.said()}),
            (Lines{"reused", "reused"}))
      << "It is resumed without a store.";
}

TEST(Scope, IsThatOfTheIdContext) {
  RULE("TLSSESS-7");
  EXPECT_IS((Lines{elsewhere([](auto&) {}),
                   elsewhere([](auto& it) { it.session_id_context = "b"; })}),
            (Lines{"reused", "full"}))
      << "Two servers have the same keys for tickets. A session of the one is "
         "good at the other, unless its session_id_context is different; then "
         "there is a full handshake, and no error.";
}

TEST(Scope, IsOneName) {
  RULE("SCOPE-1");
  World world;
  world.serve();
  world.server->add_context("*.wild.example", context_of("sni"));
  Lines said;
  for (auto configure : {std::function<void(SSL_CTX*)>(),
                         std::function<void(SSL_CTX*)>(only_tls12)}) {
    TlsEnd::Options as{.servername = "a.wild.example", .configure = configure};
    Visit first(world, {}, as);
    for (const char* name : {"a.wild.example", "b.wild.example", "x.test"}) {
      as.servername = name;
      said.push_back(Visit(world, first.client.session(), as).said());
    }
  }

  EXPECT_IS(said, (Lines{"reused", "full", "full", "reused", "full", "full"}))
      << "A session for a.wild.example is no key to the other sites of this "
         "server, with TLS 1.3 and with 1.2.";
}

TEST(Scope, IsOneCertificateOfTheServer) {
  RULE("SCOPE-1");
  EXPECT_IS(elsewhere([](tls::ServerOptions& it) {
              it.cert = credential("sni-cert.pem");
              it.key = credential("sni-key.pem");
            }),
            "full")
      << "The other server has another certificate. Who has not seen it has "
         "not verified it.";
}

TEST(Scope, IsOneTrust) {
  RULE("SCOPE-1");
  World first, second, third;
  tls::ServerOptions options = asking();
  options.ticket_keys = std::string(48, 'k');
  first.serve(options);
  options.crl = credential("ca-crl.pem");
  second.serve(options);
  options = with("server");
  options.ticket_keys = std::string(48, 'k');
  third.serve(options);
  const TlsEnd::Options revoked{.credential = "revoked"};

  Visit before(first, {}, revoked);
  Visit stranger(third);
  std::string again = Visit(first, before.client.session(), revoked).said();
  Visit later(second, before.client.session(), revoked);
  Visit nobody(first, stranger.client.session());

  EXPECT_IS(again, "reused") << "At first nobody knows that it is revoked.";
  EXPECT_IS(second.accepted.size(), std::size_t{0})
      << "A server that knows it looks at the certificate again: a session "
         "from before is no way around it.";
  EXPECT_IS(first.accepted.size(), std::size_t{2})
      << "A session of a server that does not ask for certificates is no way "
         "into one that does.";
}

TEST(TicketKeys, AreSharedByServers) {
  RULE("KEYS-1");
  World first, second;
  first.serve();
  second.serve();
  Visit before(first);

  std::string stranger = Visit(second, before.client.session()).said();
  second.server->set_ticket_keys(first.server->ticket_keys());
  std::string known = Visit(second, before.client.session()).said();

  EXPECT_IS((Lines{stranger, known}), (Lines{"full", "reused"}))
      << "Each server has keys of its own, until it gets another's.";
  EXPECT_IS(first.server->ticket_keys().size(), std::size_t{48})
      << "One key has 48 bytes.";
}

TEST(TicketKeys, CanBeChanged) {
  RULE("KEYS-1");
  World world;
  world.serve(with("server"));
  const std::string old(48, 'o'), fresh(48, 'n');
  world.server->set_ticket_keys(old);
  Visit first(world);

  world.server->set_ticket_keys(fresh + old);
  Visit second(world, first.client.session());
  world.settle();
  std::string name = second.client.session()
                         ? name_of(second.client.session().get())
                         : "no ticket";
  world.server->set_ticket_keys(fresh);
  Visit third(world, first.client.session());

  EXPECT_IS((Lines{second.said(), third.said()}), (Lines{"reused", "full"}))
      << "With old keys behind the new one their tickets are good still; when "
         "the old ones are gone, they are not.";
  EXPECT_IS(name, std::string(16, 'n'))
      << "Whoever comes with an old ticket gets a new one.";
}

TEST(TicketKeys, Have48BytesEach) {
  RULE("KEYS-1");
  World world;
  world.serve();
  const std::string before = world.server->ticket_keys();
  tls::ServerOptions options = with("server");
  options.ticket_keys = "too short";
  EXPECT_IS(code_of(world, options), "ERR_INVALID_ARG_VALUE")
      << "create_server() says so, not the first client.";
  Lines codes;
  for (std::size_t size : {0u, 47u, 49u}) {
    try {
      world.server->set_ticket_keys(std::string(size, 'k'));
      codes.push_back("nothing was thrown");
    } catch (const net::UsageError& error) {
      codes.push_back(error.code);
    }
  }

  EXPECT_IS(codes, Lines(3, "ERR_INVALID_ARG_VALUE"))
      << "None, 47 and 49 bytes are no keys.";
  EXPECT_IS(world.server->ticket_keys() == before, true)
      << "The server has kept those that it had.";
}
