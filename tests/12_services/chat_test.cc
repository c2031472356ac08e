#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "chapters/12_services/services.h"
#include "common/testing/fault.h"
#include "common/testing/graded.h"
#include "common/testing/memory.h"
#include "tests/12_services/world.h"

using namespace graded;

namespace {

constexpr std::size_t kMostQueued = 300000;

// A room, in a world with a server.
struct Rooms {
  explicit Rooms(Over over, std::size_t most_queued = kMostQueued)
      : chat(world.logger(), most_queued) {
    world.serve(over, joining());
  }
  net::Service joining() {
    return [this](std::shared_ptr<net::Socket> client) { chat.join(client); };
  }
  World world;
  net::Chat chat;
};

// What is said to a slow reader: more than the kernel and the room keep for it.
std::string long_speech() {
  return numbered(std::string(2000, '.'), 400);
}

// n characters of two bytes each.
std::string letters(int n) {
  std::string text;
  for (int i = 0; i < n; ++i) text += "\xc3\xa9";
  return text;
}

// The words of a refusal are free: "* ...".
Lines without_reasons(Lines lines) {
  for (std::string& line : lines)
    if (line.starts_with("* ")) line = "* ...";
  return lines;
}

std::string says(const std::string& name, const std::string& speech) {
  std::string text;
  for (std::size_t at = 0; at < speech.size();) {
    std::size_t end = speech.find('\n', at) + 1;
    text += name + ": " + speech.substr(at, end - at);
    at = end;
  }
  return text;
}

}  // namespace

TEST(Chat, EachLineGoesToAllOthersOverTcp) {
  RULE("ROOM-1");
  Rooms room(Over::kTcp);
  Person& ann = room.world.named("ann");
  Person& bob = room.world.named("bob");
  Person& cid = room.world.named("cid");

  ann.say("hi\nall\n");
  Lines bobs = room.world.hear(bob, 3);
  cid.say("yes?\n");
  Lines anns = room.world.hear(ann, 3);

  EXPECT_IS(bobs, (Lines{"* cid joined", "ann: hi", "ann: all"}))
      << "ann has said two lines. This is what bob reads.";
  EXPECT_IS(anns, (Lines{"* bob joined", "* cid joined", "cid: yes?"}))
      << "This is what ann reads: not her own lines.";
}

TEST(Chat, EachLineGoesToAllOthersAtAPath) {
  RULE("ROOM-1");
  Rooms room(Over::kPath);
  Person& ann = room.world.named("ann");
  Person& bob = room.world.named("bob");

  for (const char* piece : {"h", "i\nhow are", " you\nto be"}) {
    ann.say(piece);
    room.world.settle();
  }

  EXPECT_IS(bob.take_lines(), (Lines{"ann: hi", "ann: how are you"}))
      << "ann's lines come in pieces. Only whole lines are told.";
}

TEST(Chat, OneRoomHasMembersOverTcpAndAtAPath) {
  RULE("ROOM-1");
  Rooms room(Over::kTcp);
  Person& ann = room.world.named("ann");
  room.world.serve(Over::kPath, room.joining());
  Person& bob = room.world.named("bob");

  ann.say("hi\n");

  EXPECT_IS(room.world.hear(bob, 1), (Lines{"ann: hi"}))
      << "ann is in the room over TCP, bob at a path.";
}

TEST(Chat, GreetsAMemberAndTellsTheOthers) {
  RULE("ROOM-3");
  Rooms room(Over::kTcp);
  Person& ann = room.world.named("ann");
  Person& silent = room.world.connect("silent");
  Person& bob = room.world.connect("bob");

  bob.say("bob\n");
  Lines bobs = room.world.hear(bob, 1);
  Lines anns = room.world.hear(ann, 1);
  silent.say("cid\n");
  Lines cids = room.world.hear(silent, 1);

  EXPECT_IS(bobs, (Lines{"* hello bob"})) << "This is what bob reads.";
  EXPECT_IS(anns, (Lines{"* bob joined"})) << "This is what ann reads.";
  EXPECT_IS(cids, (Lines{"* hello cid"}))
      << "cid had no name when bob joined: it was not in the room.";
}

TEST(Chat, NamesAreInTheOrderTheyJoined) {
  RULE("ROOM-3");
  Rooms room(Over::kPath);

  for (const char* name : {"cid", "ann", "bob"}) room.world.named(name);
  room.world.connect("silent");

  EXPECT_IS(room.chat.names(), (Lines{"cid", "ann", "bob"}))
      << "Three have joined, and a fourth has not said its name.";
}

