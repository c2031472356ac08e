#include "chapters/08_events/event.h"

#include <cerrno>
#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/testing/graded.h"
#include "common/testing/memory.h"

using namespace graded;
using net::Event;
using net::ListenerId;

namespace {

// A listener that says its name.
std::function<void()> says(Trace& trace, const std::string& name) {
  return [&trace, name] { trace.add(name); };
}

// Something that a listener captures: the trace tells when it is freed.
class Witness {
 public:
  Witness(Trace& trace, std::string name)
      : trace_(trace), name_(std::move(name)) {}
  ~Witness() { trace_.add("freed: ", name_); }
  Witness(const Witness&) = delete;

 private:
  Trace& trace_;
  std::string name_;
};

std::shared_ptr<Witness> witness(Trace& trace, const std::string& name) {
  return std::make_shared<Witness>(trace, name);
}

// Calls `run`, and returns what it threw, in words.
std::string thrown_by(const std::function<void()>& run) {
  try {
    run();
    return "nothing";
  } catch (const net::Error& error) {
    return "net::Error " + error.code + ", " + error.message;
  } catch (const std::runtime_error& error) {
    return std::string("std::runtime_error ") + error.what();
  }
}

}  // namespace

TEST(Event, CallsItsListenersInTheOrderTheyWereAdded) {
  RULE("EVT-1");
  Event<> event;
  Trace trace;
  event(says(trace, "a"));
  event.on(says(trace, "b"));
  event.once(says(trace, "c"));

  event.emit();
  trace.add("emit() has returned");

  EXPECT_TRUE(trace.is({"a", "b", "c", "emit() has returned"}))
      << "a, b and c were added in this order, c by once(). emit() calls them "
         "itself, and returns after the last one.";
}

TEST(Event, RemovesAOneTimeListenerBeforeItIsCalled) {
  RULE("EVT-2");
  Event<> event;
  Trace trace;
  event.once([&] {
    trace.add("once; listeners left: ", event.listener_count());
    if (trace.events().size() < 5) event.emit();
  });

  event.emit();
  event.emit();

  EXPECT_TRUE(trace.is({"once; listeners left: 0"}))
      << "The listener emits the event that is calling it, and the test emits "
         "once more. It is off the list before its first call.";
}

TEST(Event, CallsAOneTimeListenerOnceAlthoughTwoEmissionsHoldIt) {
  RULE("EVT-2");
  Event<int> event;
  Trace trace;
  event([&](int depth) {
    trace.add("a", depth);
    if (depth == 1) event.emit(2);
  });
  event.once([&](int depth) { trace.add("once", depth); });

  event.emit(1);

  EXPECT_TRUE(trace.is({"a1", "a2", "once2"}))
      << "Emission 1 calls a, which emits 2. Both began with the one-time "
         "listener on the list. 2 called it; 1 must not call it again.";
}

TEST(Event, AOneTimeListenerThatThrowsHasHadItsCall) {
  RULE("EVT-2");
  Event<> event;
  event.once([] { throw std::runtime_error("thrown by the listener"); });

  thrown_by([&] { event.emit(); });

  EXPECT_IS(event.listener_count(), 0u)
      << "It was taken off before it was called, so it does not matter how "
         "the call ended.";
}

TEST(Event, AListenerThatIsAddedMeanwhileWaits) {
  RULE("EVT-3");
  Event<> event;
  Trace trace;
  event([&] {
    trace.add("a adds");
    for (int i = 0; i < 3; ++i) event.once(says(trace, "new"));
  });
  event(says(trace, "b"));
  step("test", "emits; a adds to the list that is gone through");

  event.emit();
  trace.add("emission 2");
  event.emit();

  EXPECT_TRUE(trace.is(
      {"a adds", "b", "emission 2", "a adds", "b", "new", "new", "new"}))
      << "a adds three listeners each time. Those that came in emission 1 are "
         "called in emission 2; those that came in 2 have to wait for 3. If "
         "each was called at once, a listener that adds itself again would "
         "never end.";
}

TEST(Event, AListenerThatIsRemovedMeanwhileStillRuns) {
  RULE("EVT-3");
  Event<> event;
  Trace trace;
  ListenerId b = 0, c = 0;
  event([&] {
    trace.add("a removes b and c");
    event.off(b);
    event.off(c);
  });
  b = event(says(trace, "b"));
  c = event.once(says(trace, "c, once"));
  event(says(trace, "d"));
  step("test", "emits; a removes from the list that is gone through");

  event.emit();
  trace.add("emission 2");
  event.emit();

  EXPECT_TRUE(trace.is({"a removes b and c", "b", "c, once", "d", "emission 2",
                        "a removes b and c", "d"}))
      << "b and c were on the list when emission 1 began, and not any more "
         "when emission 2 began. d has moved up, and is not left out.";
}

