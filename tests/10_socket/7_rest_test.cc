// Part 7: text, addresses, counters and options.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/10_socket/support.h"

using namespace graded;
using net::Encoding;

namespace {

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  Unwatched ours;
  ::getsockopt(fd, level, name, &value, &size);
  return value;
}

std::string described(const Socket& socket) {
  auto end = [](const std::string& address, const std::string& family,
                int port) {
    return address + " " + family + " " + (port ? "a port" : "no port");
  };
  return "local " +
         end(socket.local_address(), socket.local_family(),
             socket.local_port()) +
         ", remote " +
         end(socket.remote_address(), socket.remote_family(),
             socket.remote_port());
}

const std::string kNone = "local   no port, remote   no port";
const std::string kBoth =
    "local 127.0.0.1 IPv4 a port, remote 127.0.0.1 IPv4 a port";

ConnectOptions to(int port) {
  ConnectOptions options;
  options.host = "127.0.0.1";
  options.port = port;
  return options;
}

}  // namespace

TEST(Text, CharactersThatAreCutComeWhole) {
  RULE("ENC-1");
  Net net;
  Ends ends = net.pair();
  std::vector<std::string> pieces;
  ends.socket->set_encoding(Encoding::kUtf8);
  ends.socket->on_data(
      [&](std::string_view text) { pieces.emplace_back(text); });

  for (std::string part : {"a\xe2\x82", "\xac", "\xc3", "\xbc!"}) {
    ends.peer.send(part);
    net.settle();
  }

  EXPECT_IS(pieces,
            (std::vector<std::string>{"a", "\xe2\x82\xac", "\xc3\xbc!"}))
      << "A character comes when it is complete. A piece without a complete "
         "one is no event: none is empty.";
}

