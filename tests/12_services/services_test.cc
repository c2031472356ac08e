#include "chapters/12_services/services.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/memory.h"
#include "tests/12_services/world.h"

using namespace graded;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t kMark = net::kHighWaterMark;

// For tests in virtual time. The others have no idle clients, however slow the
// machine is.
constexpr milliseconds kIdle{1000};

net::Service answering(World& world, milliseconds idle = milliseconds(0)) {
  return [&world, idle](std::shared_ptr<net::Socket> client) {
    net::answer(client, idle, world.logger());
  };
}

// What serve() hands out is seen without the services of later steps.
void greet(std::shared_ptr<net::Socket> client) {
  client->on_error([](const net::Error&) {});
  client->on_end([socket = client.get()] { socket->end(); });
  client->write("welcome\n");
}

net::ListenOptions at_path(std::string path) {
  net::ListenOptions where;
  where.path = std::move(path);
  return where;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// All that `person` gets until the end, after it has said `text` and ended.
std::string echo_of(World& world, Person& person, const std::string& text) {
  person.say(text);
  person.finish();
  bool ended = world.until([&] { return person.over(); });
  return person.got() + (ended ? "" : " (and no end)");
}

}  // namespace

TEST(Serve, GivesEachClientOfAPortToTheService) {
  RULE("SERVICE-1");
  World world;
  net::ListenOptions where;
  where.port = 0;
  where.host = "127.0.0.1";
  world.take(net::serve(world.loop, where, world.seen(greet)));

  Lines heard;
  for (const char* name : {"ann", "bob"})
    for (std::string& line : world.hear(world.connect(name), 1))
      heard.push_back(line);

  EXPECT_IS(heard, (Lines{"welcome", "welcome"}))
      << "Two clients of one port. The test's service greets each.";
}

TEST(Serve, GivesEachClientOfAPathToTheService) {
  RULE("SERVICE-1");
  World world;
  std::string path = world.folder().path("greetings");
  world.take(net::serve(world.loop, at_path(path), world.seen(greet)));

  Lines heard = world.hear(world.connect("ann"), 1);

  EXPECT_IS(heard, Lines{"welcome"}) << "The same service at a path.";
}

TEST(Serve, AnswersGoOutAfterTheEndOfTheClient) {
  RULE("SERVICE-3");
  World world;
  net::Service late = [&world](std::shared_ptr<net::Socket> client) {
    client->on_error([](const net::Error&) {});
    client->on_data([](std::string_view) {});
    client->on_end([&world, client] {
      auto answer = [client] { client->end("answer\n"); };
      world.loop.set_timeout(milliseconds(1), answer);
    });
  };
  std::string path = world.folder().path("answers");
  world.take(net::serve(world.loop, at_path(path), world.seen(late)));

  Person& ann = world.connect("ann");
  ann.say("question\n");
  ann.finish();

  EXPECT_IS(world.hear(ann, 2), (Lines{"answer", "(end)"}))
      << "The client asks and ends. The test's service answers a moment "
         "later. Unless the socket allows half-open, it ends by itself before "
         "that.";
}

TEST(Serve, ReplacesTheFileOfADeadServer) {
  RULE("SERVICE-2");
  World world;
  std::string path = world.folder().path("answers");
  OwnFd(World::bound_to(path));  // and closed: the file stays
  step("test", "leaves the socket file of a dead server at " + path);

  world.take(net::serve(world.loop, at_path(path), world.seen(greet)));

  EXPECT_TRUE(world.log.is({}))
      << "A server that was killed has left its socket file. The next start "
         "must not fail because of it.";
}

TEST(Serve, LeavesALiveServerAlone) {
  RULE("SERVICE-2");
  World world;
  std::string path = world.folder().path("answers");
  world.take(net::serve(world.loop, at_path(path), world.seen(greet)));

  world.take(net::serve(world.loop, at_path(path), greet));

  EXPECT_TRUE(world.log.is({"error EADDRINUSE"}))
      << "Somebody listens at that path. A second server there is an error.";
}