TEST(Event, AListThatIsClearedMeanwhileIsGoneThroughToItsEnd) {
  RULE("EVT-3");
  Event<> event;
  Trace trace;
  event([&] {
    trace.add("a clears");
    event.clear();
    event(says(trace, "new"));
  });
  event(says(trace, "b"));
  step("test", "emits; a clears the list that is gone through");

  event.emit();
  trace.add("emission 2");
  event.emit();

  EXPECT_TRUE(trace.is({"a clears", "b", "emission 2", "new"}))
      << "Emission 1 goes through the list as it was when it began, emission "
         "2 through the list that a has left.";
}

TEST(Event, CallsTheListenerItselfAndNotACopy) {
  RULE("EVT-3");
  Event<> event;
  Trace trace;
  event([&, n = 0]() mutable {
    event.once([] {});  // the list changes while it is gone through
    trace.add("call ", ++n);
  });

  event.emit();
  event.emit();
  event.emit();

  EXPECT_TRUE(trace.is({"call 1", "call 2", "call 3"}))
      << "The listener counts its calls in a variable of its own. Copy the "
         "list as often as you like, but not the listeners in it: each copy "
         "would count for itself.";
}

TEST(Event, ThrowsAnErrorThatNobodyListensTo) {
  RULE("EVT-4");
  Event<const net::Error&> on_error;
  on_error.off(on_error([](const net::Error&) {}));
  net::Error error = net::Error::from_errno(ECONNREFUSED, "connect", "/x");

  EXPECT_IS(thrown_by([&] { net::emit_error(on_error, error); }),
            "net::Error ECONNREFUSED, connect ECONNREFUSED /x")
      << "Nobody listens any more. Without a word the program would go on as "
         "if it were connected.";
}

TEST(Event, DoesNotThrowAnErrorThatSomebodyListensTo) {
  RULE("EVT-4");
  Event<const net::Error&> on_error;
  Trace trace;
  on_error.once([&](const net::Error& error) { trace.add(error.code); });

  std::string thrown = thrown_by(
      [&] { net::emit_error(on_error, net::Error("EPIPE", "write EPIPE")); });

  EXPECT_IS(thrown, "nothing")
      << "One listener was there when the error came, though it was a "
         "one-time one and is gone now.";
  EXPECT_TRUE(trace.is({"EPIPE"})) << "The listener gets the error, once.";
}

TEST(Event, SaysWhetherAnybodyListened) {
  RULE("EVT-5");
  Event<> event;

  bool nobody = event.emit();
  event([&] { event.clear(); });
  bool somebody = event.emit();
  bool nobody_again = event.emit();

  EXPECT_IS(nobody, false) << "No listener was ever added.";
  EXPECT_IS(somebody, true)
      << "A listener was there when the emission began. That it cleared the "
         "list does not make it unheard.";
  EXPECT_IS(nobody_again, false)
      << "The listener has cleared the list in the emission before.";
}

TEST(Event, NeverUsesAnIdAgain) {
  RULE("OFF-1");
  Event<> event;
  Trace trace;
  event(says(trace, "a"));
  ListenerId b = event(says(trace, "b"));
  ListenerId c = event(says(trace, "c"));

  bool first = event.off(b);
  ListenerId d = event(says(trace, "d"));
  bool second = event.off(b);
  event.emit();

  EXPECT_IS(first, true) << "b is on the list, and off() removes it.";
  EXPECT_IS(second, false) << "b is gone since the first off().";
  EXPECT_TRUE(trace.is({"a", "c", "d"}))
      << "The ids: b " << b << ", c " << c << ", d " << d
      << ". b was removed, then d was added, then off() was called with b's id "
         "once more. Whoever forgets that an id is used up must not remove a "
         "stranger.";
}

TEST(Event, NeverUsesAnIdAgainAfterClear) {
  RULE("OFF-1");
  Event<> event;
  ListenerId before = event([] {});
  event.clear();
  ListenerId after = event([] {});

  bool removed = event.off(before);

  EXPECT_IS(removed, false)
      << "The ids: " << before << " before clear(), " << after
      << " after it. What was cleared is gone; the listener that was added "
         "since has another id.";
}

