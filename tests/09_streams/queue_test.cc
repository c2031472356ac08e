#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chapters/09_streams/write_queue.h"
#include "common/error.h"
#include "common/testing/graded.h"
#include "common/testing/memory.h"
#include "common/testing/peer.h"
#include "tests/09_streams/wire.h"

using namespace graded;
using net::WriteQueue;

namespace {

// A callback that says its name.
net::Callback says(Trace& trace, const std::string& name) {
  return [&trace, name] { trace.add("done: ", name); };
}

net::Error reset() {
  return net::Error::from_errno(ECONNRESET, "write");
}

// "push: true, size 9"
std::string push(WriteQueue& queue, std::size_t n) {
  bool more = queue.push(std::string(n, 'x'));
  std::string line = "push " + std::to_string(n) + ": " +
                     (more ? "true" : "false") + ", size " +
                     std::to_string(queue.size());
  step("you", line);
  return line;
}

}  // namespace

TEST(Queue, CallsBackInOrderOnceAndNeverInsideACall) {
  RULE("WRITE-2");
  Wire wire(3);
  WriteQueue queue;
  Trace trace;

  queue.push("a", says(trace, "a"));
  queue.push("bcd", says(trace, "b"));
  queue.push("no callback");
  queue.push("e", says(trace, "e"));
  trace.add("pushed");
  flush(queue, wire);
  trace.add("flushed, a is out");
  call_done(queue);
  wire.more(100);
  flush(queue, wire);
  trace.add("flushed, all is out");
  std::size_t due = queue.take_done().size();
  queue.push("f", says(trace, "f"));
  flush(queue, wire);
  call_done(queue);
  call_done(queue);

  EXPECT_TRUE(trace.is({"pushed", "flushed, a is out", "done: a",
                        "flushed, all is out", "done: f"}))
      << "Nobody is called inside push() or flush(): they return first, and "
         "the callbacks are in the answer of take_done(). b and e were taken, "
         "and not called: they must not be in a later answer.";
  EXPECT_IS(due, 2u)
      << "b and e. The write without a callback has none to hand out.";
}

TEST(Queue, CallsBackWhenTheLastByteIsOut) {
  RULE("WRITE-2");
  Wire wire(0);
  WriteQueue queue;
  Trace trace;
  queue.push("ab", says(trace, "ab"));
  queue.push("", says(trace, "no bytes"));
  queue.push("cd", says(trace, "cd"));

  for (int i = 1; i <= 4; ++i) {
    wire.more(1);
    flush(queue, wire);
    trace.add(i, " out");
    call_done(queue);
  }

  EXPECT_TRUE(trace.is({"1 out", "2 out", "done: ab", "done: no bytes", "3 out",
                        "4 out", "done: cd"}))
      << "Room for one byte at a time. The callback says that the system has "
         "all bytes of that write, so it waits for the last of them.";
}

TEST(Queue, SaysStopAtTheMark) {
  RULE("WRITE-3");
  WriteQueue queue(10);
  WriteQueue mark_of_zero(0);

  std::vector<std::string> got = {push(queue, 9), push(queue, 1),
                                  push(queue, 0), push(queue, 5)};
  std::vector<std::string> of_zero = {push(mark_of_zero, 0),
                                      push(mark_of_zero, 1)};

  EXPECT_IS(got, (std::vector<std::string>{
                     "push 9: true, size 9", "push 1: false, size 10",
                     "push 0: false, size 10", "push 5: false, size 15"}))
      << "The mark is 10. Below it there is room, at it and above it there is "
         "none, whatever the length of the write that asks.";
  EXPECT_IS(of_zero, (std::vector<std::string>{"push 0: true, size 0",
                                               "push 1: false, size 1"}))
      << "The mark is 0. As long as nothing waits, there is nothing to wait "
         "for: no drain could come.";
}