TEST(Chat, RefusesANameThatIsTaken) {
  RULE("ROOM-2");
  Rooms room(Over::kTcp);
  Person& ann = room.world.named("ann");
  Person& other = room.world.connect("other");

  other.say("ann\nhi all\n");
  Lines others = without_reasons(room.world.hear(other, 2));
  room.world.named("bob");

  EXPECT_IS(others, (Lines{"* ...", "(end)"}))
      << "A second client says that it is ann.";
  EXPECT_IS(room.world.hear(ann, 1), (Lines{"* bob joined"}))
      << "ann reads nothing of the one that was refused.";
}

TEST(Chat, HearsNoMoreOfWhoWasRefused) {
  RULE("ROOM-2");
  Rooms room(Over::kPath);
  Person& ann = room.world.named("ann");
  Person& other = room.world.connect("other");
  other.say("ann\n");
  room.world.hear(other, 2);

  other.say("bob\nhi all\n");
  room.world.settle();

  EXPECT_IS(room.chat.names(), (Lines{"ann"}))
      << "Who was refused is ended. A good name comes too late.";
  EXPECT_IS(ann.take_lines(), Lines{}) << "ann reads nothing of it.";
}

TEST(Chat, KeepsNothingOfWhoWasRefused) {
  RULE("ROOM-2");
  Rooms room(Over::kPath);
  Person& client = room.world.connect("client");
  client.say("\n");
  room.world.hear(client, 2);

  client.say(numbered("line", 100000));
  Memory memory;
  room.world.settle();

  EXPECT_IS(memory.held() < 100000, true)
      << "Who was refused says 100,000 lines. Nobody will take them: "
      << memory.held() << " bytes are kept all the same.";
}

TEST(Chat, RefusesWhatIsNoName) {
  RULE("ROOM-2");
  Rooms room(Over::kPath);
  Lines answers;

  for (const std::string& name :
       {std::string(), std::string(33, 'a'), letters(17), std::string("\xff"),
        std::string("\xc3")}) {
    Person& person = room.world.connect("client");
    person.say(name + "\n");
    for (std::string& line : without_reasons(room.world.hear(person, 2)))
      answers.push_back(line);
  }

  EXPECT_IS(answers, (Lines{"* ...", "(end)", "* ...", "(end)", "* ...",
                            "(end)", "* ...", "(end)", "* ...", "(end)"}))
      << "An empty name, one of 33 bytes, one of 17 characters that are 34 "
         "bytes, one that is no UTF-8, and one that breaks off in a "
         "character: each is told why, \"* ...\", and ended.";
}

TEST(Chat, TakesTheLongestName) {
  RULE("ROOM-2");
  Rooms room(Over::kPath);
  std::string name = letters(16);

  Person& person = room.world.connect("client");
  person.say(name + "\n");

  EXPECT_IS(room.world.hear(person, 1), (Lines{"* hello " + name}))
      << "16 characters of two bytes each are 32 bytes of UTF-8.";
}

TEST(Chat, TellsThatAMemberHasEnded) {
  RULE("ROOM-3");
  Rooms room(Over::kTcp);
  Person& ann = room.world.named("ann");
  Person& bob = room.world.named("bob");

  ann.finish();
  room.world.until_closed(0);
  Person& next = room.world.connect("next");
  next.say("ann\n");
  Lines nexts = room.world.hear(next, 1);
  Lines bobs = room.world.hear(bob, 2);

  EXPECT_IS(nexts, (Lines{"* hello ann"})) << "The name is free again.";
  EXPECT_IS(bobs, (Lines{"* ann left", "* ann joined"}))
      << "ann has ended, and another ann has joined. bob reads it once.";
}

TEST(Chat, WhoHasEndedHasLeftAlsoIfItDoesNotRead) {
  RULE("ROOM-3");
  Rooms room(Over::kPath, 2000000);
  Person& deaf = room.world.named("deaf");
  Person& ann = room.world.named("ann");
  deaf.stop_reading();
  ann.say(long_speech());
  room.world.settle();

  deaf.finish();
  room.world.settle();

  EXPECT_IS(ann.take_lines(), (Lines{"* deaf left"}))
      << "800,000 bytes wait for deaf, which ends and does not read. Until it "
         "does, its socket does not close.";
  EXPECT_IS(room.chat.names(), (Lines{"ann"})) << "Its name is free.";
}