TEST(Event, NeverUsesTheIdZero) {
  RULE("OFF-1");
  Event<> event;
  Trace trace;
  event(says(trace, "a"));
  event(says(trace, "b"));

  bool removed = event.off(0);
  event.emit();

  EXPECT_IS(removed, false)
      << "0 is nobody's id, the first listener's neither.";
  EXPECT_TRUE(trace.is({"a", "b"}))
      << "off(0) is the call of somebody whose ListenerId was never set.";
}

TEST(Event, AFunctionThatIsAddedTwiceIsTwoListeners) {
  RULE("OFF-2");
  Event<> event;
  Trace trace;
  auto f = says(trace, "f");
  event(f);
  event(says(trace, "g"));
  ListenerId second = event(f);
  event(says(trace, "h"));

  event.emit();
  event.off(second);
  trace.add("off()");
  event.emit();

  EXPECT_TRUE(trace.is({"f", "g", "f", "h", "off()", "f", "g", "h"}))
      << "f was added, then g, then f again, then h. off() was given the id of "
         "the second f.";
}

TEST(Event, AOneTimeListenerCanBeTakenOff) {
  RULE("OFF-2");
  Event<> event;
  Trace trace;
  ListenerId id = event.once(says(trace, "once"));

  bool removed = event.off(id);
  event.emit();

  EXPECT_IS(removed, true) << "off() was given the id that once() returned.";
  EXPECT_TRUE(trace.is({})) << "It was removed before anything was emitted.";
}

TEST(Event, ClearRemovesTheListenersOfThisEventOnly) {
  RULE("OFF-2");
  Event<> cleared, other;
  Trace trace;
  cleared(says(trace, "cleared"));
  cleared(says(trace, "cleared"));
  other(says(trace, "other"));

  cleared.clear();
  cleared.emit();
  other.emit();

  EXPECT_TRUE(trace.is({"other"}))
      << "Two events with a list each; one list was cleared.";
  EXPECT_IS(cleared.listener_count(), 0u) << "clear() removes all.";
}

TEST(Event, GivesTheSameArgumentsToAll) {
  RULE("ARG-1");
  Event<std::unique_ptr<std::string>> event;
  Trace trace;
  auto look = [&](std::unique_ptr<std::string>& text) {
    trace.add(text ? *text : "an empty one");
  };
  event(look);
  event([](std::unique_ptr<std::string>& text) { *text += " and sealed"; });
  event(look);
  event(
      [](std::unique_ptr<std::string>& text) { auto mine = std::move(text); });
  event(look);

  event.emit(std::make_unique<std::string>("a letter"));

  EXPECT_TRUE(trace.is({"a letter", "a letter and sealed", "an empty one"}))
      << "There is one argument. The second listener changes it, the fourth "
         "takes it.";
}

TEST(Event, EachEmissionHasItsOwnArguments) {
  RULE("ARG-1");
  Event<std::string> event;
  Trace trace;
  event([&](std::string& text) {
    trace.add("a: ", text);
    if (text == "outer") event.emit("inner");
    step("a", "returns, from " + text);
  });
  event([&](std::string& text) { trace.add("b: ", text); });
  step("test", "emits outer; a, the first listener, emits inner meanwhile");

  event.emit("outer");

  EXPECT_TRUE(trace.is({"a: outer", "a: inner", "b: inner", "b: outer"}))
      << "a emits \"inner\" while \"outer\" is under way. b is called for "
         "both. The arguments of an emission end with its emit().";
}

TEST(Event, AnEmissionInsideAnotherIsCompleteWhenItsEmitReturns) {
  RULE("NEST-1");
  Event<> event;
  Trace trace;
  bool nested = false;
  event([&] {
    trace.add("a");
    if (std::exchange(nested, true)) return;
    bool heard = event.emit();
    trace.add(heard ? "a goes on; heard" : "a goes on; not heard");
  });
  event(says(trace, "b"));

  event.emit();

  EXPECT_TRUE(trace.is({"a", "a", "b", "a goes on; heard", "b"}))
      << "a emits the event that is calling it. That emission calls a and b; "
         "then a goes on, then b has its turn in the first emission.";
}

TEST(Event, WhatAListenerThrowsLeavesEmit) {
  RULE("THROW-1");
  Event<> event;
  Trace trace;
  event([&] {
    trace.add("a throws");
    throw std::runtime_error("by a");
  });
  event(says(trace, "b"));

  std::string thrown = thrown_by([&] { event.emit(); });

  EXPECT_IS(thrown, "std::runtime_error by a")
      << "The exception is for whoever called emit().";
  EXPECT_TRUE(trace.is({"a throws"})) << "What comes after a is not called.";
}