TEST(Queue, SaysGoOnWhenAllIsTakenAtOnce) {
  RULE("WRITE-3");
  Wire wire(1000);
  WriteQueue queue(10), mark_of_zero(0);

  bool zero_mark = mark_of_zero.write(wire, "x");
  bool taken_whole = queue.write(wire, std::string(990, 'x'));
  bool drain = queue.take_drain();
  bool taken_in_part = queue.write(wire, std::string(10, 'x'));

  EXPECT_IS(taken_whole, true)
      << "990 bytes, with a mark of 10; but the wire took them all, so nothing "
         "waits. The mark is about what waits, not about lengths.";
  EXPECT_IS(drain, false) << "Nobody was told to stop: no drain.";
  EXPECT_IS(taken_in_part, false)
      << "10 bytes, and the wire took 9 of them: a write of 10 bytes waits, "
         "and as a whole it counts (WRITE-5).";
  EXPECT_IS(queue.size(), 10u) << "The bytes of that write.";
  EXPECT_IS(zero_mark, true) << "The mark is 0, but nothing waits.";
}

TEST(Queue, HasTheMarkOfNode) {
  RULE("WRITE-4");
  WriteQueue queue;

  std::vector<std::string> got = {push(queue, 16383), push(queue, 1)};

  EXPECT_IS(got, (std::vector<std::string>{"push 16383: true, size 16383",
                                           "push 1: false, size 16384"}))
      << "Nobody gave a mark: it is 16,384, as Node's.";
  EXPECT_IS(queue.high_water_mark(), 16384u) << "And this tells it.";
  EXPECT_IS(WriteQueue(7).high_water_mark(), 7u) << "This one was given 7.";
}

TEST(Queue, CountsAWriteUntilItsLastByteIsOut) {
  RULE("WRITE-5");
  Wire wire(9);
  WriteQueue queue;
  std::vector<std::size_t> sizes;
  auto look = [&] { sizes.push_back(queue.size()); };

  look();
  queue.push("0123456789");
  look();
  queue.push("01234");
  look();
  for (std::size_t room : {0, 1, 4, 1}) {
    wire.more(room);
    flush(queue, wire);
    look();
  }

  EXPECT_IS(sizes, (std::vector<std::size_t>{0, 10, 15, 15, 5, 5, 0}))
      << "Writes of 10 and 5 bytes. On the wire are then 9, 10, 14 and 15 "
         "bytes. As in Node, all bytes of a write count until the last of "
         "them is out.";
}

TEST(Queue, SendsAllTheSameAfterAFalse) {
  RULE("WRITE-6");
  Wire wire(4);
  WriteQueue queue(2);

  queue.write(wire, "one,");
  queue.push("two,");
  queue.push("three,");
  wire.more(3);
  queue.write(wire, "four,");
  wire.more(100);
  flush(queue, wire);
  queue.write(wire, "five");

  EXPECT_IS(wire.taken, "one,two,three,four,five")
      << "The mark is 2, so most of these writes got false. That is advice to "
         "wait; every byte is sent all the same, in the order of the writes.";
  EXPECT_IS(queue.empty(), true) << "All of it is out.";
}

TEST(Queue, SendsWhatWasWrittenWhateverTheRoom) {
  RULE("WRITE-6");
  std::string text = random_text(random_number(15'000, 25'000));
  std::string_view rest = text;
  Wire wire(0);
  wire.quiet();
  wire.take_at_once(97);
  WriteQueue queue;
  std::size_t turn = 0;

  while (!rest.empty()) {
    ++turn;
    std::size_t n = turn * 7919 % 211, room = turn * 104729 % 307;
    if (turn % 3 == 0)
      queue.push(rest.substr(0, n));
    else
      queue.write(wire, rest.substr(0, n));
    rest.remove_prefix(std::min(n, rest.size()));
    if (turn % 2 == 0) {
      wire.more(room);
      queue.flush(wire);
    }
  }
  wire.more(text.size());
  flush(queue, wire);

  EXPECT_IS(wire.taken, text)
      << "Writes of 0 to 210 bytes, and now and then room for 0 to 306: what "
         "comes out is what went in.";
}

