// ListenerList: what all events have in common, whatever their arguments. This
// is what you write; Event<Args...> (event.h) puts the types around it.
//
//   net::ListenerList list;
//   auto id = list.add([](void* n) { std::cout << *static_cast<int*>(n); },
//                      net::ListenerList::Times::kAlways);
//   int number = 42;
//   list.emit(&number);
//   list.remove(id);
//
// A listener may do anything to the list that is calling it: add, remove, emit
// again, throw, destroy it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace net {

// Names a listener of one list; never used twice by that list (OFF-1). 0 is
// nobody's.
using ListenerId = std::uint64_t;

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
  // there (EVT-5). With one listener, which stays, it allocates no memory
  // (COST-2).
  //
  // Whoever is removed lives until the emissions that are under way end, and
  // no longer (LIFE-1, LIFE-2). What a listener has captured may have a
  // destructor that comes back here: it finds none of those on the list who are
  // removed with it.
  bool emit(void* arguments);

  // From now on `added`, in place of an earlier one, runs each time a listener
  // has been added (ADD-1). It is no listener itself: clear() leaves it alone.
  void when_added(std::function<void()> added);

 private:
  struct State;  // yours to design: see event.cc
  std::shared_ptr<State> state_;
};

}  // namespace net
