#include <openssl/crypto.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <atomic>
#include <cstdlib>

#include "tests/13_blocking_tls/support.h"

using namespace graded;

namespace {

using Lines = std::vector<std::string>;

// What OpenSSL has allocated and not freed, as a number of pieces.
std::atomic<long> live_pieces{0};

void* counted_malloc(std::size_t size, const char*, int) {
  void* piece = std::malloc(size);
  if (piece) ++live_pieces;
  return piece;
}
void* counted_realloc(void* piece, std::size_t size, const char*, int) {
  void* moved = std::realloc(piece, size);
  if (!piece && moved) ++live_pieces;
  return moved;
}
void counted_free(void* piece, const char*, int) {
  if (piece) --live_pieces;
  std::free(piece);
}
// Before OpenSSL allocates anything.
const int counting =
    CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free);

// A record that nobody can have encrypted with the keys of this connection.
const std::string kGarbage =
    std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');

// Waits until the peer's reset is here, and takes its error away: what is left
// is a connection that is gone.
void wait_for_reset(int fd) {
  Unwatched ours;
  pollfd waited{fd, 0, 0};
  ::poll(&waited, 1, -1);
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
}

// What a server hears from a client that does `run`, and then reads to the end:
// to close with unread bytes, and be it the tickets of TLS 1.3, is a reset.
std::string heard_from(const std::function<void(tls::Connection&)>& run) {
  std::string heard = "no handshake";
  Opposite opposite(tls_server([&](TlsEnd& tls, Connection&) {
    heard = tls.hear();
    tls.close_notify();
  }));
  {
    auto connection = connect_to(opposite);
    run(connection);
    read_all(connection);
  }
  opposite.wait();
  return heard;
}

}  // namespace

TEST(Socket, APeerThatIsGoneIsNoSignal) {
  RULE("SIG-1");
  Opposite opposite(
      tls_server([](TlsEnd&, Connection& wire) { wire.reset(); }));
  int fd = opposite.take();
  auto connection = tls::Connection::connect(
      net::Fd(fd), tls::Context(trusting()), kLocalhost);
  wait_for_reset(fd);

  std::string code = code_of([&] { connection.write("hello"); });

  EXPECT_IS(code, "EPIPE")
      << "The peer has reset the connection. Without care this is SIGPIPE, "
         "which ends the program.";
}

TEST(Socket, ASignalInterruptsNothing) {
  RULE("SIG-1");
  Opposite opposite(tls_server([](TlsEnd& tls, Connection&) {
    tls.send(tls.receive(5));
    tls.close_notify();
  }));
  auto connection = connect_to(opposite);
  std::string echo;
  {
    Fault sending(Call::kSend, {fails(EINTR)});
    connection.write("hello");
  }
  {
    Fault receiving(Call::kReceive, {fails(EINTR)});
    echo = read_all(connection);
  }

  EXPECT_IS(echo, "hello")
      << "A call that was interrupted has done nothing, and is called again.";
}

TEST(Socket, ATimeoutIsAnError) {
  RULE("SIG-1");
  Opposite opposite(tls_server([](TlsEnd& tls, Connection&) { tls.hear(); }));
  int fd = opposite.take();
  auto connection = tls::Connection::connect(
      net::Fd(fd), tls::Context(trusting()), kLocalhost);
  timeval hour{3600, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &hour, sizeof hour);

  // The hour is over, as the kernel says it.
  Fault over(Call::kReceive, {fails(EAGAIN)});
  char buffer[16];
  std::string code = code_of([&] {
    // The tickets of TLS 1.3 may have come; they are no data.
    connection.read(buffer);
  });

  EXPECT_IS(code, "ETIMEDOUT") << "A blocking socket with SO_RCVTIMEO says "
                                  "EAGAIN when its time is over.";
}

TEST(Reading, EndsWithCloseNotify) {
  RULE("TLSEND-1");
  Opposite opposite(tls_server([](TlsEnd& tls, Connection&) {
    tls.send("one");
    tls.send("two");
    tls.close_notify();
  }));
  auto connection = connect_to(opposite);

  std::string all = read_all(connection);
  char buffer[16];
  std::size_t again = connection.read(buffer);

  EXPECT_IS((Lines{all, std::to_string(again)}), (Lines{"onetwo", "0"}))
      << "The peer has sent close_notify after its data: the end, also when "
         "one asks again.";
}

