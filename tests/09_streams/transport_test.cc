#include "chapters/09_streams/transport.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chapters/05_unix_sockets/fd.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/peer.h"
#include "tests/09_streams/wire.h"

using namespace graded;

namespace {

using Pieces = std::vector<std::string_view>;

// A transport over one end of a TCP connection; the peer has the other one.
struct Connected {
  Connected() : Connected(TcpPair()) {}
  Connection peer;
  net::FdTransport wire;

  // Waits until poll() reports one of `events`.
  void until(short events) {
    Unwatched ours;
    pollfd waited{wire.fd(), events, 0};
    if (::poll(&waited, 1, 5000) <= 0)
      ADD_FAILURE() << "The test waited 5 seconds for its own socket.";
  }

 private:
  explicit Connected(TcpPair pair)
      : peer(std::move(pair.ours)), wire(net::Fd(non_blocking(pair.theirs))) {}

  static int non_blocking(int fd) {
    Unwatched ours;
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
  }
};

// Reads at most `n` bytes: "hel", or what came of it.
std::string read(net::Transport& wire, std::size_t n = 100) {
  std::string buffer(n, '?');
  net::IoResult result = wire.read(buffer);
  if (result.kind != net::IoResult::kBytes || result.bytes > n)
    return in_words(result);
  return buffer.substr(0, result.bytes);
}

std::string write(net::Transport& wire, const Pieces& pieces) {
  return in_words(wire.write(pieces));
}

// Writes until all of it is out: the number of calls; -1: it did not go on.
int write_all(net::Transport& wire, std::span<const std::string_view> pieces) {
  int n = 0;
  std::size_t out = 0;
  while (!pieces.empty()) {
    std::vector<std::string_view> rest(pieces.begin(), pieces.end());
    rest[0].remove_prefix(out);
    net::IoResult result = wire.write(rest);
    ++n;
    if (result.kind != net::IoResult::kBytes || result.bytes == 0) return -1;
    out += result.bytes;
    while (!pieces.empty() && out >= pieces[0].size()) {
      out -= pieces[0].size();
      pieces = pieces.subspan(1);
    }
  }
  return n;
}

std::size_t number_of(Call family) {
  return calls(family).size();
}

// False when no end comes within 2 seconds.
bool reads_the_end(Connection& peer) {
  Unwatched ours;
  pollfd waited{peer.fd(), POLLIN, 0};
  char byte;
  return ::poll(&waited, 1, 2000) > 0 &&
         ::recv(peer.fd(), &byte, 1, MSG_DONTWAIT) == 0;
}

// The reset of the peer is here.
void reset_by_peer(Connected& connection) {
  connection.peer.reset();
  connection.until(POLLRDHUP);
}

}  // namespace

TEST(Transport, ReadsWhatIsThereAndNeverWaits) {
  RULE("WIRE-1");
  Connected connection;
  connection.peer.send("hello");
  connection.until(POLLIN);

  std::vector<std::string> got = {read(connection.wire, 3),
                                  read(connection.wire, 3),
                                  read(connection.wire, 3)};

  EXPECT_IS(got, (std::vector<std::string>{"hel", "lo", "wants read"}))
      << "The peer sent \"hello\", and three times there was room for 3 bytes. "
         "The last time nothing is there: poll() knows when to read again.";
  EXPECT_IS(number_of(Call::kReceive), 3u)
      << "One recv() for each read(): what there is room for decides how much "
         "comes, and whoever reads decides whether to read on.";
}

TEST(Transport, TellsTheEndFromAReset) {
  RULE("WIRE-2");
  Connected ended, reset;
  ended.peer.send("bye");
  ended.peer.finish();
  ended.until(POLLRDHUP);
  reset_by_peer(reset);

  std::vector<std::string> of_ended = {read(ended.wire), read(ended.wire),
                                       read(ended.wire)};
  std::vector<char> buffer(10);
  net::IoResult of_reset = reset.wire.read(buffer);

  EXPECT_IS(of_ended, (std::vector<std::string>{"bye", "end", "end"}))
      << "First comes what was sent before the end, then the end, and it "
         "stays.";
  EXPECT_IS(in_words(of_reset), "failed: read ECONNRESET")
      << "That peer did not end: it broke the connection, and what it had "
         "sent may be lost. This is syscall and code of the error.";
  EXPECT_IS(of_reset.error.value_or(net::Error()).message, "read ECONNRESET")
      << "As Node says it. Error::from_errno() makes it of errno and \"read\".";
}

TEST(Transport, WritesAllPiecesWithOneCall) {
  RULE("WIRE-3");
  Connected connection;
  std::string zeros(2, '\0');

  std::string all = write(connection.wire, {"hel", "", "lo ", zeros, "!"});
  std::size_t sends = number_of(Call::kSend);
  std::string received = connection.peer.receive(9);
  std::string part;
  {
    Fault little_room(Call::kSend, {at_most(4)});
    part = write(connection.wire, {"abc", "def"});
  }

  EXPECT_IS(all, "9 bytes") << "There was room for all of the five pieces.";
  EXPECT_IS(received, "hello " + zeros + "!")
      << "In order, and a piece is bytes: a zero byte does not end it.";
  EXPECT_IS(sends, 1u)
      << "With a call per piece each could be a packet of its own; sendmsg() "
         "takes a list.";
  EXPECT_IS(part, "4 bytes")
      << "The system took 4 of 6 bytes. One call, and the caller learns how "
         "far it came: the rest is not lost.";
}

