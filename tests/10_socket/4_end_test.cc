// Part 4: the two ends of a connection: ours and the peer's.
#include <sys/socket.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/10_socket/support.h"

using namespace graded;

namespace {

ConnectOptions half_open() {
  ConnectOptions options;
  options.allow_half_open = true;
  return options;
}

auto adds(Net& net, std::string what) {
  return
      [&net, what](const Error* error) { net.add(what + " " + code(error)); };
}

}  // namespace

TEST(OwnEnd, SendsItsBytesAndThenFIN) {
  RULE("END-1");
  Net net;
  Ends ends = net.pair();
  ends.socket->write("hello ");

  ends.socket->end("world");
  net.settle();

  EXPECT_IS(arrived(ends.peer), "hello world<FIN>")
      << "end(bytes) is a write, and then the end.";
}

TEST(OwnEnd, WaitsForEverythingThatIsQueued) {
  RULE("END-1");
  Net net;
  Ends ends = net.tcp_pair();
  std::string sent = random_bytes(random_number(2'500'000, 3'500'000));
  Reader reader(net, ends.peer);

  ends.socket->write(sent);
  ends.socket->end();
  ends.peer.finish();
  net.run();

  EXPECT_IS(reader.got, sent)
      << "Far more than the kernel takes at once: FIN has to wait for it.";
  EXPECT_IS(reader.end, "FIN");
}

TEST(OwnEnd, WaitsForTheConnection) {
  RULE("END-1");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  net.record(*socket);
  std::string got;

  socket->end("hello", [&] { got = server.accept().receive_all(); });
  net.run();

  EXPECT_IS(got, "hello") << "Connected, sent, and then FIN: in this order.";
  EXPECT_IS(net.events.empty() ? "" : net.events[0], "connect")
      << "end() of one that is connecting is no destroy(): it connects.";
}

TEST(OwnEnd, OfOneThatIsNewWaitsForConnect) {
  RULE("END-1");
  Listener server;
  Net net;
  SocketPtr socket = Socket::create(net.loop());
  ConnectOptions options;
  options.port = server.port();
  options.host = "127.0.0.1";

  socket->end([&] {
    net.add("ended");
    server.accept();
  });
  socket->on_ready([&] { net.add("ready"); });
  socket->connect(options);
  net.run();

  EXPECT_TRUE(net.saw({"ready", "ended"}))
      << "What was said before connect() holds: FIN follows the connection. "
         "Only what is left of an earlier connection is dropped.";
}

TEST(OwnEnd, ComesWhenACallbackThrows) {
  RULE("END-1");
  Net net;
  Ends ends = net.pair();
  net.settle();
  ends.socket->write("a", [] { throw std::runtime_error("from a callback"); });
  ends.socket->end();

  try {
    net.settle();
  } catch (const std::runtime_error&) {
    net.add("exception");
  }
  net.settle();

  EXPECT_TRUE(net.saw({"exception"}));
  EXPECT_IS(arrived(ends.peer), "a<FIN>")
      << "What a write's callback throws leaves run(). When the loop runs "
         "again, FIN is still owed.";
}

TEST(EndCallback, RunsWhenFINIsOut) {
  RULE("END-4");
  Net net;
  Ends ends = net.pair(half_open());
  net.record(*ends.socket);
  auto flags = [&](const std::string& when) {
    net.add(when + ": ended " + yes_no(ends.socket->writable_ended()) +
            ", finished " + yes_no(ends.socket->writable_finished()));
  };
  net.loop().set_timeout(0ms, [&] {
    ends.socket->end("bye", [&](const Error* error) {
      flags("callback " + code(error));
      net.add("the peer has " + arrived(ends.peer));
    });
    flags("end() has returned");
  });

  net.settle();

  EXPECT_TRUE(net.saw({"end() has returned: ended yes, finished no",
                       "callback ok: ended yes, finished yes",
                       "the peer has bye<FIN>", "finish"}))
      << "When the callback runs, all is out; finish follows, once.";
}

TEST(EndCallback, WaitsForTheQueue) {
  RULE("END-4");
  Net net;
  Ends ends = net.pair(half_open());
  net.record(*ends.socket);
  ends.socket->write(std::string(1'000'000, 'x'), adds(net, "written"));
  ends.socket->end(adds(net, "ended"));
  net.settle();
  net.add("the peer begins to read");

  Reader reader(net, ends.peer);
  while (!reader.over() && net.events.size() < 9) net.settle();
  net.settle();

  EXPECT_TRUE(
      net.saw({"the peer begins to read", "written ok", "ended ok", "finish"}))
      << "end() ends what was written before, and its callback waits for that.";
}