TEST(Serve, LeavesAFileAloneThatIsNoSocket) {
  RULE("SERVICE-2");
  World world;
  std::string path = world.folder().path("diary");
  std::ofstream(path) << "dear diary";
  step("test", "writes a text file at " + path);

  world.take(net::serve(world.loop, at_path(path), world.seen(greet)));

  EXPECT_IS(read_file(path), "dear diary")
      << "This file was at the path, and it is no socket.";
}

TEST(Serve, LeavesALiveServerAloneThatIsBusy) {
  RULE("SERVICE-2");
  World world;
  std::string path = world.folder().path("busy");
  Backlog full(path);
  step("test", "listens at " + path + ", and its queue is full");

  world.take(net::serve(world.loop, at_path(path), greet));

  EXPECT_TRUE(world.log.is({"error EADDRINUSE"}))
      << "Somebody listens there, but its queue has no room: connect() says "
         "EAGAIN. Only ECONNREFUSED means that nobody listens.";
}

TEST(Serve, LeavesALinkAlone) {
  RULE("SERVICE-2");
  World world;
  std::string dead = world.folder().path("dead");
  std::string link = world.folder().path("link");
  OwnFd(World::bound_to(dead));
  std::filesystem::create_symlink(dead, link);
  step("test", "makes " + link + ", a link to a dead server's file");

  world.take(net::serve(world.loop, at_path(link), greet));

  EXPECT_TRUE(world.log.is({"error EADDRINUSE"}))
      << "A link is no socket file, whatever it leads to.";
}

TEST(Serve, LeavesThePathAloneIfThereIsAPort) {
  RULE("SERVICE-2");
  World world;
  net::ListenOptions where = at_path(world.folder().path("dead"));
  where.port = 0;
  OwnFd(World::bound_to(where.path));
  step("test", "leaves the socket file of a dead server at " + where.path);

  world.take(net::serve(world.loop, where, greet));

  EXPECT_IS(std::filesystem::exists(where.path), true)
      << "With a port and a path, it listens at the port: the path is not "
         "looked at.";
}

TEST(Echo, SendsEveryByteBackOverTcp) {
  RULE("BYTES-1");
  World world;
  world.serve(Over::kTcp, net::echo);
  std::string sent = random_bytes(300000);

  std::string got = echo_of(world, world.connect("client"), sent);

  EXPECT_IS(got, sent) << "The client sends this and ends, and reads.";
}

TEST(Echo, SendsEveryByteBackAtAPath) {
  RULE("BYTES-1");
  World world;
  world.serve(Over::kPath, net::echo);
  std::string sent = random_bytes(300000);

  std::string got = echo_of(world, world.connect("client"), sent);

  EXPECT_IS(got, sent) << "The client sends this and ends, and reads.";
}

TEST(Echo, DoesNotReadFromAClientThatDoesNotRead) {
  RULE("BYTES-2");
  World world;
  world.serve(Over::kPath, net::echo);
  Person& client = world.connect("client");
  client.stop_reading();

  client.say(random_bytes(4000000));
  world.settle();

  EXPECT_IS(client.has_sent_all(), false)
      << "The client sends 4,000,000 bytes and reads nothing. If the server "
         "takes them all, it keeps them: "
      << world.most_queued()
      << " bytes waited in its socket. When write() is false it must stop "
         "reading.";
}

TEST(Echo, GoesOnWhenTheClientReads) {
  RULE("BYTES-2");
  World world;
  world.serve(Over::kPath, net::echo);
  Person& client = world.connect("client");
  std::string sent = random_bytes(2000000);
  client.stop_reading();
  client.say(sent);
  world.settle();

  client.read_on();
  client.finish();
  world.until([&] { return client.over(); });

  EXPECT_IS(client.got(), sent)
      << "The client has read nothing for a while. Now it reads to the end.";
}

TEST(Echo, SurvivesAClientThatBreaksOff) {
  RULE("BYTES-3");
  World world;
  world.serve(Over::kTcp, net::echo);
  Person& first = world.connect("first");
  first.say("x");
  world.until([&] { return first.got() == "x"; });

  first.reset();
  world.until_closed(0);
  std::string second = echo_of(world, world.connect("second"), "hello");

  EXPECT_IS(second, "hello") << "The first client has sent a RST.";
}

