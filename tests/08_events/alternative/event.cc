// Another correct solution: a vector of shared pointers. An emission goes
// through a copy of it, or has a share of the only listener; so who is taken
// off lives as long as an emission needs it, and nothing is swept.
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
  Entries entries;
  ListenerId last_id = 0;
  // 08.6: a share of it is called, it may replace itself.
  std::shared_ptr<std::function<void()>> added;
  bool destroyed = false;

  bool remove(ListenerId id) {
    auto has_id = [id](const auto& entry) { return entry->id == id; };
    auto found = std::find_if(entries.begin(), entries.end(), has_id);
    if (found == entries.end()) return false;
    // 08.5: freed when the list is in order: what a listener has captured can
    // have a destructor that comes back to this event.
    std::shared_ptr<Entry> removed = std::move(*found);
    entries.erase(found);
    return true;
  }

  void call(Entry& entry, void* arguments) {
    if (entry.times == Times::kOnce) {
      // 08.4: an emission from inside this one may have called it, and this one
      // has it still.
      if (std::exchange(entry.called, true)) return;
      remove(entry.id);
    }
    entry.call(arguments);
  }
};

ListenerList::ListenerList() : state_(std::make_shared<State>()) {}

ListenerList::~ListenerList() {
  state_->destroyed = true;
}

ListenerId ListenerList::add(Call call, Times times) {
  ListenerId id = ++state_->last_id;
  state_->entries.push_back(
      std::make_shared<Entry>(Entry{id, std::move(call), times}));
  if (auto added = state_->added) (*added)();
  return id;
}

bool ListenerList::remove(ListenerId id) {
  return state_->remove(id);
}

void ListenerList::clear() {
  // 08.5: freed when the list is empty.
  Entries removed = std::exchange(state_->entries, {});
}

std::size_t ListenerList::count() const {
  return state_->entries.size();
}

bool ListenerList::emit(void* arguments) {
  // 08.5: of this, and of who is called, our own share: a listener may destroy
  // *this.
  std::shared_ptr<State> state = state_;
  if (state->entries.empty()) return false;
  if (state->entries.size() == 1) {
    // 08.3: the whole list is one pointer: nothing is allocated.
    std::shared_ptr<Entry> only = state->entries.front();
    state->call(*only, arguments);
    return true;
  }
  const Entries now = state->entries;
  for (const std::shared_ptr<Entry>& entry : now) {
    state->call(*entry, arguments);
    if (state->destroyed) break;
  }
  return true;
}

void ListenerList::when_added(std::function<void()> added) {
  state_->added =
      added ? std::make_shared<std::function<void()>>(std::move(added))
            : nullptr;
}

void emit_error(Event<const Error&>& event, const Error& error) {
  if (!event.emit(error)) throw error;
}

}  // namespace net