TEST(Chat, TellsThatAMemberHasBrokenOff) {
  RULE("ROOM-3");
  Rooms room(Over::kTcp);
  Person& ann = room.world.named("ann");
  Person& bob = room.world.named("bob");

  ann.reset();
  Lines bobs = room.world.hear(bob, 1);

  EXPECT_IS(bobs, (Lines{"* ann left"})) << "ann has sent a RST.";
  EXPECT_TRUE(room.world.log.is(
      {"ann joined", "bob joined", "ann: error ECONNRESET", "ann left"}))
      << "This is the log.";
}

TEST(Chat, SurvivesAClientThatBreaksOffWithoutAName) {
  RULE("ROOM-3");
  Rooms room(Over::kTcp);
  Person& ann = room.world.named("ann");
  Person& silent = room.world.connect("silent");
  silent.say("no name");
  room.world.until([&] { return room.world.socket(1)->bytes_read() > 0; });

  silent.reset();
  room.world.until_closed(1);
  room.world.named("bob");

  EXPECT_IS(room.world.hear(ann, 1), (Lines{"* bob joined"}))
      << "Somebody without a name has sent a RST. It was never in the room.";
}

TEST(Chat, DropsAMemberThatDoesNotRead) {
  RULE("ROOM-4");
  Rooms room(Over::kPath);
  Person& deaf = room.world.named("deaf");
  Person& ann = room.world.named("ann");
  deaf.stop_reading();

  ann.say(long_speech());
  Lines anns = room.world.hear(ann, 1);

  EXPECT_IS(anns, (Lines{"* deaf was too slow"}))
      << "ann says 800,000 bytes, and deaf reads nothing.";
  EXPECT_IS(room.chat.names(), (Lines{"ann"})) << "deaf is no member any more.";
}

TEST(Chat, NobodyWaitsForASlowMember) {
  RULE("ROOM-4");
  Rooms room(Over::kPath);
  Person& deaf = room.world.named("deaf");
  Person& ann = room.world.named("ann");
  Person& bob = room.world.named("bob");
  room.world.hear(ann, 1);
  deaf.stop_reading();
  std::string speech = numbered(std::string(500, '.'), 100);

  ann.say(speech);
  bool came = room.world.until([&] { return bob.line_count() >= 100; });

  EXPECT_IS(came, true)
      << "ann says 100 lines, 50,000 bytes in all: too few to drop deaf, who "
         "reads nothing. bob reads, and has got "
      << bob.line_count() << " lines.";
}

TEST(Chat, KeepsLittleForASlowMember) {
  RULE("ROOM-4");
  Rooms room(Over::kPath);
  Person& deaf = room.world.named("deaf");
  Person& ann = room.world.named("ann");
  deaf.stop_reading();

  ann.say(long_speech());
  room.world.settle();

  EXPECT_IS(room.world.most_queued() <= kMostQueued, true)
      << "ann says 800,000 bytes, and deaf reads nothing. After a turn of the "
         "loop "
      << room.world.most_queued()
      << " bytes waited in one socket; the room allows " << kMostQueued << ".";
}

TEST(Chat, KeepsAMemberThatReadsInTime) {
  RULE("ROOM-4");
  Rooms room(Over::kPath, 2000000);
  Person& late = room.world.named("late");
  Person& ann = room.world.named("ann");
  room.world.hear(late, 1);
  late.stop_reading();
  ann.say(long_speech());
  room.world.settle();

  late.read_on();
  room.world.until([&] { return late.line_count() >= 400; });

  EXPECT_IS(late.got(), says("ann", long_speech()))
      << "800,000 bytes wait for late, and the room allows 2,000,000. Then it "
         "reads.";
}

TEST(Chat, SeveralAreDroppedByOneLine) {
  RULE("ROOM-5");
  Rooms room(Over::kPath);
  Person& ann = room.world.named("ann");
  Person& deaf1 = room.world.named("deaf1");
  Person& deaf2 = room.world.named("deaf2");
  Person& bob = room.world.named("bob");
  Person& deaf3 = room.world.named("deaf3");
  Person& cid = room.world.named("cid");
  for (Person* deaf : {&deaf1, &deaf2, &deaf3}) deaf->stop_reading();
  room.world.settle();
  bob.take_lines();
  cid.take_lines();

  ann.say(long_speech());
  room.world.until([&] { return cid.line_count() >= 403; });
  auto lines_of_ann = [](Person& person) {
    std::string text;
    for (const std::string& line : person.take_lines())
      if (line.starts_with("ann: ")) text += line + "\n";
    return text;
  };

  EXPECT_IS(room.chat.names(), (Lines{"ann", "bob", "cid"}))
      << "Three members read nothing, and are dropped.";
  EXPECT_IS(lines_of_ann(bob), says("ann", long_speech()))
      << "bob comes after two of them on the list, and reads every line.";
  EXPECT_IS(lines_of_ann(cid), says("ann", long_speech()))
      << "cid comes after all of them, and reads every line.";
}