TEST(Queue, DropsWhatWaits) {
  RULE("WRITE-12");
  Wire wire(4);
  WriteQueue queue(3);
  Trace trace;
  queue.push("ab", says(trace, "ab"));
  queue.push("cdef", says(trace, "cdef"));
  queue.push("no callback");
  queue.push("gh", says(trace, "gh"));
  flush(queue, wire);

  std::vector<net::Callback> dropped = queue.take_dropped();
  std::string state = std::to_string(queue.size()) + " bytes wait, " +
                      (queue.empty() ? "empty" : "not empty") +
                      (queue.needs_drain() ? ", needs drain" : "") +
                      (queue.take_drain() ? ", drain" : "");
  for (const net::Callback& it : dropped) it(nullptr);
  trace.add("was out:");
  call_done(queue);
  std::size_t again = queue.take_dropped().size();
  wire.more(100);
  flush(queue, wire);
  queue.push("new");
  flush(queue, wire);

  EXPECT_TRUE(trace.is({"done: cdef", "done: gh", "was out:", "done: ab"}))
      << "\"ab\" was out, and take_done() has its callback. Of \"cdef\" 2 "
         "bytes were, so the write is dropped; \"gh\" waited behind it.";
  EXPECT_IS(state, "0 bytes wait, empty")
      << "Nothing waits any more, and no drain comes for what was dropped.";
  EXPECT_IS(wire.taken, "abcdnew")
      << "Not a byte more of what was dropped; what is pushed later is new.";
  EXPECT_IS(again, 0u) << "Each callback is in one answer.";
}

TEST(Queue, DropsWhatFailed) {
  RULE("WRITE-12");
  Wire broken(0), healthy;
  broken.when_full({.kind = net::IoResult::kFailed, .error = reset()});
  WriteQueue queue;
  Trace trace;
  queue.write(broken, "abc", says(trace, "abc"));
  queue.write(broken, "def", says(trace, "def"));

  for (const net::Callback& it : queue.take_dropped()) it(nullptr);
  queue.push("x");
  std::string result = flush(queue, healthy);

  EXPECT_TRUE(trace.is({"done: abc", "done: def"}))
      << "The connection broke inside write(). The callbacks of what waits are "
         "there to be told the reason.";
  EXPECT_IS(result, "1 bytes")
      << "The queue is as new: the failure that write() had kept is dropped "
         "with the rest, and \"x\" goes to a wire that is whole.";
}

TEST(Queue, ForgetsItsCallbacksWhenItGoes) {
  RULE("WRITE-12");
  Wire wire(1);
  auto witness = std::make_shared<int>(0);
  net::Callback counts = [witness] { ++*witness; };
  {
    WriteQueue queue;
    queue.push("a", counts);
    queue.push("b", counts);
    flush(queue, wire);
    WriteQueue moved(std::move(queue));
    ASSERT_IS(moved.size(), 1u) << "It was moved with what waits in it.";
  }

  EXPECT_IS(*witness, 0)
      << "The queue is gone, one write was out, and one waited. Its owner did "
         "not ask for the callbacks: they are not called.";
}

TEST(Queue, AWriteOfNoBytesIsAWrite) {
  RULE("WRITE-13");
  Wire full(0), wire(2);
  WriteQueue at_once, waiting, between;
  Trace trace;

  bool more = at_once.write(full, "", says(trace, "at once"));
  call_done(at_once);
  bool room = waiting.push("", says(trace, "waited"));
  trace.add(room ? "true" : "false", waiting.empty() ? ", empty" : ", waits");
  flush(waiting, full);
  trace.add(waiting.empty() ? "empty" : "still waits");
  call_done(waiting);
  between.push("a", says(trace, "a"));
  between.push("", says(trace, "between"));
  between.push("b", says(trace, "b"));
  flush(between, wire);
  call_done(between);

  EXPECT_IS(more, true) << "No bytes, and nothing waits.";
  EXPECT_TRUE(trace.is({"done: at once", "true, waits", "empty", "done: waited",
                        "done: a", "done: between", "done: b"}))
      << "A write of no bytes has its callback, and its place in the order. It "
         "needs no room: when all before it is out, it is out. But push() only "
         "queues, also where nothing waits before it: it is out with the next "
         "flush().";
}

TEST(Queue, AWriteWaitsBehindOneOfNoBytes) {
  RULE("WRITE-13");
  Wire wire;
  WriteQueue queue;
  Trace trace;

  queue.push("", says(trace, "no bytes"));
  queue.write(wire, "b", says(trace, "b"));
  flush(queue, wire);
  call_done(queue);

  EXPECT_TRUE(trace.is({"done: no bytes", "done: b"}))
      << "size() is 0, and still a write waits: the queue is not empty(). "
         "write() goes past the queue only when it is.";
}

