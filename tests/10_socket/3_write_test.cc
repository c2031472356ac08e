// Part 3: what goes out, and who hears of it.
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/10_socket/support.h"

using namespace graded;

namespace {

// A connected socket whose kernel buffer is small, and its descriptor.
struct Narrow {
  explicit Narrow(Net& net, ConnectOptions options = {})
      : fd(-1), peer(unix_pair(fd)) {
    {
      Unwatched ours;
      int size = 1;
      ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
    socket = net.adopt(fd, std::move(options));
  }
  int fd;
  Connection peer;
  SocketPtr socket;
};

// What poll() was asked about `fd` the last time: "nothing", "POLLIN", ...
std::string asked_of(int fd) {
  Record last;
  for (const Record& call : calls(Call::kPoll))
    if (!call.set.empty()) last = call;
  for (const pollfd& it : last.set) {
    if (it.fd != fd) continue;
    std::string in = it.events & POLLIN ? "POLLIN" : "";
    std::string out = it.events & POLLOUT ? "POLLOUT" : "";
    return in + out == "" ? "nothing" : in + out;
  }
  return "nothing";
}

auto adds(Net& net, std::string what) {
  return
      [&net, what](const Error* error) { net.add(what + " " + code(error)); };
}

}  // namespace

TEST(Write, BeforeConnectIsSentInOrder) {
  RULE("WRITE-1");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  net.record(*socket);
  std::string got;
  socket->write("one ", adds(net, "first"));
  socket->write("two ", adds(net, "second"));
  socket->on_connect([&] {
    socket->write("three", [&](const Error* error) {
      net.add("third " + code(error));
      got = server.accept().receive(13);
      net.loop().stop();
    });
  });

  net.run();

  EXPECT_TRUE(
      net.saw({"connect", "ready", "first ok", "second ok", "third ok"}))
      << "What is written early waits; the callbacks run once it is out.";
  EXPECT_IS(got, "one two three")
      << "Nothing overtakes what was queued before.";
}

TEST(Write, BeforeTheNameIsKnownIsSentToo) {
  RULE("WRITE-1");
  Names names;
  names.knows("example.test", {"127.0.0.1"});
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "example.test");
  std::string got;

  socket->write("hello", [&] {
    got = server.accept().receive(5);
    net.loop().stop();
  });
  net.run();

  EXPECT_IS(got, "hello") << "A name takes longer than an address, no more.";
}

TEST(WriteCallback, RunsOnceLaterAndInOrder) {
  RULE("WRITE-2");
  Net net;
  Ends ends = net.pair();
  net.loop().set_timeout(0ms, [&] {
    ends.socket->write("a", adds(net, "a"));
    ends.socket->write("", adds(net, "nothing"));
    ends.socket->write("b", adds(net, "b"));
    net.add("write() has returned");
  });

  net.settle();

  EXPECT_TRUE(net.saw({"write() has returned", "a ok", "nothing ok", "b ok"}))
      << "A callback never runs inside write(). A write of no bytes has its "
         "turn as well.";
  EXPECT_IS(arrived(ends.peer), "ab");
}