TEST(Reading, IsCutOffByAFin) {
  RULE("CUT-1");
  Opposite opposite(tls_server([](TlsEnd& tls, Connection& wire) {
    tls.send("hello");
    wire.finish();
    tls.hear();
  }));
  auto connection = connect_to(opposite);
  char buffer[16];

  std::string got(buffer, connection.read(buffer));
  std::string code = code_of([&] { connection.read(buffer); });

  EXPECT_IS((Lines{got, code}),
            (Lines{"hello", "ERR_SSL_UNEXPECTED_EOF_WHILE_READING"}))
      << "FIN came without close_notify. Anybody on the way can send a FIN; "
         "only the peer can send close_notify. What comes before it is kept.";
}

TEST(Reading, IsCutOffByAReset) {
  RULE("CUT-1");
  Opposite opposite(
      tls_server([](TlsEnd&, Connection& wire) { wire.reset(); }));
  auto connection = connect_to(opposite);
  char buffer[16];

  std::string code = code_of([&] { connection.read(buffer); });

  EXPECT_IS(code, "ECONNRESET") << "The peer has reset the connection.";
}

TEST(Data, AllOfItArrives) {
  RULE("DATA-1");
  std::string data = random_bytes(1 << 20);

  std::string heard = heard_from([&](tls::Connection& connection) {
    connection.write("");
    connection.write(data);
    connection.shutdown();
  });

  EXPECT_IS(heard == data + ", then close_notify", true)
      << "1 MiB was written, and " << heard.size()
      << " bytes were heard (with \", then close_notify\", 19 of them). A "
         "record holds 16 KiB at most.";
}

TEST(Data, AllOfItComes) {
  RULE("DATA-1");
  std::string data = random_bytes(1 << 20);
  Opposite opposite(tls_client([&](TlsEnd& tls, Connection&) {
    tls.send(data);
    tls.close_notify();
  }));
  auto connection = accept_from(opposite);

  std::string got = read_all(connection);

  EXPECT_IS(got == data, true)
      << "1 MiB was sent, " << got.size() << " bytes were read.";
}

TEST(Data, ShortSendsAreGoneOnWith) {
  RULE("DATA-1");
  std::string data = random_text(1000);

  std::string heard = heard_from([&](tls::Connection& connection) {
    Fault slow(Call::kSend, {at_most(1), at_most(10), at_most(100)});
    connection.write(data);
    connection.shutdown();
  });

  EXPECT_IS(heard, data + ", then close_notify")
      << "The kernel takes 1, 10 and 100 bytes of the record, and then the "
         "rest.";
}