TEST(Text, HalfACharacterAtTheEndIsReplaced) {
  RULE("ENC-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.socket->set_encoding(Encoding::kUtf8);
  net.read(*ends.socket);

  ends.peer.send(
      "a\xff"
      "b\xe2\x82");
  ends.peer.finish();
  net.run();

  EXPECT_TRUE(
      net.saw({"data a\xef\xbf\xbd"
               "b\xef\xbf\xbd",
               "end", "finish", "close"}))
      << "What is no UTF-8 becomes U+FFFD, also the half character that is "
         "left when the peer ends: before end.";
}

TEST(Text, SetEncodingStartsNothing) {
  RULE("ENC-1");
  Net net;
  Ends ends = net.pair();
  ends.peer.send("\xc3");
  net.settle();
  Socket& returned = ends.socket->set_encoding(Encoding::kUtf8);
  ends.peer.send("\xbc");
  ends.peer.finish();
  ends.socket->on_end([&] { net.add("end"); });
  net.settle();

  net.add("a data listener");
  net.read(*ends.socket);
  net.settle();

  EXPECT_IS(&returned == ends.socket.get(), true) << "For chaining.";
  EXPECT_TRUE(net.saw({"a data listener", "data \xc3\xbc", "end"}))
      << "It is no reader. But what was kept for one is text from then on.";
}

TEST(Text, IsDecodedOnce) {
  RULE("ENC-1");
  Net net;
  Ends ends = net.pair();
  ends.peer.send("hi");
  net.settle();

  ends.socket->set_encoding(Encoding::kHex);
  ends.socket->set_encoding(Encoding::kHex);
  net.read(*ends.socket);
  net.settle();

  EXPECT_TRUE(net.saw({"data 6869"}))
      << "What waits for a reader is text after the first set_encoding(). The "
         "second one must not take it for bytes.";
}

TEST(Text, WithoutAnEncodingBytesStayBytes) {
  RULE("ENC-1");
  Net net;
  Ends ends = net.pair();
  std::string got;
  ends.socket->on_data([&](std::string_view bytes) { got += bytes; });

  ends.peer.send(std::string("\0\xff\xc3", 3));
  net.settle();

  EXPECT_IS(got, std::string("\0\xff\xc3", 3)) << "Nobody asked for text.";
}

TEST(Text, OtherEncodings) {
  RULE("ENC-5");
  Net net;
  std::vector<std::string> got;
  for (Encoding encoding :
       {Encoding::kHex, Encoding::kLatin1, Encoding::kBase64}) {
    Ends ends = net.pair();
    std::string& text = got.emplace_back();
    ends.socket->set_encoding(encoding);
    ends.socket->on_data([&](std::string_view piece) { text += piece; });
    for (std::string part : {"h", "\xe9!"}) {
      ends.peer.send(part);
      net.settle();
    }
    ends.peer.finish();
    net.run();
  }

  EXPECT_IS(got, (std::vector<std::string>{"68e921", "h\xc3\xa9!", "aOkh"}))
      << "The same three bytes, in two pieces: as hex, as latin1, as base64, "
         "which takes them in groups of three.";
}

TEST(Text, WritesAreEncoded) {
  RULE("ENC-5");
  Net net;
  Ends ends = net.pair();
  ends.socket->write("\xc3\xa9,", Encoding::kUtf8);
  ends.socket->write("\xc3\xa9,", Encoding::kLatin1);
  ends.socket->write("68692c", Encoding::kHex);
  ends.socket->write("aGks", Encoding::kBase64);
  ends.socket->write("hi", Encoding::kUtf16le);
  net.settle();

  EXPECT_IS(arrived(ends.peer), std::string("\xc3\xa9,\xe9,hi,hi,h\0i\0", 15))
      << "write(text, encoding) sends the bytes that the text stands for.";
  EXPECT_IS(ends.socket->bytes_written(), 15u)
      << "And these are the bytes that are counted.";
}

TEST(Addresses, AreThereWhileItIsConnected) {
  RULE("ADDR-2");
  Listener server;
  Net net;
  SocketPtr socket = Socket::create(net.loop());
  auto note = [&](const std::string& when) {
    net.add(when + ": " + described(*socket));
  };

  note("new");
  socket->connect(to(server.port()));
  socket->on_ready([&] {
    note("ready");
    socket->end();
    server.accept();
  });
  socket->on_close([&](bool) {
    net.add(std::string("close: local ") +
            (socket->address().address.empty() ? "none" : "some"));
  });
  net.run();

  EXPECT_TRUE(
      net.saw({"new: " + kNone, "ready: " + kBoth, "close: local none"}))
      << "Without a connection there are no ends.";
}

TEST(Addresses, AgreeWithThePeers) {
  RULE("ADDR-2");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  int seen = 0;
  socket->on_ready([&] {
    Connection peer = server.accept();
    Unwatched ours;
    sockaddr_in name{};
    socklen_t size = sizeof name;
    ::getpeername(peer.fd(), reinterpret_cast<sockaddr*>(&name), &size);
    seen = ntohs(name.sin_port);
    net.loop().stop();
  });

  net.run();

  EXPECT_IS(socket->remote_port(), server.port())
      << "The remote end is the server's.";
  EXPECT_IS(socket->local_port(), seen)
      << "The local end is what the server sees as its remote one.";
  EXPECT_IS(socket->address().port, socket->local_port())
      << "address() is the local end.";
}

TEST(Addresses, OfAUnixSocketAreEmpty) {
  RULE("ADDR-2");
  Net net;
  Ends ends = net.pair();

  EXPECT_IS(described(*ends.socket), kNone)
      << "A unix socket has neither addresses nor ports.";
}

TEST(Addresses, RemoteOneIsRememberedAfterClose) {
  RULE("ADDR-2");
  Net net;
  Ends ends = net.tcp_pair();
  int before = ends.socket->remote_port();
  ends.socket->destroy();

  net.run();

  EXPECT_IS(before != 0, true) << "It was asked for while it was connected.";
  EXPECT_IS(ends.socket->remote_port(), before)
      << "A log line that is written in the close listener wants it.";
}

TEST(Counters, CountBytesInAndOut) {
  RULE("CNT-1");
  Net net;
  Ends ends = net.pair();
  std::vector<std::string> seen;
  auto note = [&] {
    seen.push_back(std::to_string(ends.socket->bytes_read()) + " in, " +
                   std::to_string(ends.socket->bytes_written()) + " out");
  };
  net.read(*ends.socket);
  note();
  ends.socket->write("hello");
  ends.socket->end(std::string(1'000'000, 'x'));
  note();
  ends.peer.send("abc");
  ends.peer.finish();
  Reader reader(net, ends.peer);
  net.run();
  note();

  EXPECT_IS(seen, (std::vector<std::string>{"0 in, 0 out", "0 in, 1000005 out",
                                            "3 in, 1000005 out"}))
      << "What is queued counts as written, once, and the counters keep their "
         "values after close.";
}

TEST(Counters, CountWhatWaitsForTheConnection) {
  RULE("CNT-1");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");

  socket->write("hello");
  std::uint64_t queued = socket->bytes_written();
  socket->on_ready(
      [&] { net.loop().set_timeout(1ms, [&] { net.loop().stop(); }); });
  net.run();

  EXPECT_IS(queued, 5u) << "Written, though not sent yet.";
  EXPECT_IS(socket->bytes_written(), 5u) << "Sent, and not counted again.";
}

TEST(Options, AreSetAtOnceOnAConnection) {
  RULE("OPT-1");
  Net net;
  TcpPair made;
  SocketPtr socket = net.adopt(made.theirs);
  net.record(*socket);

  Socket& returned = socket->set_no_delay().set_keep_alive(true, 5s);
  int no_delay = option(made.theirs, IPPROTO_TCP, TCP_NODELAY);
  int keep_alive = option(made.theirs, SOL_SOCKET, SO_KEEPALIVE);
  int delay = option(made.theirs, IPPROTO_TCP, TCP_KEEPIDLE);
  socket->set_no_delay(false).set_keep_alive(false);

  EXPECT_IS(&returned == socket.get(), true) << "For chaining.";
  EXPECT_IS(no_delay, 1) << "TCP_NODELAY is on.";
  EXPECT_IS(keep_alive, 1) << "SO_KEEPALIVE is on.";
  EXPECT_IS(delay, 5) << "The kernel counts seconds.";
  EXPECT_IS(option(made.theirs, IPPROTO_TCP, TCP_NODELAY), 0) << "Off again.";
  EXPECT_IS(option(made.theirs, SOL_SOCKET, SO_KEEPALIVE), 0) << "Off again.";
}

TEST(Options, BeforeTheConnectionAreRemembered) {
  RULE("OPT-1");
  Listener server;
  Net net;
  SocketPtr socket = Socket::create(net.loop());
  socket->set_no_delay().set_keep_alive(true);
  socket->connect(to(server.port()));
  net.record(*socket);
  int fd = -1;
  socket->on_ready([&] {
    fd = last_call(Call::kConnect).fd;
    net.add(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1 ? "no delay" : "delay");
    net.add(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1 ? "kept" : "not kept");
    socket->destroy();
  });

  net.run();
  socket->set_no_delay().set_keep_alive(true);

  EXPECT_TRUE(net.saw({"connect", "no delay", "kept", "ready", "close"}) ||
              net.saw({"connect", "ready", "no delay", "kept", "close"}))
      << "There was no descriptor yet. They are applied when there is one; "
         "after close they are harmless.";
}

TEST(Options, OfConnectAreApplied) {
  RULE("OPT-1");
  Listener server;
  Net net;
  ConnectOptions options = to(server.port());
  options.no_delay = true;
  options.keep_alive = true;
  options.keep_alive_initial_delay = 7s;
  SocketPtr socket = net::connect(net.loop(), options);
  std::vector<int> values;
  socket->on_ready([&] {
    int fd = last_call(Call::kConnect).fd;
    values = {option(fd, IPPROTO_TCP, TCP_NODELAY),
              option(fd, SOL_SOCKET, SO_KEEPALIVE),
              option(fd, IPPROTO_TCP, TCP_KEEPIDLE)};
    net.loop().stop();
  });

  net.run();

  EXPECT_IS(::testing::PrintToString(values), "{ 1, 1, 7 }")
      << "no_delay, keep_alive and its delay, as asked for.";
}

TEST(Options, OfAUnixSocketAreHarmless) {
  RULE("OPT-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);

  ends.socket->set_no_delay().set_keep_alive(true, 1s);
  ends.peer.finish();
  net.run();

  EXPECT_TRUE(net.saw({"end", "finish", "close"}))
      << "It has no TCP_NODELAY. That is no error.";
}