TEST(Event, AnEventWorksAsBeforeAfterAListenerThrew) {
  RULE("THROW-1");
  Event<> event;
  Trace trace;
  ListenerId a = event([&] {
    trace.add("a throws");
    throw std::runtime_error("by a");
  });
  event(says(trace, "b"));
  auto emit = [&] { thrown_by([&] { event.emit(); }); };

  emit();
  event.off(a);
  event(says(trace, "c"));
  trace.add("a is off, c is on; listeners: ", event.listener_count());
  emit();
  trace.add("emitted");
  emit();

  EXPECT_TRUE(trace.is({"a throws", "a is off, c is on; listeners: 2", "b", "c",
                        "emitted", "b", "c"}))
      << "The emission ended with the exception. The next ones are like any "
         "other.";
}

TEST(Event, AListenerThatRemovesItselfRunsToItsEnd) {
  RULE("LIFE-1");
  Event<> event;
  Trace trace;
  ListenerId self = 0;
  self = event([&, captured = std::make_shared<int>(1)] {
    Trace& mine = trace;  // on the stack: there is still a way to tell
    std::weak_ptr<int> still = captured;
    event.off(self);
    event.emit();
    mine.add("a goes on; what it captured is ",
             still.expired() ? "freed" : "there");
  });
  step("test", "emits; the listener removes itself, and runs on");

  event.emit();

  EXPECT_TRUE(trace.is({"a goes on; what it captured is there"}))
      << "a removes itself, and emits (nobody is there). It is running still, "
         "so what it has captured must live.";
}

TEST(Event, AListenerMayDestroyTheEvent) {
  RULE("LIFE-1");
  auto event = std::make_unique<Event<>>();
  Trace trace;
  event->on([&, captured = std::make_shared<int>(1)] {
    Trace& mine = trace;
    std::weak_ptr<int> still = captured;
    event.reset();
    mine.add("a goes on; what it captured is ",
             still.expired() ? "freed" : "there");
  });
  event->on(says(trace, "b"));
  step("test",
       "emits; the first listener destroys the event, and its memory "
       "is cleared");

  bool heard = event->emit();

  EXPECT_TRUE(trace.is({"a goes on; what it captured is there"}))
      << "The event is gone, and a is running still. emit() must not look at "
         "the event any more, nor call b: what it needs must be its own.";
  EXPECT_IS(heard, true) << "a was there.";
}

TEST(Event, AnInnerEmissionMayEndTheEventForTheOuterOne) {
  RULE("LIFE-1");
  auto event = std::make_unique<Event<>>();
  Trace trace;
  event->once([&] {
    trace.add("a emits");
    event->emit();
    trace.add("a goes on");
  });
  event->once([&] {
    trace.add("b destroys the event");
    event.reset();
  });
  event->on(says(trace, "c"));
  step("test",
       "emits; the second listener destroys the event in an emission "
       "inside this one");

  event->emit();

  EXPECT_TRUE(trace.is({"a emits", "b destroys the event", "a goes on"}))
      << "Two emissions are under way when the event is destroyed. Neither "
         "may call c.";
}

TEST(Event, AListenerIsFreedWhenItIsRemoved) {
  RULE("LIFE-2");
  Event<> event;
  Trace trace;
  ListenerId a = event([captured = witness(trace, "a")] {});
  event([captured = witness(trace, "b")] {});
  event.once([captured = witness(trace, "c, once")] {});

  event.off(a);
  trace.add("off() has returned");
  event.emit();
  trace.add("emit() has returned");
  event.clear();
  trace.add("clear() has returned");

  EXPECT_TRUE(
      trace.is({"freed: a", "off() has returned", "freed: c, once",
                "emit() has returned", "freed: b", "clear() has returned"}))
      << "No emission is under way. A connection that is captured by a "
         "removed listener would stay open for as long as the event lives.";
}

TEST(Event, AListenerThatIsRemovedMeanwhileIsFreedAfterTheEmission) {
  RULE("LIFE-2");
  Event<> event;
  Trace trace;
  ListenerId a = event([captured = witness(trace, "a")] {});
  event.once([&, captured = witness(trace, "b, once")] {
    event.off(a);
    throw std::runtime_error("by b");
  });

  thrown_by([&] { event.emit(); });
  trace.add("emit() is left");

  std::vector<std::string> events = trace.events();
  EXPECT_IS(events.size(), 3u)
      << "a and b were removed during the emission, and both are freed.";
  EXPECT_IS(events.empty() ? "" : events.back(), "emit() is left")
      << "The emission is over, though by an exception: nothing needs a and b "
         "any more.";
}

