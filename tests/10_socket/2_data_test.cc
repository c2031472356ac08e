// Part 2: what comes in, and when it is told.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/10_socket/support.h"

using namespace graded;

namespace {

// Lets the peer send until neither the kernel nor the socket takes more.
std::size_t sent_until_it_stops(Net& net, Connection& peer) {
  std::size_t total = 0, n;
  while ((n = peer.fill()) > 0 && total < 8'000'000) {
    total += n;
    net.settle();
  }
  return total;
}

}  // namespace

TEST(Data, ArrivesWholeAndInOrder) {
  RULE("DATA-1");
  Net net;
  Ends ends = net.tcp_pair();
  std::string sent = random_bytes(random_number(900'000, 1'100'000)), got;
  std::size_t out = 0;
  ends.socket->on_data([&](std::string_view bytes) { got += bytes; });
  ends.socket->on_end([&] { net.add("end"); });
  net.loop().watch(ends.peer.fd(), POLLOUT, [&](short) {
    ends.peer.send(std::string_view(sent).substr(out, 10'000));
    out += 10'000;
    if (out < sent.size()) return;
    net.loop().unwatch(ends.peer.fd());
    ends.peer.finish();
  });

  net.run();

  EXPECT_IS(got, sent) << "Every byte, whatever its value, in the order in "
                          "which it was sent.";
  EXPECT_TRUE(net.saw({"end"}));
}

TEST(Data, BothDirectionsAreBusyAtOnce) {
  RULE("DATA-1");
  Net net;
  Ends ends = net.pair();
  std::string sent = random_bytes(random_number(500'000, 700'000)), got;
  Reader reader(net, ends.peer);
  std::size_t in = 0;
  ends.socket->on_data([&](std::string_view bytes) {
    got += bytes;
    in += bytes.size();
    if (in == 3000) ends.socket->end();
  });
  ends.socket->write(sent);
  for (int i = 0; i < 3; ++i) ends.peer.send(sent.substr(0, 1000));

  net.run();

  EXPECT_IS(got.size(), 3000u)
      << "What comes in does not wait until what goes out is out.";
  EXPECT_IS(reader.got, sent) << "And this is what went out meanwhile.";
}

TEST(Data, SurvivesWhatTheKernelMayDo) {
  RULE("DATA-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  net.read(*ends.socket);
  Fault faults(Call::kReceive,
               {fails(EAGAIN), at_most(1), fails(EINTR), at_most(2)});
  ends.peer.send("hello");
  ends.peer.finish();

  net.run();

  EXPECT_TRUE(net.saw({"data hello", "end", "finish", "close"}))
      << "poll() said POLLIN, and recv() said EAGAIN: the kernel may do that, "
         "as it may give less than there is.";
}

TEST(Data, ComesAfterConnectEvenIfItWasThereFirst) {
  RULE("DATA-1");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  net.record(*socket);
  net.read(*socket);
  socket->on_connect([&] {
    Connection peer = server.accept();
    peer.send("at once");
  });

  net.run();

  EXPECT_TRUE(
      net.saw({"connect", "ready", "data at once", "end", "finish", "close"}))
      << "connect and ready first, and only then what the peer sent.";
}

TEST(NobodyReads, NeitherEndNorCloseComes) {
  RULE("FLOW-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.peer.send("hello");
  ends.peer.close();

  net.settle();

  EXPECT_TRUE(net.saw({}))
      << "Nobody has read \"hello\": the end, which comes after it, has to "
         "wait.";
}

TEST(NobodyReads, NothingIsLost) {
  RULE("FLOW-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.peer.send("hello");
  ends.peer.close();

  net.settle();
  net.read(*ends.socket);
  net.add("a data listener is there");
  net.run();

  EXPECT_TRUE(net.saw(
      {"a data listener is there", "data hello", "end", "finish", "close"}))
      << "The first data listener gets everything from the first byte on, "
         "however late it comes.";
}

TEST(Flow, BeginsWithTheFirstDataListener) {
  RULE("FLOW-2");
  Net net;
  Ends ends = net.pair();
  ends.peer.send("hello");
  net.settle();

  net.loop().set_timeout(0ms, [&] {
    net.read(*ends.socket);
    net.add("listener added");
  });
  net.settle();

  EXPECT_TRUE(net.saw({"listener added", "data hello"}))
      << "A data listener is enough, resume() is not needed; but nothing is "
         "delivered inside the call that adds it.";
}

TEST(Flow, DoesNotBeginWhenItWasPaused) {
  RULE("FLOW-2");
  Net net;
  Ends ends = net.pair();
  ends.socket->pause();
  net.read(*ends.socket);
  ends.peer.send("hello");

  net.settle();
  net.add("resume()");
  ends.socket->resume();
  net.settle();

  EXPECT_TRUE(net.saw({"resume()", "data hello"}))
      << "pause() was said in so many words: only resume() undoes it.";
}

TEST(Pause, HoldsFromInsideADataListener) {
  RULE("FLOW-4");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.socket->on_data([&](std::string_view bytes) {
    net.data("", bytes);
    if (bytes.find('1') != bytes.npos) ends.socket->pause();
  });
  ends.peer.send("1");
  net.settle();

  ends.peer.send("2");
  ends.peer.close();
  net.settle();
  net.add("resume()");
  ends.socket->resume();
  net.run();

  EXPECT_TRUE(
      net.saw({"data 1", "resume()", "data 2", "end", "finish", "close"}))
      << "Between pause() and resume() no data comes, and what comes after "
         "the data, end and close, waits as well.";
}

TEST(Pause, HoldsWhatIsKeptAlready) {
  RULE("FLOW-4");
  Net net;
  Ends ends = net.pair();
  ends.peer.send("kept");
  net.settle();
  net.read(*ends.socket);
  ends.socket->pause();

  net.settle();
  net.add("resume()");
  ends.socket->resume();
  net.settle();

  EXPECT_TRUE(net.saw({"resume()", "data kept"}))
      << "The listener had started the flow, but pause() came before the loop "
         "did.";
}

TEST(Pause, AndResumeReturnTheSocketAndCallNobody) {
  RULE("FLOW-4");
  Net net;
  Ends ends = net.pair();
  Socket& socket = *ends.socket;
  ends.peer.send("hello");
  socket.pause();
  net.read(socket);
  net.settle();

  net.loop().set_timeout(0ms, [&] {
    net.add(std::string("paused ") + yes_no(socket.is_paused()));
    net.add(&socket.resume() == &socket ? "resumed" : "another socket");
    net.add(std::string("paused ") + yes_no(socket.is_paused()));
  });
  net.settle();

  EXPECT_TRUE(net.saw({"paused yes", "resumed", "paused no", "data hello"}))
      << "resume() returns before the data comes: its caller has a chance to "
         "finish what it does.";
}

TEST(Pause, TwiceAndResumeOnceFlows) {
  RULE("FLOW-4");
  Net net;
  Ends ends = net.pair();
  net.read(*ends.socket);
  ends.socket->pause();
  ends.socket->pause();
  ends.peer.send("hello");
  net.settle();

  ends.socket->resume();
  net.settle();

  EXPECT_TRUE(net.saw({"data hello"})) << "pause() does not count.";
}

TEST(Resume, WithoutAListenerThrowsDataAway) {
  RULE("FLOW-6");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.peer.send("hello");
  ends.peer.close();

  ends.socket->resume();
  net.run();

  EXPECT_TRUE(net.saw({"end", "finish", "close"}))
      << "Who resumes without a listener does not want the data, but the end.";
  EXPECT_IS(ends.socket->bytes_read(), 5u)
      << "What is thrown away has been read all the same.";
}

TEST(End, NeedsNoReaderWhenNothingWaits) {
  RULE("FLOW-6");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.peer.close();

  net.run();

  EXPECT_TRUE(net.saw({"end", "finish", "close"}))
      << "Not a byte came, so there is nothing that somebody would have to "
         "read first.";
}

TEST(End, ComesAlsoWhenPausedIfNothingWaits) {
  RULE("FLOW-6");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  net.read(*ends.socket);
  net.settle();
  ends.socket->pause();

  ends.peer.close();
  net.run();

  EXPECT_TRUE(net.saw({"end", "finish", "close"}))
      << "pause() holds data back. There is none.";
}

TEST(Pause, PushesBackOnTheSender) {
  RULE("FLOW-8");
  Net net;
  Ends ends = net.pair();
  net.read(*ends.socket);
  net.settle();
  ends.socket->pause();

  std::size_t sent = sent_until_it_stops(net, ends.peer);

  EXPECT_IS(sent < 4'000'000, true)
      << "A paused socket that goes on reading fills the memory: the peer "
         "could send "
      << sent
      << " bytes. Stop asking for POLLIN, and the "
         "kernel makes the peer wait.";
}

TEST(NobodyReads, PushesBackOnTheSender) {
  RULE("FLOW-8");
  Net net;
  Ends ends = net.pair();

  std::size_t sent = sent_until_it_stops(net, ends.peer);

  EXPECT_IS(sent < 4'000'000, true)
      << "Nobody has asked for data, and yet the socket keeps reading: the "
         "peer could send "
      << sent << " bytes.";
}

TEST(Pause, LosesNothingWhenItPushedBack) {
  RULE("FLOW-8");
  Net net;
  Ends ends = net.pair();
  std::size_t got = 0;
  ends.socket->on_data([&](std::string_view bytes) { got += bytes.size(); });
  ends.socket->on_end([&] { net.add("end"); });
  net.settle();
  ends.socket->pause();
  std::size_t sent = sent_until_it_stops(net, ends.peer);
  ends.peer.close();

  ends.socket->resume();
  net.run();

  EXPECT_IS(got, sent) << "After resume() all of it comes.";
  EXPECT_TRUE(net.saw({"end"}));
}

TEST(Adopted, IsConnectedFromTheStart) {
  RULE("ACC-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  net.read(*ends.socket);
  std::string state = std::string(ends.socket->ready_state()) +
                      ", connecting " + yes_no(ends.socket->connecting()) +
                      ", pending " + yes_no(ends.socket->pending());
  ends.peer.send("hello");
  ends.peer.close();

  net.run();

  EXPECT_IS(state, "open, connecting no, pending no")
      << "A server's socket is connected when it is handed out.";
  EXPECT_TRUE(net.saw({"data hello", "end", "finish", "close"}))
      << "It has connected already: neither connect nor ready comes.";
}

TEST(Adopted, ReadsNothingWhenItIsPausedAtOnce) {
  RULE("ACC-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  net.read(*ends.socket);
  ends.socket->pause();
  ends.peer.close();
  net.settle();
  std::size_t receives = count_calls(Call::kReceive);

  net.add("resume()");
  ends.socket->resume();
  net.run();

  EXPECT_IS(receives, 0u)
      << "It was paused before its first turn: it may be handed to somebody "
         "else, who needs every byte. So nothing is read ahead.";
  EXPECT_TRUE(net.saw({"resume()", "end", "finish", "close"}))
      << "Not even the end is looked for before resume().";
}

TEST(Adopted, PauseBeforeConnectIsHonouredToo) {
  RULE("ACC-1");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  socket->pause();
  net.read(*socket);
  socket->on_ready([&] {
    net.add("ready");
    Connection peer = server.accept();
    peer.send("hello");
    net.loop().set_timeout(1ms, [&] {
      net.add("resume()");
      socket->resume();
    });
  });
  socket->on_end([&] { net.add("end"); });

  net.run();

  EXPECT_TRUE(net.saw({"ready", "resume()", "data hello", "end"}))
      << "pause() was called while it connected, and still holds.";
}
