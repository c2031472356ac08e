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

#include <concepts>
#include <cstddef>
#include <functional>
#include <tuple>
#include <utility>

#include "chapters/08_events/listener_list.h"
#include "common/error.h"

namespace net {

// Finished: it packs the arguments for a ListenerList, and unpacks them.
template <typename... Args>
class Event {
 public:
  // Adds at the end, also one that is there already.
  template <std::invocable<Args&...> Listener>
  ListenerId operator()(Listener listener) {
    return on(std::move(listener));
  }
  template <std::invocable<Args&...> Listener>
  ListenerId on(Listener listener) {
    return list_.add(erase(std::move(listener)), ListenerList::Times::kAlways);
  }
  // Runs at most once: it is off the list before it is called (EVT-2).
  template <std::invocable<Args&...> Listener>
  ListenerId once(Listener listener) {
    return list_.add(erase(std::move(listener)), ListenerList::Times::kOnce);
  }
  // From the next emit on: one that is under way still calls it (EVT-3).
  bool off(ListenerId id) { return list_.remove(id); }
  void clear() { list_.clear(); }
  std::size_t listener_count() const { return list_.count(); }

  // All listeners see the same arguments (ARG-1). A move-only one is given by
  // reference: who takes it leaves the others an empty one. Returns whether
  // anybody was there (EVT-5).
  bool emit(Args... args) {
    std::tuple<Args&...> arguments(args...);
    return list_.emit(&arguments);
  }
  void when_added(std::function<void()> added) {
    list_.when_added(std::move(added));
  }

 private:
  template <typename Listener>
  static ListenerList::Call erase(Listener listener) {
    return [listener = std::move(listener)](void* arguments) mutable {
      std::apply(listener, *static_cast<std::tuple<Args&...>*>(arguments));
    };
  }
  ListenerList list_;
};

// Emits, and throws the error if nobody listens: it is not swallowed (EVT-4).
void emit_error(Event<const Error&>& event, const Error& error);

}  // namespace net