TEST(EndCallback, OfASecondEnd) {
  RULE("END-4");
  Net net;
  Ends ends = net.pair(half_open());
  net.record(*ends.socket);
  ends.socket->end(adds(net, "first"));
  bool writable = ends.socket->writable();
  Socket& returned = ends.socket->end(adds(net, "second"));
  net.settle();

  ends.socket->end(adds(net, "late"));
  ends.socket->end();
  net.settle();

  EXPECT_IS(writable, false) << "After end() no more may be written.";
  EXPECT_IS(&returned == ends.socket.get(), true)
      << "end() returns the socket.";
  EXPECT_TRUE(net.saw(
      {"first ok", "second ok", "finish", "late ERR_STREAM_ALREADY_FINISHED"}))
      << "To end twice is harmless: there is one finish. A callback that "
         "comes after it learns that it is late.";
}

TEST(EndCallback, ThatThrowsDoesNotKeepTheSocketOpen) {
  RULE("END-4");
  Net net;
  Ends ends = net.pair();
  ends.socket->on_close([&](bool) { net.add("close"); });
  ends.socket->on_end([&] { net.add("end"); });
  ends.socket->end([] { throw std::runtime_error("from a callback"); });
  ends.peer.finish();

  for (int i = 0; i < 2; ++i) {
    try {
      net.run();
    } catch (const std::runtime_error&) {
      net.add("exception");
    }
  }

  EXPECT_TRUE(net.saw({"exception", "end", "close"}))
      << "What a callback throws leaves run(). When the loop runs again, the "
         "connection goes its way.";
}

TEST(PeersEnd, ComesOnceAfterAllItsData) {
  RULE("END-6");
  Net net;
  Ends ends = net.pair(half_open());
  net.record(*ends.socket);
  net.read(*ends.socket);
  ends.peer.send("the last words");
  ends.peer.close();

  net.settle();
  ends.socket->resume();
  net.settle();

  EXPECT_TRUE(net.saw({"data the last words", "end"}))
      << "end says that there is no more data, so it is the last of them.";
}

TEST(PeersEnd, IsNotOurs) {
  RULE("END-6");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  net.read(*ends.socket);

  ends.socket->end();
  net.settle();

  EXPECT_TRUE(net.saw({"finish"}))
      << "end() ends our direction. The end event is about the peer's, and "
         "the peer has not ended.";
}

TEST(PeersEnd, ThatAListenerOfDataWaitedForInVain) {
  RULE("END-6");
  Net net;
  Ends ends = net.pair(half_open());
  net.record(*ends.socket);
  ends.peer.send("a");
  ends.peer.finish();
  net.settle();
  bool thrown = false;
  ends.socket->on_data([&](std::string_view) {
    thrown = true;
    throw std::runtime_error("from a listener");
  });

  for (int i = 0; i < 2; ++i) {
    try {
      net.settle();
    } catch (const std::runtime_error&) {
      net.add("exception");
    }
  }

  EXPECT_IS(thrown, true) << "The data was told.";
  EXPECT_TRUE(net.saw({"exception", "end"}))
      << "What a listener throws leaves the loop. When it runs again, the end "
         "is still to come.";
}

TEST(BothEnds, CloseTheSocketWhenThePeerIsFirst) {
  RULE("END-9");
  DescriptorCheck descriptors;
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  net.read(*ends.socket);
  ends.peer.send("hello");
  ends.peer.finish();

  net.run();
  net.end_loop();

  EXPECT_TRUE(net.saw({"data hello", "end", "finish", "close"}))
      << "Both directions are over: the socket closes, and nothing was wrong.";
  EXPECT_IS(descriptors.left_open(), std::vector<std::string>())
      << "Closed means that the descriptor is closed.";
}

TEST(BothEnds, CloseTheSocketWhenWeAreFirst) {
  RULE("END-9");
  Net net;
  Ends ends = net.pair(half_open());
  net.record(*ends.socket);
  net.read(*ends.socket);
  ends.socket->end();
  net.settle();
  ends.peer.send("hello");
  ends.peer.finish();

  net.run();

  EXPECT_TRUE(net.saw({"finish", "data hello", "end", "close"}))
      << "Whoever ends first: after the second end comes close. With "
         "allow_half_open, too: nothing is half open here.";
}