TEST(WriteCallback, WaitsUntilTheBytesAreOut) {
  RULE("WRITE-2");
  Net net;
  Narrow ends(net);
  ends.socket->write(std::string(300'000, 'x'), adds(net, "written"));
  net.settle();
  net.add("the peer begins to read");

  Reader reader(net, ends.peer);
  ends.socket->end();
  ends.peer.finish();
  net.run();

  EXPECT_TRUE(net.saw({"the peer begins to read", "written ok"}))
      << "Queued is not sent: who hears that it is written believes that the "
         "system has it.";
  EXPECT_IS(reader.got.size(), 300'000u);
}

TEST(WriteCallback, ThatThrowsLeavesTheOthersAlone) {
  RULE("WRITE-2");
  Net net;
  Ends ends = net.pair();
  ends.socket->write("a", [] { throw std::runtime_error("from a callback"); });
  ends.socket->write("b", adds(net, "second"));

  try {
    net.run();
  } catch (const std::runtime_error&) {
    net.add("exception");
  }
  net.settle();

  EXPECT_TRUE(net.saw({"exception", "second ok"}))
      << "The exception leaves run(). The other callback is still owed.";
}

TEST(WriteCallback, IsOwedWhenADrainListenerThrows) {
  RULE("WRITE-2");
  Net net;
  Narrow ends(net);
  Reader reader(net, ends.peer);
  ends.socket->on_drain([] { throw std::runtime_error("from a listener"); });
  ends.socket->write(std::string(100'000, 'x'), adds(net, "written"));

  try {
    net.run();
  } catch (const std::runtime_error&) {
    net.add("exception");
  }
  net.settle();

  EXPECT_TRUE(net.saw({"exception", "written ok"}))
      << "drain comes first, and its listener throws. The bytes are out all "
         "the same, and their callback is still owed.";
}

TEST(WriteCallback, SurvivesShortAndInterruptedSends) {
  RULE("WRITE-2");
  Net net;
  Ends ends = net.pair();
  Fault faults(Call::kSend, {at_most(1), fails(EINTR), fails(EAGAIN),
                             at_most(2), fails(EAGAIN)});
  ends.socket->write("hello", adds(net, "hello"));
  ends.socket->write(" world", adds(net, "world"));

  net.settle();

  EXPECT_IS(arrived(ends.peer), "hello world")
      << "send() may take less than it is given, or nothing for now: the rest "
         "goes out later, nothing twice.";
  EXPECT_TRUE(net.saw({"hello ok", "world ok"}));
}

TEST(WriteResult, IsFalseAtTheMark) {
  RULE("WRITE-3");
  Listener server;
  Net net;
  ConnectOptions options;
  options.port = server.port();
  options.host = "127.0.0.1";
  options.high_water_mark = 10;
  SocketPtr socket = net::connect(net.loop(), options);
  auto write = [&](std::string_view bytes) {
    bool room = socket->write(bytes);
    net.add(std::string(room ? "true" : "false") + ", " +
            std::to_string(socket->writable_length()) + " queued");
  };
  std::string got;

  write("123456789");
  write("0");
  write("1");
  socket->on_drain([&] {
    net.add("drained, " + std::to_string(socket->writable_length()));
    got = server.accept().receive(11);
    net.loop().stop();
  });
  net.run();

  EXPECT_TRUE(net.saw(
      {"true, 9 queued", "false, 10 queued", "false, 11 queued", "drained, 0"}))
      << "With a mark of 10 the tenth byte that waits makes it false.";
  EXPECT_IS(got, "12345678901")
      << "false is advice: what was written then is sent as well.";
}

TEST(WriteResult, HasAMarkOf16KiB) {
  RULE("WRITE-3");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");

  EXPECT_IS(socket->high_water_mark(), 16384u) << "As in Node.";
  EXPECT_IS(socket->write(std::string(16383, 'x')), true)
      << "One byte is missing to the mark.";
  EXPECT_IS(socket->write("x"), false) << "Here it is.";
}

TEST(WriteResult, IsTrueWhenTheSystemTakesItAll) {
  RULE("WRITE-3");
  Net net;
  Ends ends = net.pair();

  EXPECT_IS(ends.socket->write(std::string(20'000, 'x')), true)
      << "More than the mark; but it is out already, and nothing waits.";
  EXPECT_IS(ends.socket->writable_length(), 0u) << "Nothing is queued.";
}

TEST(WriteResult, DoesNotKeepTheCallersBytes) {
  RULE("WRITE-3");
  Net net;
  Narrow ends(net);
  Reader reader(net, ends.peer);
  std::string bytes(100'000, 'a');

  ends.socket->write(bytes);
  bytes.assign(bytes.size(), 'b');
  ends.socket->end();
  ends.peer.finish();
  net.run();

  EXPECT_IS(reader.got, std::string(100'000, 'a'))
      << "The caller may do with its bytes what it likes once write() has "
         "returned.";
}

TEST(Drain, ComesOnceWhenTheQueueIsEmpty) {
  RULE("DRAIN-1");
  Net net;
  Narrow ends(net);
  net.record(*ends.socket);
  Reader reader(net, ends.peer);
  auto needed = [&](const std::string& when) {
    net.add(when + yes_no(ends.socket->writable_need_drain()));
  };
  ends.socket->on_drain([&] {
    needed("in drain: ");
    net.add(std::to_string(ends.socket->writable_length()) + " queued");
    net.loop().stop();
  });

  needed("before: ");
  ends.socket->write(std::string(100'000, 'x'));
  ends.socket->write(std::string(100'000, 'x'));
  needed("after: ");
  net.run();
  net.settle();

  EXPECT_TRUE(net.saw(
      {"before: no", "after: yes", "drain", "in drain: no", "0 queued"}))
      << "Two false writes, one drain: it says that all of it is out.";
}

TEST(Drain, ComesAgainForTheNextSaturation) {
  RULE("DRAIN-1");
  Net net;
  Narrow ends(net);
  Reader reader(net, ends.peer);
  int rounds = 0;
  ends.socket->on_drain([&] {
    net.add("drain");
    if (++rounds == 3) return net.loop().stop();
    net.add(ends.socket->write(std::string(100'000, 'x')) ? "true" : "false");
  });

  ends.socket->write(std::string(100'000, 'x'));
  net.run();

  EXPECT_TRUE(net.saw({"drain", "false", "drain", "false", "drain"}))
      << "Each time the queue was full it says when it is empty again.";
}

TEST(Drain, NeverComesInsideWrite) {
  RULE("DRAIN-1");
  Net net;
  ConnectOptions options;
  options.high_water_mark = 10;
  Ends ends = net.pair(options);
  net.settle();
  net.record(*ends.socket);
  Fault full(Call::kSend, {fails(EAGAIN)});

  net.loop().set_timeout(0ms, [&] {
    ends.socket->write("0123456789");
    ends.socket->write("more");
    net.add("write() has returned");
  });
  net.settle();

  EXPECT_TRUE(net.saw({"write() has returned", "drain"}))
      << "The first write finds no room, the second one would. But it comes "
         "after the first, and only the loop empties the queue: a drain "
         "listener writes, and write() inside write() has no end.";
}

TEST(Drain, IsNotForATrueWrite) {
  RULE("DRAIN-1");
  Net net;
  ConnectOptions options;
  options.high_water_mark = 1'000'000;
  Narrow ends(net, options);
  net.record(*ends.socket);
  Reader reader(net, ends.peer);

  bool room = ends.socket->write(std::string(100'000, 'x'), [&] {
    net.add("written");
    net.loop().stop();
  });
  net.run();

  EXPECT_IS(room, true) << "The mark is at a million.";
  EXPECT_TRUE(net.saw({"written"})) << "Nobody was told to wait.";
}

TEST(Drain, DoesNotComeAfterEnd) {
  RULE("DRAIN-1");
  Net net;
  Narrow ends(net);
  net.record(*ends.socket);
  Reader reader(net, ends.peer);

  ends.socket->write(std::string(100'000, 'x'));
  ends.socket->end();
  net.add(std::string("needed: ") + yes_no(ends.socket->writable_need_drain()));
  ends.peer.finish();
  net.run();

  std::vector<std::string> seen;
  for (const std::string& event : net.events)
    if (event != "end") seen.push_back(event);
  EXPECT_IS(seen, (std::vector<std::string>{"needed: no", "finish", "close"}))
      << "drain invites to write more. After end() nobody may.";
}

TEST(WriteThatCannotBe, OfASocketThatNeverConnected) {
  RULE("WRITE-15");
  Net net;
  SocketPtr socket = Socket::create(net.loop());
  net.record(*socket);

  bool room = socket->write("x", adds(net, "callback"));
  net.add(room ? "true" : "false");
  net.run();

  EXPECT_TRUE(net.saw({"false", "callback ERR_SOCKET_CLOSED",
                       "error ERR_SOCKET_CLOSED", "close after an error"}))
      << "It neither is connected nor ever will be by itself.";
}

TEST(WriteThatCannotBe, ToAPeerThatIsGone) {
  RULE("WRITE-15");
  Net net;
  ConnectOptions options;
  options.allow_half_open = true;
  Ends ends = net.pair(options);
  net.record(*ends.socket);
  ends.peer.close();
  net.settle();
  std::string syscall;
  ends.socket->on_error([&](const Error& error) { syscall = error.syscall; });

  net.loop().set_timeout(0ms, [&] {
    ends.socket->write("x", adds(net, "callback"));
    net.add("write() has returned");
  });
  net.run();

  EXPECT_TRUE(net.saw({"end", "write() has returned", "callback EPIPE",
                       "error EPIPE", "close after an error"}))
      << "The system answers EPIPE at once. It is told later all the same: "
         "first to the callback, then to everybody.";
  EXPECT_IS(syscall, "write") << "This is what failed.";
}

TEST(WriteThatCannotBe, WhenTheEndIsThereToBeReadToo) {
  RULE("WRITE-15");
  Net net;
  ConnectOptions options;
  options.allow_half_open = true;
  Ends ends = net.pair(options);
  net.record(*ends.socket);
  net.read(*ends.socket);
  net.settle();
  Fault reset(Call::kSend, {fails(ECONNRESET)});

  ends.peer.finish();
  ends.socket->write("x", adds(net, "callback"));
  net.run();

  EXPECT_TRUE(net.saw(
      {"callback ECONNRESET", "error ECONNRESET", "close after an error"}))
      << "The reset met write(), and the system tells it once: recv() has only "
         "an end to say. A failure must not wait until poll() comes to it.";
}

TEST(WriteThatCannotBe, WhenTheConnectionBreaksWithAQueue) {
  RULE("WRITE-15");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  Fault reset(Call::kSend, {fails(EAGAIN), fails(ECONNRESET)});
  ends.socket->write("a", adds(net, "a"));
  ends.socket->write("b", adds(net, "b"));

  net.run();

  EXPECT_TRUE(net.saw({"a ECONNRESET", "b ECONNRESET", "error ECONNRESET",
                       "close after an error"}))
      << "Nothing of the queue is out, and each callback gets the reason.";
}

TEST(Cost, WriteGoesOutAtOnce) {
  RULE("COST-3");
  Net net;
  Ends ends = net.pair();
  std::string there;
  net.loop().set_timeout(0ms, [&] {
    ends.socket->write("hello");
    there = arrived(ends.peer);
  });

  net.settle();

  EXPECT_IS(there, "hello")
      << "Nothing waits before it: to wait for POLLOUT first costs a turn of "
         "the loop, and a copy.";
}

TEST(Cost, PollIsAskedForPOLLOUTOnlyWhileSomethingWaits) {
  RULE("COST-3");
  Net net;
  Narrow ends(net);
  int fd = ends.fd;
  net.read(*ends.socket);
  ends.socket->write(std::string(100'000, 'x'));
  net.settle();
  std::string full = asked_of(fd);
  {
    Reader reader(net, ends.peer);
    while (reader.got.size() < 100'000 && full == "POLLINPOLLOUT") net.settle();
  }

  net.settle();

  EXPECT_IS(full, "POLLINPOLLOUT")
      << "The queue is full: the socket waits for both.";
  EXPECT_IS(asked_of(fd), "POLLIN")
      << "A socket is nearly always writable: with POLLOUT a loop that has "
         "nothing to do never sleeps.";
}

TEST(Cost, PollIsNotAskedForPOLLINAfterTheEnd) {
  RULE("COST-3");
  Net net;
  ConnectOptions options;
  options.allow_half_open = true;
  int fd;
  Connection peer = unix_pair(fd);
  SocketPtr socket = net.adopt(fd, options);
  net.record(*socket);
  net.read(*socket);
  peer.finish();

  net.settle();

  EXPECT_TRUE(net.saw({"end"}));
  EXPECT_IS(asked_of(fd), "nothing")
      << "After its end a stream stays readable for ever: poll() would report "
         "it in every turn, and the loop would never sleep.";
}