TEST(Echo, SurvivesAClientThatGoesWithoutItsEcho) {
  RULE("BYTES-3");
  World world;
  world.serve(Over::kPath, net::echo);
  Person& first = world.connect("first");
  first.stop_reading();
  first.say(random_bytes(1000000));
  world.settle();

  first.close();
  world.until_closed(0);
  std::string second = echo_of(world, world.connect("second"), "hello");

  EXPECT_IS(second, "hello")
      << "The first client has closed, and echo was waiting for it to read.";
}

TEST(Answer, AnswersWholeLinesHoweverTheyAreCut) {
  RULE("ANSWER-1");
  World world;
  world.serve(Over::kPath, answering(world));
  Person& ann = world.connect("ann");

  for (const char* piece : {"an", "n\nhel", "lo\r\nbye\nfarew"}) {
    ann.say(piece);
    world.settle();
  }
  ann.say("ell\n");

  EXPECT_IS(world.hear(ann, 4), (Lines{"hello ann", "ann said hello",
                                       "ann said bye", "ann said farewell"}))
      << "The client's lines came in four pieces. One answer for each line, "
         "once it is whole.";
}

TEST(Answer, AnswersAllBeforeTheEnd) {
  RULE("ANSWER-1");
  World world;
  world.serve(Over::kTcp, answering(world));
  Person& ann = world.connect("ann");

  ann.say("ann\none\n\ntwo\nthree");
  ann.finish();
  world.until([&] { return ann.over(); });

  EXPECT_IS(ann.take_lines(), (Lines{"hello ann", "ann said one", "ann said ",
                                     "ann said two", "(end)"}))
      << "The client sends all this and ends. \"three\" has no end, so it is "
         "no line; an empty line is one.";
}

TEST(Answer, KeepsFewAnswersForAClientThatDoesNotRead) {
  RULE("ANSWER-2");
  World world;
  world.serve(Over::kPath, answering(world));
  Person& ann = world.connect("ann");
  ann.stop_reading();

  ann.say("ann\n" + numbered("line", 5000));
  world.settle();

  EXPECT_IS(world.most_queued() <= kMark + 40, true)
      << "The client sends 5,000 lines and reads nothing. "
      << world.most_queued() << " bytes of answers waited in its socket; the "
      << "mark is " << kMark
      << ". One data event has thousands of lines: stop taking lines when "
         "write() is false, and go on at drain.";
}

TEST(Answer, KeepsFewAnswersForAClientThatHasEnded) {
  RULE("ANSWER-2");
  World world;
  world.serve(Over::kPath, answering(world));
  std::string name(1000, 'n');
  Person& ann = world.connect("ann");
  ann.stop_reading();

  ann.say(name + "\n" + numbered("line", 5000));
  ann.finish();
  world.settle();

  EXPECT_IS(world.most_queued() <= kMark + name.size() + 20, true)
      << "The client has a name of 1,000 bytes, sends 5,000 lines, ends, and "
         "reads nothing. "
      << world.most_queued() << " bytes of answers waited in its socket; the "
      << "mark is " << kMark
      << ". The end comes also while write() is false: drain goes on then.";
}

TEST(Answer, LosesNoAnswerOfAClientThatReadsLate) {
  RULE("ANSWER-2");
  World world;
  world.serve(Over::kPath, answering(world));
  Person& ann = world.connect("ann");
  ann.stop_reading();
  ann.say("ann\n" + numbered("line", 5000));
  world.settle();

  ann.read_on();
  ann.finish();
  world.until([&] { return ann.over(); });

  EXPECT_IS(ann.got(), "hello ann\n" + numbered("ann said line", 5000))
      << "The client has sent 5,000 lines, and then it reads. This is all "
         "that it gets.";
}