TEST(HalfOpen, IsNotTheDefault) {
  RULE("HALF-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.peer.finish();

  net.run();

  EXPECT_IS(arrived(ends.peer), "<FIN>")
      << "The peer has ended, so the socket ends its side by itself.";
  EXPECT_TRUE(net.saw({"end", "finish", "close"}));
}

TEST(HalfOpen, AutomaticEndComesAfterTheListeners) {
  RULE("HALF-1");
  Net net;
  Ends ends = net.pair();
  ends.socket->on_end([&] {
    net.add(std::string("writable ") + yes_no(ends.socket->writable()));
    ends.socket->write("good ");
  });
  ends.socket->on_end([&] { ends.socket->end("bye"); });
  ends.peer.finish();

  net.run();

  EXPECT_TRUE(net.saw({"writable yes"}))
      << "In the end listener there is still time for a last word.";
  EXPECT_IS(arrived(ends.peer), "good bye<FIN>")
      << "What is written there goes out before FIN.";
}

TEST(HalfOpen, AutomaticEndComesWhenAListenerThrows) {
  RULE("HALF-1");
  Net net;
  Ends ends = net.pair();
  ends.socket->on_close([&](bool) { net.add("close"); });
  ends.socket->on_end([] { throw std::runtime_error("from a listener"); });
  ends.peer.finish();

  for (int i = 0; i < 2; ++i) {
    try {
      net.run();
    } catch (const std::runtime_error&) {
      net.add("exception");
    }
  }

  EXPECT_TRUE(net.saw({"exception", "close"}))
      << "What an end listener throws leaves run(). The socket ends its side "
         "all the same, when the loop runs again.";
}

TEST(HalfOpen, AutomaticEndSendsWhatIsQueued) {
  RULE("HALF-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.socket->write(std::string(1'000'000, 'x'));
  ends.peer.finish();
  net.settle();

  Reader reader(net, ends.peer);
  net.run();

  EXPECT_IS(reader.got.size(), 1'000'000u)
      << "The peer asked for something, and ended. The answer is not to be "
         "cut short.";
  EXPECT_IS(reader.end, "FIN");
}

TEST(HalfOpen, StaysWritableAfterThePeersEnd) {
  RULE("HALF-2");
  Net net;
  Ends ends = net.pair(half_open());
  net.record(*ends.socket);
  auto state = [&](const std::string& when) {
    net.add(when + std::string(ends.socket->ready_state()) + ", writable " +
            yes_no(ends.socket->writable()) + ", readable " +
            yes_no(ends.socket->readable()));
  };
  state("");
  ends.peer.finish();
  net.settle();
  state("");

  ends.socket->write("later");
  net.settle();
  std::string got = arrived(ends.peer);
  ends.socket->end();
  net.run();
  state("");

  EXPECT_TRUE(net.saw({"open, writable yes, readable yes", "end",
                       "writeOnly, writable yes, readable no", "finish",
                       "close", "closed, writable no, readable no"}))
      << "With allow_half_open it neither ends nor closes by itself.";
  EXPECT_IS(got, "later") << "One that has ended may still receive.";
}

TEST(HalfOpen, OwnEndLeavesTheOtherDirectionOpen) {
  RULE("HALF-2");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  net.read(*ends.socket);
  ends.socket->end("question");
  net.settle();
  net.add(std::string(ends.socket->ready_state()));

  ends.peer.send("answer");
  ends.peer.finish();
  net.run();

  EXPECT_TRUE(net.saw({"finish", "readOnly", "data answer", "end", "close"}))
      << "We have ended, the peer has not: its answer has to come.";
}

TEST(WriteAfterEnd, IsAnError) {
  RULE("WRITE-7");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  net.loop().set_timeout(0ms, [&] {
    ends.socket->end("bye");
    bool room = ends.socket->write("more", adds(net, "callback"));
    net.add(room ? "true" : "false");
  });

  net.run();

  EXPECT_TRUE(
      net.saw({"false", "callback ERR_STREAM_WRITE_AFTER_END",
               "error ERR_STREAM_WRITE_AFTER_END", "close after an error"}))
      << "Nothing may follow FIN: the callback hears of it, then everybody.";
  EXPECT_IS(arrived(ends.peer).find("more") == std::string::npos, true)
      << "Not a byte of it goes out.";
}

TEST(WriteAfterEnd, IsEPIPEWhenThePeerHadEnded) {
  RULE("WRITE-7");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.socket->on_end([&] {
    ends.socket->end();
    ends.socket->write("more", adds(net, "callback"));
  });
  ends.peer.finish();

  net.run();

  EXPECT_TRUE(
      net.saw({"end", "callback EPIPE", "error EPIPE", "close after an error"}))
      << "The peer has ended, and so have we, as it must be without "
         "allow_half_open. So this is told as a connection that is over.";
}

TEST(WriteAfterEnd, IsNoEPIPEWhenHalfOpenIsAllowed) {
  RULE("WRITE-7");
  Net net;
  Ends ends = net.pair(half_open());
  net.record(*ends.socket);
  ends.socket->on_end([&] {
    ends.socket->end();
    ends.socket->write("more", adds(net, "callback"));
  });
  ends.peer.finish();

  net.run();

  EXPECT_TRUE(
      net.saw({"end", "callback ERR_STREAM_WRITE_AFTER_END",
               "error ERR_STREAM_WRITE_AFTER_END", "close after an error"}))
      << "With allow_half_open the end was our own decision, and to write "
         "after it our own mistake.";
}
