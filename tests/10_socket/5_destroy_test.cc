// Part 5: the end of a connection that somebody wants at once, or that breaks.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/10_socket/support.h"

using namespace graded;

namespace {

auto adds(Net& net, std::string what) {
  return
      [&net, what](const Error* error) { net.add(what + " " + code(error)); };
}

ConnectOptions half_open() {
  ConnectOptions options;
  options.allow_half_open = true;
  return options;
}

// Waits, as a peer does, until a reset has arrived.
void until_readable(int fd) {
  Unwatched ours;
  pollfd it{fd, POLLIN, 0};
  ::poll(&it, 1, -1);
}

}  // namespace

TEST(Destroy, IsAtOnceAndCloseComesLater) {
  RULE("DEST-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  Socket& socket = *ends.socket;
  net.loop().set_timeout(0ms, [&] {
    net.add(&socket.destroy() == &socket ? "destroyed" : "another socket");
    net.add(std::string("destroyed ") + yes_no(socket.destroyed()) +
            ", readable " + yes_no(socket.readable()) + ", writable " +
            yes_no(socket.writable()));
  });

  net.run();

  EXPECT_TRUE(net.saw(
      {"destroyed", "destroyed yes, readable no, writable no", "close"}))
      << "The socket is of no more use when destroy() returns; close follows.";
}

TEST(Destroy, InADataListenerIsTheLastOfTheData) {
  RULE("DEST-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.peer.send("one");
  ends.peer.finish();
  ends.socket->on_data([&](std::string_view bytes) {
    net.data("", bytes);
    ends.socket->destroy();
  });

  net.run();

  EXPECT_TRUE(net.saw({"data one", "close"}))
      << "After destroy() only close comes: no more data, no end.";
}

TEST(Destroy, DropsWhatNobodyHasRead) {
  RULE("DEST-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.peer.send("unread");
  ends.peer.finish();
  net.settle();

  net.read(*ends.socket);
  ends.socket->destroy();
  net.run();

  EXPECT_TRUE(net.saw({"close"}))
      << "The data listener had come, but destroy() was quicker.";
}

TEST(Destroy, InTheConnectListener) {
  RULE("DEST-1");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  net.record(*socket);
  socket->on_connect([&] { socket->destroy(); });

  net.run();

  EXPECT_TRUE(net.saw({"connect", "close"}))
      << "Not even ready comes after destroy().";
}

TEST(Destroy, InTheEndListener) {
  RULE("DEST-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.socket->on_end([&] { ends.socket->destroy(); });
  ends.peer.finish();

  net.run();

  EXPECT_TRUE(net.saw({"end", "close"}))
      << "The automatic end() has nothing left to do: one close.";
}

TEST(Destroy, InTheDrainListener) {
  RULE("DEST-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  Reader reader(net, ends.peer);
  ends.socket->on_drain([&] { ends.socket->destroy(); });
  ends.socket->write(std::string(1'000'000, 'x'), adds(net, "written"));

  net.run();

  EXPECT_TRUE(net.saw({"drain", "written ok", "close"}))
      << "The bytes are out, and their callback is told so before close.";
}

TEST(Destroy, InTheEndCallback) {
  RULE("DEST-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.socket->end([&] {
    net.add("callback");
    ends.socket->destroy();
  });

  net.run();

  EXPECT_TRUE(net.saw({"callback", "close"}))
      << "finish would come after the callbacks, but the socket is destroyed.";
}

TEST(Destroy, InTheFinishListener) {
  RULE("DEST-1");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.socket->on_finish([&] { ends.socket->destroy(); });
  ends.peer.finish();
  ends.socket->end();

  net.run();

  EXPECT_IS(net.events.back(), "close") << "close is the last event.";
  EXPECT_IS(std::count(net.events.begin(), net.events.end(), "close"), 1)
      << "Both ends are over, and destroy() was called: still one close.";
}

TEST(DestroyWithAnError, TellsItAndThenCloses) {
  RULE("DEST-2");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  std::string message;
  ends.socket->on_error([&](const Error& error) {
    message = error.message;
    net.loop().defer([&] { net.add("deferred by the error listener"); });
  });

  ends.socket->destroy(Error("E_OURS", "enough"));
  net.add("destroy() has returned");
  net.run();

  EXPECT_TRUE(
      net.saw({"destroy() has returned", "error E_OURS", "close after an error",
               "deferred by the error listener"}))
      << "error, and directly after it close, which says that there was one.";
  EXPECT_IS(message, "enough") << "It is the very error that was given.";
}

TEST(DestroyWithAnError, ThatNobodyHearsLeavesTheLoop) {
  RULE("DEST-2");
  Net net;
  Ends ends = net.pair();
  ends.socket->on_close([&](bool had_error) {
    net.add(had_error ? "close after an error" : "close");
  });
  ends.socket->destroy(Error("E_OURS", "enough"));

  for (int i = 0; i < 2; ++i) {
    try {
      net.run();
    } catch (const Error& error) {
      net.add("run() throws " + error.code);
    }
  }

  EXPECT_TRUE(net.saw({"run() throws E_OURS", "close after an error"}))
      << "An error is never swallowed. And close comes all the same, when the "
         "loop runs again.";
}

TEST(DestroyAgain, DoesNothing) {
  RULE("DEST-3");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);

  ends.socket->destroy();
  ends.socket->destroy();
  ends.socket->destroy(Error("E_LATE", "too late"));
  net.run();
  ends.socket->destroy();
  net.run();

  EXPECT_TRUE(net.saw({"close"}))
      << "Once is enough: one close, and no error that comes too late.";
}

TEST(DestroyAgain, InTheErrorAndCloseListeners) {
  RULE("DEST-3");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.socket->on_error(
      [&](const Error&) { ends.socket->destroy(Error("E_TWO", "second")); });
  ends.socket->on_close([&](bool) { ends.socket->destroy(); });

  ends.socket->destroy(Error("E_ONE", "first"));
  net.run();

  EXPECT_TRUE(net.saw({"error E_ONE", "close after an error"}))
      << "Listeners that clean up call destroy() themselves, and often twice.";
}

TEST(DestroyAgain, ClosesTheDescriptorOnce) {
  RULE("DEST-3");
  Net net;
  int fd;
  Connection peer = unix_pair(fd);
  SocketPtr socket = net.adopt(fd);

  socket->destroy();
  net.run();
  socket->destroy();
  socket.reset();
  net.end_loop();

  std::vector<Record> closes = calls(Call::kClose);
  EXPECT_IS(std::count_if(closes.begin(), closes.end(),
                          [&](const Record& it) { return it.fd == fd; }),
            1)
      << "The number may be somebody else's by the second time.";
}

TEST(Destroyed, IsAnOrdinaryEndForThePeer) {
  RULE("DEST-5");
  Net net;
  Ends ends = net.tcp_pair();
  ends.socket->on_error([](const Error&) {});

  ends.socket->destroy(Error("E_OURS", "a secret"));
  net.run();

  EXPECT_IS(ends.peer.receive_all(), "")
      << "The peer reads the end: our error is not its business.";
}

TEST(Destroyed, WithUnreadBytesIsAResetForThePeer) {
  RULE("DEST-5");
  Net net;
  TcpPair made;
  int fd = made.theirs;
  SocketPtr socket = net.adopt(fd);
  socket->pause();
  made.ours.send("never read");
  until_readable(fd);

  socket->destroy();
  net.run();

  until_readable(made.ours.fd());
  EXPECT_IS(arrived(made.ours), "<ECONNRESET>")
      << "Bytes were there that nobody read. The kernel tells the peer so.";
}

TEST(DestroySoon, SendsWhatIsQueuedFirst) {
  RULE("DEST-7");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.socket->write(std::string(1'000'000, 'x'));
  ends.socket->destroy_soon();
  net.settle();
  Reader reader(net, ends.peer);

  net.run();

  EXPECT_IS(reader.got.size(), 1'000'000u) << "What was written goes out.";
  EXPECT_IS(reader.end, "FIN");
  EXPECT_TRUE(net.saw({"finish", "close"}))
      << "Then it is destroyed, though the peer has not ended.";
}

TEST(DestroySoon, AfterFinishIsDestroy) {
  RULE("DEST-7");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.socket->end();
  net.settle();

  ends.socket->destroy_soon();
  net.run();

  EXPECT_TRUE(net.saw({"finish", "close"})) << "There is nothing to wait for.";
}

TEST(Reset, IsSeenByThePeer) {
  RULE("DEST-9");
  Net net;
  Ends ends = net.tcp_pair();
  net.record(*ends.socket);

  ends.socket->reset_and_destroy();
  net.run();

  until_readable(ends.peer.fd());
  EXPECT_IS(arrived(ends.peer), "<ECONNRESET>")
      << "RST instead of FIN: with SO_LINGER of zero close() sends it.";
  EXPECT_TRUE(net.saw({"close"})) << "For us it is no error.";
}

TEST(Reset, WaitsForTheConnection) {
  RULE("DEST-9");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  net.record(*socket);

  socket->reset_and_destroy();
  net.run();

  EXPECT_TRUE(net.saw({"connect", "close"}))
      << "Before it is connected there is nothing to reset.";
  Connection peer = server.accept();
  until_readable(peer.fd());
  EXPECT_IS(arrived(peer), "<ECONNRESET>");
}

TEST(Reset, OfOneThatIsNotConnectedIsAnError) {
  RULE("DEST-9");
  Net net;
  SocketPtr socket = Socket::create(net.loop());
  net.record(*socket);

  socket->reset_and_destroy();
  net.run();

  EXPECT_TRUE(net.saw({"error ERR_SOCKET_CLOSED", "close after an error"}))
      << "There is no connection, and none is on its way.";
}

TEST(ResetByThePeer, IsAnErrorAndNoEnd) {
  RULE("ERR-2");
  Net net;
  Ends ends = net.tcp_pair();
  net.record(*ends.socket);
  net.read(*ends.socket);
  std::string call;
  ends.socket->on_error([&](const Error& error) { call = error.syscall; });

  ends.peer.reset();
  net.run();

  EXPECT_TRUE(net.saw({"error ECONNRESET", "close after an error"}))
      << "A reset is no end: what came so far may be half of it.";
  EXPECT_IS(call, "read") << "This is the call that failed.";
}

TEST(ResetByThePeer, TellsQueuedWrites) {
  RULE("ERR-2");
  Net net;
  Ends ends = net.tcp_pair(half_open());
  net.record(*ends.socket);
  net.settle();
  ends.socket->write(std::string(30'000'000, 'x'), adds(net, "callback"));

  ends.peer.reset();
  net.run();

  std::vector<std::string> seen = net.events;
  for (std::string& event : seen)
    if (event.find("EPIPE") != event.npos)
      event.replace(event.find("EPIPE"), 5, "ECONNRESET");
  EXPECT_IS(seen,
            (std::vector<std::string>{"callback ECONNRESET", "error ECONNRESET",
                                      "close after an error"}))
      << "The write that waited gets the reason, then comes one error.";
}

TEST(DroppedWrites, GetTheReason) {
  RULE("WRITE-12");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.socket->write("out", adds(net, "first"));
  ends.socket->write(std::string(1'000'000, 'x'), adds(net, "second"));
  ends.socket->write("x", adds(net, "third"));
  ends.socket->end(adds(net, "end()"));

  ends.socket->destroy();
  net.add("destroy() has returned");
  net.run();

  EXPECT_TRUE(net.saw(
      {"destroy() has returned", "first ok", "second ERR_STREAM_DESTROYED",
       "third ERR_STREAM_DESTROYED", "end() ERR_STREAM_DESTROYED", "close"}))
      << "The system had taken the first. The others are lost, and their "
         "callbacks know; but nobody made an error.";
}

TEST(DroppedWrites, AreNotSent) {
  RULE("WRITE-12");
  Net net;
  Ends ends = net.pair();
  ends.socket->on_close([&](bool) { net.add("close"); });
  ends.socket->write(std::string(1'000'000, 'x'));
  std::size_t before = arrived(ends.peer).size();

  ends.socket->destroy();
  net.run();

  EXPECT_IS(before < 1'000'000, true) << "Not all of it fitted at once.";
  EXPECT_IS(arrived(ends.peer), "<FIN>")
      << "destroy() gives up at once: what is queued is not sent any more.";
  EXPECT_TRUE(net.saw({"close"}));
}

TEST(DroppedWrites, GetTheErrorThatDestroyedTheSocket) {
  RULE("WRITE-12");
  Listener server;
  Net net;
  SocketPtr socket = net::connect(net.loop(), server.port(), "127.0.0.1");
  net.record(*socket);
  socket->write("x", adds(net, "callback"));

  socket->destroy(Error("E_OURS", "enough"));
  net.run();

  EXPECT_TRUE(
      net.saw({"callback E_OURS", "error E_OURS", "close after an error"}))
      << "If there is a reason, this is what the callbacks are told.";
}

TEST(WriteAfterDestroy, TellsOnlyItsCallback) {
  RULE("WRITE-12");
  Net net;
  Ends ends = net.pair();
  net.record(*ends.socket);
  ends.socket->destroy();

  bool room = ends.socket->write("x", adds(net, "callback"));
  net.add(room ? "true" : "false");
  net.run();
  ends.socket->write("y", adds(net, "after close"));
  net.run();

  EXPECT_TRUE(net.saw({"false", "close", "callback ERR_STREAM_DESTROYED",
                       "after close ERR_STREAM_DESTROYED"}) ||
              net.saw({"false", "callback ERR_STREAM_DESTROYED", "close",
                       "after close ERR_STREAM_DESTROYED"}))
      << "Something may still be writing when a socket is destroyed: its "
         "callback hears of it; it is no error.";
}