TEST(Answer, TellsWhoSendsALineThatIsTooLong) {
  RULE("ANSWER-3");
  World world;
  world.serve(Over::kTcp, answering(world));
  Person& ann = world.connect("ann");

  ann.say("ann\nhi\n" + std::string(net::kMaxLine + 1, 'x'));

  EXPECT_IS(world.hear(ann, 4),
            (Lines{"hello ann", "ann said hi", "line too long", "(end)"}))
      << "Two good lines, and 4,097 bytes of a third one.";
}

TEST(Answer, AnswersTheLongestLine) {
  RULE("ANSWER-3");
  World world;
  world.serve(Over::kPath, answering(world));
  Person& ann = world.named("ann");
  std::string longest(net::kMaxLine, 'x');

  ann.say(longest + "\n");

  EXPECT_IS(world.hear(ann, 1), (Lines{"ann said " + longest}))
      << "4,096 bytes are not too many.";
}

TEST(Answer, AnswersNothingAfterALineThatIsTooLong) {
  RULE("ANSWER-3");
  World world;
  world.serve(Over::kPath, answering(world));
  Person& ann = world.named("ann");

  ann.say(std::string(net::kMaxLine + 1, 'x') + "\nmore\n");
  world.settle();
  ann.say("and more\n");
  world.settle();

  EXPECT_IS(world.hear(ann, 2), (Lines{"line too long", "(end)"}))
      << "The client goes on after its long line.";
}

TEST(Answer, ReadsTheEndOfWhoWasToldToGo) {
  RULE("ANSWER-3");
  World world;
  world.serve(Over::kPath, answering(world));
  Person& ann = world.connect("ann");
  ann.stop_reading();
  ann.say("ann\n" + numbered("line", 5000) +
          std::string(net::kMaxLine + 1, 'x') + std::string(400000, 'x'));
  world.settle();

  ann.read_on();
  ann.finish();

  EXPECT_IS(world.until_closed(0), true)
      << "The client sends 5,000 lines, and then a line of 404,097 bytes, "
         "before it reads. It was told, and it has ended. Was the socket "
         "paused? The rest of the line, and the end, must be read.";
}

TEST(Answer, TellsWhoIsIdle) {
  RULE("ANSWER-4");
  VirtualClock clock;
  World world;
  world.serve(Over::kPath, answering(world, kIdle));
  Person& ann = world.named("ann");

  world.pass(clock, 999);
  Lines before = ann.take_lines();
  world.pass(clock, 1);
  Lines then = ann.take_lines();

  EXPECT_IS(before, Lines{}) << "999 ms after its last line, of 1000.";
  EXPECT_IS(then, (Lines{"timeout", "(end)"})) << "1000 ms after it.";
}

TEST(Answer, DestroysAnIdleClientThatDoesNotLeave) {
  RULE("ANSWER-4");
  VirtualClock clock;
  World world;
  world.serve(Over::kPath, answering(world, kIdle));
  world.named("ann");

  world.pass(clock, 1000);
  bool told_only = world.socket(0) && !world.socket(0)->destroyed();
  world.pass(clock, 1000);
  auto socket = world.socket(0);

  EXPECT_IS(told_only, true)
      << "After 1000 ms the client is told. It may still end by itself.";
  EXPECT_IS(!socket || socket->destroyed(), true)
      << "After another 1000 ms the client has not ended: end() alone leaves "
         "the connection open for as long as the peer likes. (A listener that "
         "was given to set_timeout() hears of one timeout; on_timeout has "
         "both.)";
}

TEST(Answer, DestroysAClientThatNeverReads) {
  RULE("ANSWER-4");
  VirtualClock clock;
  World world;
  world.serve(Over::kPath, answering(world, kIdle));
  Person& ann = world.connect("ann");
  ann.stop_reading();
  ann.say("ann\n" + numbered("line", 5000));
  world.settle();

  world.pass(clock, 2000);
  auto socket = world.socket(0);

  EXPECT_IS(!socket || socket->destroyed(), true)
      << "Its answers wait, so neither \"timeout\" nor the end can go out. "
         "After twice 1000 ms the connection is over all the same.";
}