TEST(Queue, DrainsOnceWhenItIsEmpty) {
  RULE("DRAIN-1");
  Wire wire(0);
  WriteQueue queue(10);
  std::vector<std::string> trace;
  auto look = [&](const std::string& when) {
    trace.push_back(when + (queue.take_drain() ? ": drain" : ": no drain"));
  };

  for (std::size_t n : {10, 10, 5}) queue.push(std::string(n, 'x'));
  look("25 bytes wait");
  wire.more(24);
  flush(queue, wire);
  look("1 is left");
  wire.more(1);
  flush(queue, wire);
  look("all is out");
  look("asked again");

  EXPECT_IS(trace, (std::vector<std::string>{
                       "25 bytes wait: no drain", "1 is left: no drain",
                       "all is out: drain", "asked again: no drain"}))
      << "The mark is 10, and all three writes got false. The drain comes when "
         "the queue is empty, not when it falls below the mark (5 bytes wait "
         "when 1 is left); and there is one, not one for each false.";
}

TEST(Queue, DoesNotDrainWithoutAFalse) {
  RULE("DRAIN-2");
  Wire wire;
  WriteQueue queue(10);
  bool unused = queue.take_drain();

  queue.push(std::string(9, 'x'));
  flush(queue, wire);
  bool after_push = queue.take_drain();

  EXPECT_IS(unused, false) << "Nothing was ever written.";
  EXPECT_IS(after_push, false)
      << "9 bytes waited, with a mark of 10: nobody was told to stop.";
}

TEST(Queue, NeedsADrainUntilItComes) {
  RULE("DRAIN-4");
  Wire wire(0);
  WriteQueue queue(10);
  std::vector<std::string> trace;
  auto look = [&](const std::string& when) {
    trace.push_back(when + (queue.needs_drain() ? ": yes" : ": no"));
  };

  queue.push("x");
  look("below the mark");
  queue.push(std::string(10, 'x'));
  look("after a false");
  wire.more(10);
  flush(queue, wire);
  look("in part out");
  wire.more(1);
  flush(queue, wire);
  look("all out");
  queue.push("x");
  look("one byte more");
  queue.take_drain();
  look("asked too early");
  wire.more(1);
  flush(queue, wire);
  queue.take_drain();
  look("drained");

  EXPECT_IS(trace, (std::vector<std::string>{
                       "below the mark: no", "after a false: yes",
                       "in part out: yes", "all out: yes", "one byte more: yes",
                       "asked too early: yes", "drained: no"}))
      << "needs_drain() is true from the false to the take_drain() that is "
         "true. Between, the producer still waits for the event.";
}

TEST(Queue, DrainsOncePerSaturation) {
  RULE("DRAIN-5");
  Wire wire(0);
  WriteQueue queue(10);
  std::string drains;

  for (std::size_t n : {10, 10, 9, 11}) {
    queue.push(std::string(n, 'x'));
    wire.more(n);
    flush(queue, wire);
    drains += queue.take_drain() ? "drain " : "none ";
  }

  EXPECT_IS(drains, "drain drain none drain ")
      << "Writes of 10, 10, 9 and 11 bytes, each into an empty queue with a "
         "mark of 10. Each false has a drain of its own, and the write of 9 "
         "bytes got true.";
}

TEST(Queue, DoesNotCopyWhatIsTakenAtOnce) {
  RULE("COPY-1");
  Sink sink;
  Wire wire(1'000'000 - 10);
  WriteQueue queue, other;
  std::string bytes(1'000'000, 'x');
  wire.quiet();
  wire.taken.reserve(bytes.size());

  Memory memory;
  for (int i = 0; i < 100; ++i) queue.write(sink, bytes);
  int allocations = memory.allocations();
  other.write(wire, bytes);
  long held = memory.held();

  EXPECT_IS(allocations, 0)
      << "100 writes that the transport took whole, counted in operator new. "
         "Nothing of them had to wait.";
  EXPECT_IS(held <= 1000, true)
      << "The wire took all but 10 bytes of a million. Those 10 have to be "
         "kept; but "
      << held << " bytes of memory are held now.";
}

