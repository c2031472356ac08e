#include "chapters/08_events/event.h"

#include <cstddef>
#include <functional>
#include <memory>

#include "common/todo.h"

namespace net {

// What the event remembers. emit() keeps a share of it while it runs, so that
// a listener may destroy the event (08.5).
struct ListenerList::State {};

ListenerList::ListenerList() : state_(std::make_shared<State>()) {}

ListenerList::~ListenerList() {
  // TODO(08.5): an emission that is under way must learn of it.
}

ListenerId ListenerList::add(Call, Times) {
  TODO("08.1", "put it at the end of the list; 08.6: tell who wants to know");
}

bool ListenerList::remove(ListenerId) {
  TODO("08.2", "take off the one with this id");
}

void ListenerList::clear() {
  TODO("08.2", "take all off");
}

std::size_t ListenerList::count() const {
  TODO("08.1", "how many are on the list?");
}

// It grows: 08.3 makes it go through the list as it was, 08.4 calls some only
// once, 08.5 survives the end of the event.
bool ListenerList::emit(void*) {
  TODO("08.1", "call them, in their order");
}

void ListenerList::when_added(std::function<void()>) {
  TODO("08.6", "remember it");
}

void emit_error(Event<const Error&>&, const Error&) {
  TODO("08.7", "to the listeners, or to nobody");
}

}  // namespace net