TEST(Event, WhatAListenerCapturedMayComeBackWhenItIsFreed) {
  RULE("LIFE-2");
  Event<> event;
  Trace trace;
  ListenerId c = 0;
  bool added = false;
  auto comes_back = [&] {
    return std::shared_ptr<void>(nullptr, [&](void*) {
      if (!added) return;  // on() has failed
      event.off(c);
      trace.add("listeners: ", event.listener_count());
    });
  };
  ListenerId a = event([captured = comes_back()] {});
  event(says(trace, "b"));
  c = event(says(trace, "c"));
  event(says(trace, "d"));
  added = true;
  step("test",
       "removes a; what a captured is freed, and removes c: the list "
       "must be in order by then");

  event.off(a);
  event.emit();

  EXPECT_TRUE(trace.is({"listeners: 2", "b", "d"}))
      << "a is freed by off(), and what it has captured calls off() then. The "
         "list must be in order before anything is freed.";
}

TEST(Event, WhatTheListenersCapturedMayComeBackWhenAllAreRemoved) {
  RULE("LIFE-2");
  Event<> event;
  Trace trace;
  ListenerId b = 0;
  bool added = false;
  auto comes_back = [&] {
    return std::shared_ptr<void>(nullptr, [&](void*) {
      if (!added) return;  // on() has failed
      bool removed = event.off(b);
      trace.add(removed ? "b was there" : "b was gone",
                "; listeners: ", event.listener_count());
      event(says(trace, "new"));
    });
  };
  event([captured = comes_back()] {});
  b = event(says(trace, "b"));
  added = true;
  step("test",
       "clears; what the first listener captured is freed, and looks "
       "for b: the list must be empty by then");

  event.clear();
  event.emit();

  EXPECT_TRUE(trace.is({"b was gone; listeners: 0", "new"}))
      << "The first listener is freed by clear(), and what it has captured "
         "calls off() and on() then. The list must be empty before anything is "
         "freed.";
}

TEST(Event, TellsWhenAListenerHasBeenAdded) {
  RULE("ADD-1");
  Event<> event;
  Trace trace;
  event([] {});
  event.when_added([&] { trace.add("listeners: ", event.listener_count()); });

  event([] {});
  event.on([] {});
  event.once([] {});

  EXPECT_TRUE(trace.is({"listeners: 2", "listeners: 3", "listeners: 4"}))
      << "One listener was there before when_added(). Then three are added, "
         "one of them by once(). Each is on the list when its turn to be told "
         "of comes.";
}

TEST(Event, WhoIsToldOfListenersIsNoListener) {
  RULE("ADD-1");
  Event<> event;
  Trace trace;
  event.when_added([&] { trace.add("the first"); });
  event.when_added([&] {
    trace.add("the second");
    event.when_added({});
    trace.add("is off");
  });

  step("test",
       "adds two listeners; the function that is told puts nothing into "
       "its own place while it runs");

  std::size_t before = event.listener_count();
  event.clear();
  event([] {});
  event([] {});

  EXPECT_IS(before, 0u) << "when_added() adds no listener.";
  EXPECT_TRUE(trace.is({"the second", "is off"}))
      << "The second function takes the place of the first, outlives clear(), "
         "and puts nothing into its own place while it runs.";
}

TEST(Event, WhoIsToldOfListenersMayAddOne) {
  RULE("ADD-1");
  Event<> event;
  Trace trace;
  bool told = false;
  event.when_added([&] {
    if (!std::exchange(told, true)) event(says(trace, "b"));
  });

  ListenerId a = event(says(trace, "a"));
  event.off(a);
  event.emit();

  EXPECT_TRUE(trace.is({"b"}))
      << "The function is told of a, and adds b. Then on() returns the id of "
         "a, and off() is called with it.";
}

TEST(Event, EmittingToOneListenerAllocatesNothing) {
  RULE("COST-2");
  Event<int> event;
  int sum = 0;
  event([&](int n) { sum += n; });
  event.emit(1);

  Memory memory;
  for (int i = 0; i < 100; ++i) event.emit(1);
  int used = memory.allocations();

  ASSERT_IS(sum, 101) << "The listener was called each time.";
  EXPECT_IS(used, 0)
      << "100 emissions, counted in operator new. Every piece of data that a "
         "socket receives is an emission.";
}