TEST(Queue, OffersAllBeforeItCopies) {
  RULE("COPY-1");
  Wire wire(50);
  wire.take_at_once(10);
  WriteQueue queue;

  queue.write(wire, std::string(50, 'a'));
  bool empty = queue.empty();
  queue.write(wire, "b");
  std::size_t calls = wire.calls;
  wire.more(1);
  queue.write(wire, "c");

  EXPECT_IS(empty, true)
      << "There was room for all 50 bytes, but the wire takes 10 with one "
         "call. Only an answer that is not kBytes says that there is no room.";
  EXPECT_IS(calls, 6u) << "Five times 10 bytes, and once no room for \"b\".";
  EXPECT_IS(wire.taken, std::string(50, 'a'))
      << "\"b\" waits, so \"c\" waits behind it, though there is room now.";
}

TEST(Queue, KeepsACopyOfWhatWaits) {
  RULE("COPY-1");
  Wire wire(3);
  WriteQueue queue;
  std::string buffer = "a long text that no object has room for in itself: 64";
  std::string first = buffer, second(first.size(), '2');

  queue.write(wire, buffer);
  buffer.assign(buffer.size(), '2');
  queue.push(buffer);
  buffer.assign(buffer.size(), '!');
  wire.more(1000);
  flush(queue, wire);

  EXPECT_IS(wire.taken, first + second)
      << "The caller filled one buffer twice, and used it for something else "
         "at the end. When write() or push() has returned, the buffer is the "
         "caller's again.";
}

TEST(Queue, GoesOnWhereItStopped) {
  RULE("FLUSH-1");
  Wire wire(5);
  wire.take_at_once(2);
  WriteQueue queue;
  for (const char* bytes : {"abc", "d", "efghij", "", "kl"}) queue.push(bytes);
  std::vector<std::string> answers;
  std::vector<std::size_t> written;
  auto go_on = [&] {
    net::IoResult result = queue.flush(wire);
    answers.push_back(in_words(result));
    written.push_back(result.bytes);
  };

  go_on();
  wire.when_full({.kind = net::IoResult::kWantsRead});
  wire.more(2);
  go_on();
  wire.more(5);
  go_on();
  std::size_t calls = wire.calls;
  go_on();

  EXPECT_IS(wire.taken, "abcdefghijkl")
      << "The wire had room for 5, 2 and 5 bytes, and took at most 2 with one "
         "call. Each byte is written once, in order.";
  EXPECT_IS(answers, (std::vector<std::string>{"wants write", "wants read",
                                               "5 bytes", "0 bytes"}))
      << "It goes on until there is no more room, and says what the wire "
         "waits for (with TLS that can be something to read); kBytes when the "
         "queue is empty.";
  EXPECT_IS(written, (std::vector<std::size_t>{5, 2, 5, 0}))
      << "The `bytes` of these answers: what that flush() has written.";
  EXPECT_IS(wire.calls - calls, 0u)
      << "The last flush() had nothing to offer to the wire.";
}

TEST(Queue, SendsSmallWritesTogether) {
  RULE("FLUSH-1");
  Wire wire(0);
  wire.quiet();
  WriteQueue queue;
  std::string text = random_text(random_number(900, 1100));
  for (char byte : text) queue.push(std::string(1, byte));
  wire.more(text.size());

  flush(queue, wire);

  EXPECT_IS(wire.taken, text)
      << text.size()
      << " writes of a byte each, each from a string that is gone when "
         "push() has returned. Other bytes here: is the copy missing?";
  EXPECT_IS(wire.calls <= 50, true)
      << "They waited together, so they can go together: a call takes many "
         "pieces. "
      << wire.calls << " calls were made; 50 are enough.";
}