TEST(Answer, AnswersNothingAfterATimeout) {
  RULE("ANSWER-4");
  VirtualClock clock;
  World world;
  world.serve(Over::kPath, answering(world, kIdle));
  Person& ann = world.named("ann");
  world.pass(clock, 1000);

  ann.say("too late\n");
  world.settle();

  EXPECT_IS(ann.take_lines(), (Lines{"timeout", "(end)"}))
      << "The client says a line after its timeout.";
  auto socket = world.socket(0);
  EXPECT_IS(socket && !socket->destroyed(), true)
      << "The line is dropped. To answer it, with a write after end(), is an "
         "error, which ends the connection before its second timeout.";
}

TEST(Answer, KeepsNothingAfterATimeout) {
  RULE("ANSWER-4");
  VirtualClock clock;
  World world;
  world.serve(Over::kPath, answering(world, kIdle));
  Person& ann = world.named("ann");
  world.pass(clock, 1000);

  ann.say(numbered("more", 100000));
  Memory memory;
  world.settle();

  EXPECT_IS(memory.held() < 100000, true)
      << "After its timeout the client says 100,000 lines. Nobody will take "
         "them: "
      << memory.held() << " bytes are kept all the same.";
}

TEST(Answer, LogsTheEnd) {
  RULE("ANSWER-5");
  World world;
  world.serve(Over::kTcp, answering(world));
  Person& ann = world.named("ann");

  ann.finish();
  world.hear(ann, 1);
  world.until_closed(0);
  Person& nobody = world.connect("nobody");
  nobody.finish();
  world.hear(nobody, 1);
  world.until_closed(1);

  EXPECT_TRUE(world.log.is({"ann: end", "ann: closed", "?: end", "?: closed"}))
      << "One client says its name, the next one does not. Both end.";
}

TEST(Answer, LogsAnError) {
  RULE("ANSWER-5");
  World world;
  world.serve(Over::kTcp, answering(world));

  world.named("ann").reset();
  world.until_closed(0);
  world.turn(milliseconds(0));

  EXPECT_TRUE(world.log.is({"ann: error ECONNRESET", "ann: closed"}))
      << "The client has sent a RST.";
}

TEST(Answer, LogsTimeouts) {
  RULE("ANSWER-5");
  VirtualClock clock;
  World world;
  world.serve(Over::kPath, answering(world, kIdle));
  Person& ann = world.named("ann");
  Person& bob = world.named("bob");

  world.pass(clock, 1000);
  ann.finish();
  world.pass(clock, 1000);
  bob.read_on();

  EXPECT_TRUE(world.log.is({"ann: timeout", "bob: timeout", "ann: end",
                            "ann: closed", "bob: timeout", "bob: closed"}))
      << "Both are idle for 1000 ms. Then one ends, and the other does not.";
}

TEST(Answer, LogsALineThatIsTooLong) {
  RULE("ANSWER-5");
  World world;
  world.serve(Over::kPath, answering(world));
  Person& ann = world.named("ann");

  ann.say(std::string(net::kMaxLine + 1, 'x') + "\n");
  ann.finish();
  world.settle();

  EXPECT_TRUE(world.log.is({"ann: line too long", "ann: end", "ann: closed"}))
      << "A line of 4,097 bytes, then the client ends.";
}

TEST(Introduce, SaysItsNameAndItsLinesAndEnds) {
  RULE("TALK-1");
  World world;
  Person& server = world.raw_server(Over::kTcp);

  net::introduce(world.socket(0), "ann", 3, world.logger());
  world.until([&] { return server.over(); });

  EXPECT_IS(server.take_lines(),
            (Lines{"ann", "line 1", "line 2", "line 3", "(end)"}))
      << "introduce() with the name ann, and 3 lines.";
}

TEST(Introduce, SaysItsNameAlone) {
  RULE("TALK-1");
  World world;
  Person& server = world.raw_server(Over::kPath);

  net::introduce(world.socket(0), "ann", 0, world.logger());
  world.until([&] { return server.over(); });

  EXPECT_IS(server.take_lines(), (Lines{"ann", "(end)"}))
      << "introduce() with the name ann, and no lines.";
}