TEST(Chat, MembersLeaveWhileOthersTalk) {
  RULE("ROOM-5");
  Rooms room(Over::kPath);
  Person& ann = room.world.named("ann");
  Person& bob = room.world.named("bob");
  Person& cid = room.world.named("cid");
  Person& dan = room.world.named("dan");
  room.world.settle();
  dan.take_lines();

  // All of it is there before the loop turns.
  ann.say("one\n");
  ann.turn();
  bob.close();
  cid.say("two\n");
  cid.finish();
  room.world.settle();
  Lines dans = dan.take_lines();
  std::sort(dans.begin(), dans.end());

  EXPECT_IS(dans, (Lines{"* bob left", "* cid left", "ann: one", "cid: two"}))
      << "In one turn of the loop ann says a line, bob closes, and cid says a "
         "line and ends. This is what dan reads, sorted.";
}

TEST(Chat, OthersMayDestroyAMember) {
  RULE("ROOM-5");
  Rooms room(Over::kPath);
  room.world.named("ann");
  Person& bob = room.world.named("bob");
  Person& cid = room.world.named("cid");
  room.world.settle();
  bob.take_lines();

  room.world.socket(0)->destroy();
  cid.say("hi\n");
  room.world.settle();

  EXPECT_IS(room.chat.names(), (Lines{"bob", "cid"}))
      << "Somebody who has ann's socket has destroyed it.";
  EXPECT_IS(bob.take_lines(), (Lines{"* ann left", "cid: hi"}))
      << "This is what bob reads.";
}

TEST(Chat, OthersMayEndAMember) {
  RULE("ROOM-5");
  Rooms room(Over::kPath);
  Person& ann = room.world.named("ann");
  Person& bob = room.world.named("bob");
  Person& cid = room.world.named("cid");
  room.world.settle();
  for (Person* person : {&ann, &bob}) person->take_lines();

  room.world.socket(0)->end("goodbye\n");
  cid.say("hi\n");
  room.world.settle();

  EXPECT_IS(ann.take_lines(), (Lines{"goodbye", "(end)"}))
      << "Somebody who has ann's socket has called end(). cid's line cannot "
         "go to it any more.";
  EXPECT_IS(bob.take_lines(), (Lines{"cid: hi"})) << "This is what bob reads.";
  EXPECT_TRUE(room.world.log.is({"ann joined", "bob joined", "cid joined"}))
      << "A write after end() would be an error, and would end ann's "
         "connection. ann has not left: it may still talk.";
}

TEST(Chat, TextIsAlwaysUtf8) {
  RULE("ROOM-6");
  Rooms room(Over::kTcp);
  Person& ann = room.world.named("ann");
  Person& bob = room.world.named("bob");

  ann.say("caf\xc3\xa9 \xff.\xc3\n");

  EXPECT_IS(room.world.hear(bob, 1),
            (Lines{"ann: caf\xc3\xa9 \xef\xbf\xbd.\xef\xbf\xbd"}))
      << "Bytes that are no character become U+FFFD, and no half character "
         "goes to anybody.";
}

TEST(Chat, WhoSaysALineThatIsTooLongHasLeft) {
  RULE("ROOM-6");
  Rooms room(Over::kPath);
  Person& ann = room.world.named("ann");
  Person& bob = room.world.named("bob");
  room.world.hear(ann, 1);

  ann.say("hi\n" + std::string(net::kMaxLine + 1, 'x') + "\nmore\n");
  Lines anns = room.world.hear(ann, 2);
  room.world.named("cid");
  Lines bobs = room.world.hear(bob, 3);

  EXPECT_IS(anns, (Lines{"* line too long", "(end)"}))
      << "ann has said a line of 4,097 bytes.";
  EXPECT_IS(bobs, (Lines{"ann: hi", "* ann left", "* cid joined"}))
      << "This is what bob reads.";
}