TEST(Queue, SaysWhatFailed) {
  RULE("FLUSH-2");
  Wire broken(2);
  broken.when_full({.kind = net::IoResult::kFailed, .error = reset()});
  WriteQueue queue, direct;

  queue.push("abc", [] {});
  std::string of_push = flush(queue, broken);
  direct.write(broken, "def", [] {});
  direct.write(broken, "gh", [] {});
  bool before = queue.failed(), after = direct.failed();
  std::size_t calls = broken.calls;
  std::vector<std::string> of_write = {flush(direct, broken),
                                       flush(direct, broken)};
  std::size_t due = queue.take_done().size() + direct.take_done().size();

  EXPECT_IS(of_push, "failed: write ECONNRESET")
      << "2 of 3 bytes were out when the connection broke: flush() says why.";
  EXPECT_IS(of_write, (std::vector<std::string>{"failed: write ECONNRESET",
                                                "failed: write ECONNRESET"}))
      << "The connection broke inside write(), which has no way to say so. "
         "The failure is the answer of each flush() after it.";
  EXPECT_IS(before, false) << "What flush() has answered is told already.";
  EXPECT_IS(after, true) << "failed(): write() has met one, still to be told.";
  EXPECT_IS(broken.calls - calls, 0u)
      << "write() had met the failure, and the queue has kept it: flush() "
         "answers with it, and does not ask the wire again. A connection "
         "tells its error once: after ECONNRESET the next call says EPIPE.";
  EXPECT_IS(due, 0u) << "None of these writes is out: no callback is due.";
  EXPECT_IS(queue.empty(), false) << "The last byte of \"abc\" waits.";
  EXPECT_IS(direct.size(), 5u)
      << "\"def\", which failed, and \"gh\" behind it: they stay, until "
         "take_dropped() hands their callbacks out.";
}

TEST(Queue, CostsLittleWhenItIsEmpty) {
  RULE("MEM-1");
  Sink sink;
  Wire wire(0);
  wire.quiet();
  std::string big(1'000'000, 'x');
  wire.taken.reserve(2 * big.size());

  Memory memory;
  WriteQueue queue;
  queue.write(sink, "x");
  long fresh = memory.held();
  for (int i = 0; i < 1000; ++i) queue.push("x", [] {});
  queue.push(big);
  wire.more(2 * big.size());
  queue.flush(wire);
  queue.take_done();
  long used = memory.held();
  queue.push(big, [] {});
  queue.take_dropped();
  long dropped = memory.held();

  EXPECT_IS(fresh <= 512, true)
      << "A server has thousands of connections, and most of them are idle. "
         "512 bytes have to be enough for a queue in which nothing waits; "
      << fresh << " are held.";
  EXPECT_IS(used <= 512, true)
      << "A million bytes, and 1,000 small writes, have waited and are out: "
      << used
      << " bytes of memory are held for nothing. The list of callbacks that "
         "take_done() has handed out counts, too.";
  EXPECT_IS(dropped <= 512, true)
      << "A million bytes have waited and were dropped: " << dropped
      << " bytes of memory are held for nothing.";
}

TEST(Queue, HoldsWhatWaitsAndNotMuchMore) {
  RULE("MEM-2");
  Wire wire(0);
  wire.quiet();
  std::string block(1000, 'x');
  WriteQueue queue;
  long most = 0;

  Memory memory;
  for (int i = 0; i < 8; ++i) queue.push(block);
  for (int i = 0; i < 2000; ++i) {
    queue.push(block);
    wire.more(block.size());
    queue.flush(wire);
    queue.take_done();
    std::string().swap(wire.taken);
    most = std::max(most, memory.held());
  }
  std::size_t waits = queue.size();

  EXPECT_IS(waits, 8000u) << "2,008 blocks were pushed, 2,000 are out.";
  EXPECT_IS(most <= 64'000, true)
      << "Never more than 9,000 bytes waited, but the queue was never empty, "
         "either. The memory of what is out has to be given back all the same: "
         "at most "
      << most << " bytes were held; 64,000 are enough.";
}

TEST(Queue, HoldsManySmallWrites) {
  RULE("MEM-2");
  WriteQueue queue;

  Memory memory;
  for (int i = 0; i < 10'000; ++i) queue.push("x");
  long held = memory.held();

  EXPECT_IS(queue.size(), 10'000u) << "10,000 writes of a byte each.";
  EXPECT_IS(held / 10'000 <= 256, true)
      << "256 bytes have to be enough for a write of a byte, its mark and its "
         "callback. "
      << held / 10'000 << " are held for each.";
}