TEST(Data, IsNotDisturbedByWhatTlsSaysToItself) {
  RULE("DATA-1");
  // On TLS 1.3 two tickets come before the data, and a new key in between.
  Opposite opposite(tls_server([](TlsEnd& tls, Connection&) {
    tls.send("one ");
    SSL_key_update(tls.ssl(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(tls.ssl());
    tls.send("two");
    tls.close_notify();
    tls.hear();
  }));
  auto connection = connect_to(opposite);

  std::string got, code;
  code = code_of([&] { got = read_all(connection); });

  EXPECT_IS((Lines{got, code}), (Lines{"one two", kNothing}))
      << "Tickets and a key update are records without data: neither an end "
         "nor an error.";
}

TEST(Ending, IsToldToThePeer) {
  RULE("BYE-1");
  std::string heard = heard_from([](tls::Connection& connection) {
    connection.write("hello");
    connection.shutdown();
  });

  EXPECT_IS(heard, "hello, then close_notify")
      << "shutdown() says that no more will come.";
}

TEST(Ending, IsNotToldByAnAccident) {
  RULE("BYE-1");
  std::string heard = "no handshake";
  Opposite opposite(
      tls_server([&](TlsEnd& tls, Connection&) { heard = tls.hear(); }));
  {
    auto connection = connect_to(opposite);
    connection.write("hello");
    // As if an exception ended it here.
  }
  opposite.wait();

  EXPECT_IS(heard == "hello, then close_notify", false)
      << "The peer heard \"" << heard << "\". A connection that goes without "
      << "shutdown() may have lacked something.";
}

TEST(Ending, LeavesTheOtherDirectionOpen) {
  RULE("BYE-1");
  Opposite opposite(tls_server([](TlsEnd& tls, Connection&) {
    tls.hear();
    tls.send("late answer");
    tls.close_notify();
  }));
  auto connection = connect_to(opposite);

  connection.shutdown();
  std::string answer = read_all(connection);

  EXPECT_IS(answer, "late answer")
      << "The peer answers after it has heard our end.";
}

TEST(Ending, HappensOnce) {
  RULE("BYE-2");
  Opposite opposite(tls_server([](TlsEnd& tls, Connection&) { tls.hear(); }));
  auto connection = connect_to(opposite);
  connection.shutdown();
  std::size_t before = count_calls(Call::kSend);

  std::string code = code_of([&] { connection.shutdown(); });

  EXPECT_IS(code, kNothing);
  EXPECT_IS(count_calls(Call::kSend) - before, std::size_t{0})
      << "The second shutdown() has nothing to say.";
}

TEST(Ending, DoesNotFollowAnError) {
  RULE("BYE-2");
  Opposite opposite(tls_server([](TlsEnd& tls, Connection& wire) {
    wire.send(kGarbage);
    tls.hear();
  }));
  auto connection = connect_to(opposite);
  char buffer[16];
  std::string first = code_of([&] { connection.read(buffer); });
  ASSERT_IS(first == kNothing, false)
      << "The peer has sent a record that does not decrypt.";
  std::size_t before = count_calls(Call::kSend);

  std::string code = code_of([&] { connection.shutdown(); });

  EXPECT_IS((Lines{code, std::to_string(count_calls(Call::kSend) - before),
                   std::to_string(ERR_peek_error())}),
            (Lines{kNothing, "0", "0"}))
      << "After a fatal error OpenSSL has sent an alert, and the connection is "
         "over. SSL_shutdown() must not be called: what it would throw, send, "
         "and leave in the error queue.";
}

TEST(Owning, ADescriptorIsClosedOnce) {
  RULE("OWN-1");
  Opposite opposite(tls_server([](TlsEnd& tls, Connection&) { tls.hear(); }));
  int fd = opposite.take();
  auto closed = [fd] {
    std::size_t times = 0;
    for (const Record& call : calls(Call::kClose)) times += call.fd == fd;
    return times;
  };
  std::size_t before = closed();
  {
    auto connection = tls::Connection::connect(
        net::Fd(fd), tls::Context(trusting()), kLocalhost);
    connection.shutdown();
  }

  EXPECT_IS(closed() - before, std::size_t{1})
      << "The connection owns the descriptor. A second close() would hit "
         "whoever has got the number by then.";
}

TEST(Owning, NothingIsLeftBehind) {
  RULE("OWN-1");
  auto round = [](const char* name) {
    Opposite opposite(tls_server([](TlsEnd& tls, Connection&) { tls.hear(); },
                                 {.credential = name}));
    code_of([&] {
      auto connection = connect_to(opposite, with_credential("client"));
      connection.shutdown();
      (void)connection.authorization_error();
    });
    opposite.wait();
  };
  // What OpenSSL makes once, and keeps.
  for (int i = 0; i < 3; ++i) round("server"), round("expired");
  ASSERT_IS(counting, 1) << "The test counts what OpenSSL allocates.";
  long before = live_pieces;

  for (int i = 0; i < 10; ++i) round("server"), round("expired");

  EXPECT_IS(live_pieces - before, 0l)
      << "Ten connections and ten failed handshakes later OpenSSL holds so "
         "many pieces of memory more than before.";
}

TEST(Owning, WhatWasReadOfABundleIsFreed) {
  RULE("OWN-1");
  auto round = [](const char* passphrase) {
    tls::ContextOptions options;
    options.pfx = credential("server.pfx");
    options.passphrase = passphrase;
    code_of([&] { tls::Context context(options); });
  };
  for (int i = 0; i < 3; ++i) round(kPassphrase), round("wrong");
  ASSERT_IS(counting, 1) << "The test counts what OpenSSL allocates.";
  long before = live_pieces;

  for (int i = 0; i < 10; ++i) round(kPassphrase), round("wrong");

  EXPECT_IS(live_pieces - before, 0l)
      << "Ten contexts with pfx, and ten with a wrong passphrase, are gone. "
         "OpenSSL holds so many pieces of memory more than before: what "
         "PKCS12_parse() gives you is yours to free.";
}