TEST(Transport, WritesMorePiecesThanTheSystemTakes) {
  RULE("WIRE-3");
  Connected connection;
  std::string bytes = random_text(random_number(2100, 3000));
  Pieces pieces, empty(2000);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    pieces.push_back(std::string_view(bytes).substr(i, 1));
  empty.push_back("x");

  int calls_needed = write_all(connection.wire, pieces);
  std::string received =
      calls_needed < 0 ? "" : connection.peer.receive(bytes.size());
  std::string after_empty = write(connection.wire, empty);

  EXPECT_IS(calls_needed, 3)
      << bytes.size()
      << " pieces of one byte, and sendmsg() takes IOV_MAX (1,024) with "
         "one call. With one more it fails with EMSGSIZE and sends nothing. -1 "
         "here: a write() moved nothing.";
  EXPECT_IS(received, bytes) << "Each byte once, in order.";
  EXPECT_IS(after_empty, "1 bytes")
      << "2,000 empty pieces, then \"x\". kBytes means at least one: the empty "
         "pieces may not take the places of what there is to send.";
}

TEST(Transport, SaysThatThereIsNoRoom) {
  RULE("WIRE-3");
  Connected connection;
  std::string block = random_bytes(1 << 20), sent, last;
  // 64 MB are more than two buffers ever take.
  for (int i = 0; i < 64; ++i) {
    net::IoResult result = connection.wire.write(Pieces{block});
    last = in_words(result);
    if (result.kind != net::IoResult::kBytes) break;
    sent += block.substr(0, result.bytes);
  }
  ASSERT_IS(last, "wants write")
      << "The peer does not read, so its buffers and ours are full some time: "
         "then poll() knows when to write again.";

  std::string received = connection.peer.receive(sent.size());
  connection.until(POLLOUT);
  std::string again = write(connection.wire, {"!"});

  EXPECT_IS(received == sent, true)
      << "The peer got what write() said it had taken, no more and no less.";
  EXPECT_IS(again, "1 bytes") << "The peer has read: there is room again.";
}

TEST(Transport, GoesOnAfterASignal) {
  RULE("WIRE-4");
  Connected connection;
  connection.peer.send("hello");
  connection.until(POLLIN);
  Fault reading(Call::kReceive, {fails(EINTR), fails(EINTR)});
  Fault writing(Call::kSend,
                {fails(EINTR), fails(EINTR), real(), fails(EINTR)});

  std::string got = read(connection.wire);
  std::string written = write(connection.wire, {"hi"});
  net::IoResult of_two = connection.wire.write(Pieces{"hi", "ho"});

  EXPECT_IS(got, "hello")
      << "A signal came before the call had done anything (EINTR). That says "
         "nothing about the connection: the call is made again.";
  EXPECT_IS(written, "2 bytes") << "The same for sending.";
  EXPECT_IS(of_two.kind == net::IoResult::kBytes, true)
      << "And for two pieces.";
}

TEST(Transport, SurvivesAPeerThatIsGone) {
  RULE("WIRE-4");
  Connected connection;
  reset_by_peer(connection);
  read(connection.wire);

  net::IoResult result = connection.wire.write(Pieces{"hello"});
  std::string of_two = write(connection.wire, {"hel", "lo"});

  EXPECT_IS(in_words(result), "failed: write EPIPE")
      << "The peer has reset the connection, and read() has said so. Without "
         "MSG_NOSIGNAL the system sends SIGPIPE, and that ends the program.";
  EXPECT_IS(of_two, "failed: write EPIPE") << "The same for two pieces.";
  EXPECT_IS(result.error.value_or(net::Error()).message, "write EPIPE")
      << "As Node says it.";
}

TEST(Transport, EndsItsOwnDirectionOnly) {
  RULE("WIRE-5");
  Connected connection;
  write(connection.wire, {"bye"});

  std::string result = in_words(connection.wire.shutdown_write());
  std::string received = connection.peer.receive(3);
  bool ended = reads_the_end(connection.peer);
  connection.peer.send("later");
  connection.until(POLLIN);

  EXPECT_IS(result, "end") << "kEnd: it is done.";
  EXPECT_IS(received, "bye") << "What was written before is not lost.";
  EXPECT_IS(ended, true)
      << "The peer reads the end after it. It would wait for more otherwise.";
  EXPECT_IS(read(connection.wire), "later")
      << "The other direction goes on: the peer has not ended.";
}

TEST(Transport, NeedsNoFinWhereNobodyIsLeft) {
  RULE("WIRE-5");
  Connected connection, closed;
  reset_by_peer(connection);
  closed.wire.close();

  std::string of_reset = in_words(connection.wire.shutdown_write());
  step("test", "has closed the second transport itself, and ends it now");
  std::string of_closed = in_words(closed.wire.shutdown_write());

  EXPECT_IS(of_reset, "end")
      << "The peer has reset the connection: shutdown() says ENOTCONN. There "
         "is nobody to tell, so it is done, and read() tells of the reset.";
  EXPECT_IS(read(connection.wire), "failed: read ECONNRESET")
      << "The reset is still there to be read.";
  EXPECT_IS(of_closed, "failed: shutdown EBADF")
      << "This transport was closed by its own side: a mistake, and shutdown() "
         "says which.";
}