TEST(Introduce, WaitsForTheServerToRead) {
  RULE("TALK-2");
  World world;
  Person& server = world.raw_server(Over::kPath);
  server.stop_reading();

  net::introduce(world.socket(0), "ann", 5000, world.logger());
  world.settle();

  EXPECT_IS(world.most_queued() <= kMark + 20, true)
      << "5,000 lines for a server that does not read. " << world.most_queued()
      << " bytes waited in the socket; the mark is " << kMark
      << ". Stop when write() is false, and go on at drain.";
}

TEST(Introduce, SaysEveryLineToASlowServer) {
  RULE("TALK-2");
  World world;
  Person& server = world.raw_server(Over::kPath);
  server.stop_reading();
  net::introduce(world.socket(0), "ann", 5000, world.logger());
  world.settle();

  server.read_on();
  world.until([&] { return server.over(); });

  EXPECT_IS(server.got(), "ann\n" + numbered("line", 5000))
      << "The server did not read for a while. Each line comes, once.";
}

TEST(Introduce, ReadsWhileItCannotWrite) {
  RULE("TALK-2");
  World world;
  Person& server = world.raw_server(Over::kPath);
  server.stop_reading();
  net::introduce(world.socket(0), "ann", 5000, world.logger());
  world.settle();

  server.say("hello ann\n");
  world.settle();

  EXPECT_TRUE(world.log.is({"hello ann"}))
      << "The server does not read now, and answers all the same. If each "
         "side waited for the other one to read, both would wait for ever.";
}

TEST(Introduce, LogsAnswersAndTheEnd) {
  RULE("TALK-3");
  World world;
  Person& server = world.raw_server(Over::kPath);
  net::introduce(world.socket(0), "ann", 1, world.logger());

  for (const char* piece : {"hel", "lo ann\nann said", " line 1\n"}) {
    server.say(piece);
    world.settle();
  }
  server.finish();
  world.settle();

  EXPECT_TRUE(world.log.is({"hello ann", "ann said line 1", "end", "closed"}))
      << "The server's two lines come in three pieces; then it ends.";
}

TEST(Introduce, LogsAnAnswerToALongName) {
  RULE("TALK-3");
  World world;
  std::string name(net::kMaxLine, 'n');
  Person& server = world.raw_server(Over::kPath);
  net::introduce(world.socket(0), name, 1, world.logger());

  server.say("hello " + name + "\n");
  world.settle();

  EXPECT_TRUE(world.log.is({"hello " + name}))
      << "A name may have 4,096 bytes. The answer to it has more.";
}

TEST(Introduce, LogsAnError) {
  RULE("TALK-3");
  World world;
  RefusedPort nobody;

  auto socket = net::connect(world.loop, nobody.port(), "127.0.0.1");
  net::introduce(socket, "ann", 3, world.logger());
  world.until([&] { return socket->destroyed(); });
  world.turn(milliseconds(0));

  EXPECT_TRUE(world.log.is({"error ECONNREFUSED", "closed"}))
      << "Nobody listens at that port.";
}

TEST(Introduce, GivesUpWhenTheTimeIsOver) {
  RULE("TALK-3");
  VirtualClock clock;
  World world;
  world.raw_server(Over::kPath);
  auto socket = world.socket(0);
  socket->set_timeout(milliseconds(1000));
  net::introduce(socket, "ann", 3, world.logger());

  world.pass(clock, 1000);

  EXPECT_TRUE(world.log.is({"timeout", "closed"}))
      << "The server says nothing. The socket has set_timeout(1000 ms).";
}

TEST(Introduce, TalksWithAnswer) {
  RULE("TALK-1");
  World world;
  world.serve(Over::kPath, [](auto client) {
    net::answer(client, milliseconds(0), [](const std::string&) {});
  });
  auto socket = net::connect(world.loop, world.folder().path("service"));
  auto closed = std::make_shared<bool>(false);
  socket->on_close([closed](bool) { *closed = true; });

  net::introduce(socket, "ann", 2000, world.logger());
  world.until([&] { return *closed; });

  EXPECT_IS(world.log.events().size(), 2003u)
      << "2,000 lines from introduce() to answer(): the log has \"hello ann\", "
         "an answer for each, \"end\" and \"closed\".";
}
