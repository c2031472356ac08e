// Event: a list of callbacks, and the moment when they run.
//
//   net::Event<std::string_view> on_data;            // a member of some class
//
//   auto id = on_data([](std::string_view bytes) { std::cout << bytes; });
//   on_data.once([](std::string_view) { std::cout << "the first\n"; });
//   on_data.emit("hello");  // both, in this order
//   on_data.off(id);
//
// A listener may do anything to the event that is calling it: add, remove,
// emit again, throw, destroy the object that the event is a member of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <tuple>
#include <utility>

#include "common/error.h"

namespace net {

// Names a listener of one event; never used twice by that event (OFF-1). 0 is
// nobody's.
using ListenerId = std::uint64_t;

// What all events have in common, whatever their arguments: this is what you
// write. Event<Args...> below is finished.
class ListenerList {
 public:
  enum class Times { kOnce, kAlways };
  using Call = std::function<void(void* arguments)>;

  ListenerList();
  ~ListenerList();  // also from inside emit(): the rest is not called then
  ListenerList(const ListenerList&) = delete;

  ListenerId add(Call call, Times times);  // at the end
  bool remove(ListenerId id);              // false: there is no such listener
  void clear();                            // removes all
  std::size_t count() const;

  // Calls everybody who is on the list now, in the order they were added
  // (EVT-1, EVT-3): the listeners themselves, not copies. One of Times::kOnce
  // is taken off before it is called (EVT-2). What a listener throws leaves
  // emit(), and the rest is not called (THROW-1). Returns whether anybody was
  // there (EVT-5). With one listener it allocates no memory (COST-2).
  //
  // Whoever is removed lives until the emissions that are under way end, and
  // no longer (LIFE-1, LIFE-2).
  bool emit(void* arguments);

  // From now on `added`, in place of an earlier one, runs each time a listener
  // has been added (ADD-1). It is no listener itself: clear() leaves it alone.
  void when_added(std::function<void()> added);

 private:
  struct State;  // yours to design: see event.cc
  std::shared_ptr<State> state_;
};

template <typename... Args>
class Event {
 public:
  using Listener = std::function<void(Args&...)>;

  // Adds at the end, also one that is there already.
  ListenerId operator()(Listener listener) { return on(std::move(listener)); }
  ListenerId on(Listener listener) {
    return list_.add(erase(std::move(listener)), ListenerList::Times::kAlways);
  }
  // Runs at most once: it is off the list before it is called (EVT-2).
  ListenerId once(Listener listener) {
    return list_.add(erase(std::move(listener)), ListenerList::Times::kOnce);
  }
  // From the next emit on: one that is under way still calls it (EVT-3).
  bool off(ListenerId id) { return list_.remove(id); }
  void clear() { list_.clear(); }
  std::size_t listener_count() const { return list_.count(); }

  // All listeners see the same arguments. A move-only one is given by
  // reference: who takes it leaves the others an empty one.
  bool emit(Args... args) {
    std::tuple<Args&...> arguments(args...);
    return list_.emit(&arguments);
  }

  void when_added(std::function<void()> added) {
    list_.when_added(std::move(added));
  }

 private:
  static ListenerList::Call erase(Listener listener) {
    return [listener = std::move(listener)](void* arguments) {
      std::apply(listener, *static_cast<std::tuple<Args&...>*>(arguments));
    };
  }
  ListenerList list_;
};

// Emits, and throws the error if nobody listens: it is not swallowed (EVT-4).
void emit_error(Event<const Error&>& event, const Error& error);

}  // namespace net
