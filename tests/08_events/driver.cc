// Chapter 08 from outside: scripts of random words, played on their event in
// another process and on a model here. Each test has the name of the one that
// it confirms.
#include <algorithm>
#include <memory>

#include "common/testing/graded.h"
#include "common/testing/peer.h"
#include "common/testing/subject.h"
#include "tests/08_events/driver_script.h"

using namespace graded;

namespace {

// An event by the rules, in few words: an emission goes through a copy.
class Model : public Script {
  struct Listener {
    std::string name, then;
    Times times;
    bool spent = false;
  };
  using List = std::vector<std::shared_ptr<Listener>>;

  void add(const std::string& name, Times times, std::string then) override {
    list_.push_back(
        std::make_shared<Listener>(Listener{name, std::move(then), times}));
    say("added");
  }
  bool off(const std::string& name) override {
    return std::erase_if(list_,
                         [&](auto& each) { return each->name == name; }) > 0;
  }
  void clear() override { list_.clear(); }
  std::size_t count() override { return list_.size(); }
  bool emit(const std::string& argument) override {
    List held = list_;
    for (auto& each : held) {
      if (each->times == Times::kOnce && std::exchange(each->spent, true))
        continue;
      if (each->times == Times::kOnce) std::erase(list_, each);
      called(each->name, argument, each->then);
    }
    return !held.empty();
  }

  List list_;
};

// Names and arguments that nobody can know beforehand.
std::string word() {
  return random_text(random_number(4, 12));
}

// "on NAME" of 2 to 6 listeners, each with a name of its own.
Words listeners() {
  Words steps;
  for (std::size_t n = random_number(2, 6); n > 0; --n)
    steps.push_back("on " + word() + std::to_string(n));
  return steps;
}

std::string emit() {
  return "emit " + word();
}

// The parts in a row, as the order that the subject takes.
Words script(const std::vector<Words>& parts) {
  Words steps{"play"};
  for (const Words& part : parts)
    steps.insert(steps.end(), part.begin(), part.end());
  return steps;
}

void expect_the_same(const Words& steps) {
  Subject subject;
  std::string shown;
  for (std::size_t i = 1; i < steps.size(); ++i) shown += "\n  " + steps[i];

  Words happened = subject.ask(steps);

  EXPECT_IS(happened, Model().play(steps)) << "The script was:" << shown;
}

}  // namespace

TEST(Event, CallsItsListenersInTheOrderTheyWereAdded) {
  RULE("EVT-1");
  expect_the_same(
      script({listeners(), {emit(), emit()}, listeners(), {emit()}}));
}

TEST(Event, RemovesAOneTimeListenerBeforeItIsCalled) {
  RULE("EVT-2");
  expect_the_same(
      script({listeners(), {"once a count", emit(), "count", emit()}}));
}

TEST(Event, CallsAOneTimeListenerOnceAlthoughTwoEmissionsHoldIt) {
  RULE("EVT-2");
  expect_the_same(script({listeners(),
                          {"once a " + emit(), "once b"},
                          listeners(),
                          {emit(), "count", emit()}}));
}

TEST(Event, AOneTimeListenerThatThrowsHasHadItsCall) {
  RULE("EVT-2");
  expect_the_same(script(
      {listeners(), {"once a throw " + word(), emit(), "count", emit()}}));
}

TEST(Event, AListenerThatIsAddedMeanwhileWaits) {
  RULE("EVT-3");
  expect_the_same(script(
      {listeners(), {"on a once b"}, listeners(), {emit(), "count", emit()}}));
}

TEST(Event, AListenerThatIsRemovedMeanwhileStillRuns) {
  RULE("EVT-3");
  expect_the_same(script({listeners(),
                          {"on a off b"},
                          listeners(),
                          {"on b"},
                          listeners(),
                          {emit(), emit()}}));
}

TEST(Event, AListThatIsClearedMeanwhileIsGoneThroughToItsEnd) {
  RULE("EVT-3");
  expect_the_same(script(
      {listeners(), {"on a clear"}, listeners(), {emit(), "count", emit()}}));
}

TEST(Event, SaysWhetherAnybodyListened) {
  RULE("EVT-5");
  expect_the_same(script({{emit(), "on a", emit(), "off a", emit()},
                          listeners(),
                          {emit(), "clear", emit()}}));
}

TEST(Event, AOneTimeListenerCanBeTakenOff) {
  RULE("OFF-2");
  expect_the_same(script({listeners(),
                          {"once a"},
                          listeners(),
                          {"off a", "off a", emit(), "count"}}));
}

TEST(Event, AnEmissionInsideAnotherIsCompleteWhenItsEmitReturns) {
  RULE("NEST-1");
  expect_the_same(script(
      {listeners(), {"once a " + emit()}, listeners(), {emit(), emit()}}));
}

TEST(Event, WhatAListenerThrowsLeavesEmit) {
  RULE("THROW-1");
  expect_the_same(
      script({listeners(), {"on a throw " + word()}, listeners(), {emit()}}));
}

TEST(Event, AnEventWorksAsBeforeAfterAListenerThrew) {
  RULE("THROW-1");
  expect_the_same(script({listeners(),
                          {"on a throw " + word()},
                          listeners(),
                          {emit(), "count", "off a", emit()}}));
}

TEST(Event, TellsWhenAListenerHasBeenAdded) {
  RULE("ADD-1");
  expect_the_same(script({listeners(), {"once a on b", emit(), "count"}}));
}
