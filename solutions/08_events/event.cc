#include "chapters/08_events/event.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace net {
namespace {

struct Entry {
  ListenerId id;
  ListenerList::Call call;
  ListenerList::Times times;
  bool called = false;
};

// 08.3: pointers, so that a copy of the list has the same listeners in it. A
// copy of a listener would count, say, on its own.
using Entries = std::vector<std::shared_ptr<Entry>>;

}  // namespace

struct ListenerList::State {
  // Never null, and never changed while an emission goes through it.
  std::shared_ptr<Entries> entries = std::make_shared<Entries>();
  ListenerId last_id = 0;
  std::function<void()> added;
  bool destroyed = false;

  // 08.3: the list to change; a new one while an emission holds the old one.
  // Thus those pay who change a list during an emission, and emit() does not.
  Entries& writable() {
    if (entries.use_count() > 1) entries = std::make_shared<Entries>(*entries);
    return *entries;
  }

  bool remove(ListenerId id) {
    auto has_id = [id](const auto& entry) { return entry->id == id; };
    Entries& list = writable();
    auto found = std::find_if(list.begin(), list.end(), has_id);
    if (found == list.end()) return false;
    // 08.5: freed when the list is in order: what a listener has captured can
    // have a destructor that comes back to this event.
    std::shared_ptr<Entry> removed = std::move(*found);
    list.erase(found);
    return true;
  }
};

ListenerList::ListenerList() : state_(std::make_shared<State>()) {}

ListenerList::~ListenerList() {
  state_->destroyed = true;
}

ListenerId ListenerList::add(Call call, Times times) {
  ListenerId id = ++state_->last_id;
  state_->writable().push_back(
      std::make_shared<Entry>(Entry{id, std::move(call), times}));
  // 08.6: a copy is called, it may replace itself.
  if (auto added = state_->added) added();
  return id;
}

bool ListenerList::remove(ListenerId id) {
  return state_->remove(id);
}

void ListenerList::clear() {
  state_->entries = std::make_shared<Entries>();
}

std::size_t ListenerList::count() const {
  return state_->entries->size();
}

bool ListenerList::emit(void* arguments) {
  // 08.5: of these two our own share: a listener may destroy *this.
  std::shared_ptr<State> state = state_;
  std::shared_ptr<const Entries> now = state->entries;
  for (const std::shared_ptr<Entry>& entry : *now) {
    if (entry->times == Times::kOnce) {
      // 08.4: an emission from inside this one may have called it, and it is
      // in `now` still.
      if (std::exchange(entry->called, true)) continue;
      state->remove(entry->id);
    }
    entry->call(arguments);
    if (state->destroyed) break;
  }
  return !now->empty();
}

void ListenerList::when_added(std::function<void()> added) {
  state_->added = std::move(added);
}

void emit_error(Event<const Error&>& event, const Error& error) {
  if (!event.emit(error)) throw error;
}

// Also right: a chain of listeners that is never copied, in which each knows
// the moments when it came and went, swept when the last emission is over;
// a copy of the vector of pointers for each emission of two or more listeners;
// weak_ptr in place of `destroyed`, asked after each call.

}  // namespace net
