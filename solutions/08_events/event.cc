#include "chapters/08_events/event.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace net {
namespace {

// 08.3: each change and each emission takes the next number. So an emission
// knows who was on the list when it began.
using Moment = std::uint64_t;
constexpr Moment kNever = (Moment{1} << 62) - 1;

// A listener. Each of a server's connections has a few: it is kept small.
struct Link {
  std::unique_ptr<Link> next;
  Moment came;  // 08.2: never the same for two: its id
  Moment went : 62;
  bool once : 1;
  bool called : 1;
  ListenerList::Call call;
};

}  // namespace

struct ListenerList::State {
  // A chain in the order they came. Who went is in it still while an emission
  // is under way.
  std::unique_ptr<Link> first;
  std::unique_ptr<Link>* end = &first;
  Moment now = 0;
  std::unique_ptr<std::function<void()>> added;
  int emissions = 0;
  bool somebody_went = false;
  bool destroyed = false;

  void take_off(Link& link) {
    link.went = ++now;
    somebody_went = true;
  }

  void call(Link& link, void* arguments) {
    if (link.once) {
      // 08.4: an emission from inside this one may have called it, and this one
      // finds it still.
      if (link.called) return;
      link.called = true;
      if (link.went == kNever) take_off(link);
    }
    link.call(arguments);
  }

  // Frees who went, if no emission needs them any more.
  void sweep() {
    if (emissions > 0 || !std::exchange(somebody_went, false)) return;
    std::unique_ptr<Link> gone;
    std::unique_ptr<Link>* gone_end = &gone;
    for (end = &first; *end;) {
      if ((*end)->went == kNever) {
        end = &(*end)->next;
      } else {
        *gone_end = std::exchange(*end, std::move((*end)->next));
        gone_end = &(*gone_end)->next;
      }
    }
    // 08.5: freed when the chain is in order: what a listener has captured can
    // have a destructor that comes back to this event, or destroys it. And one
    // by one: a link that frees its next is a recursion as deep as the list.
    while (gone) gone = std::move(gone->next);
  }

  // 08.3: under way until emit() is left, by an exception as well. 08.5: with a
  // share of its own: a listener may destroy the list.
  struct Emission {
    explicit Emission(std::shared_ptr<State> share) : state(std::move(share)) {
      ++state->emissions;
    }
    ~Emission() {
      --state->emissions;
      state->sweep();
    }
    std::shared_ptr<State> state;
  };
};

ListenerList::ListenerList() = default;

ListenerList::~ListenerList() {
  if (state_) state_->destroyed = true;
  clear();
}

ListenerId ListenerList::add(Call call, Times times) {
  // Most lists stay empty: they have no state.
  if (!state_) state_ = std::make_shared<State>();
  ListenerId id = ++state_->now;
  bool once = times == Times::kOnce;
  *state_->end = std::make_unique<Link>(
      Link{nullptr, id, kNever, once, false, std::move(call)});
  state_->end = &(*state_->end)->next;
  if (state_->added) {
    // 08.6: a copy is called, it may replace itself.
    std::function<void()> added = *state_->added;
    added();
  }
  return id;
}

bool ListenerList::remove(ListenerId id) {
  if (!state_) return false;
  for (Link* link = state_->first.get(); link; link = link->next.get()) {
    if (link->came != id || link->went != kNever) continue;
    state_->take_off(*link);
    state_->sweep();
    return true;
  }
  return false;
}

void ListenerList::clear() {
  if (!state_) return;
  for (Link* link = state_->first.get(); link; link = link->next.get())
    if (link->went == kNever) state_->take_off(*link);
  state_->sweep();
}

std::size_t ListenerList::count() const {
  std::size_t count = 0;
  if (!state_) return count;
  for (Link* link = state_->first.get(); link; link = link->next.get())
    if (link->went == kNever) ++count;
  return count;
}

bool ListenerList::emit(void* arguments) {
  if (!state_) return false;
  State::Emission emission(state_);
  State& state = *emission.state;
  const Moment began = ++state.now;
  bool anybody = false;
  for (Link* link = state.first.get(); link && link->came < began;
       link = link->next.get()) {
    if (link->went < began) continue;
    anybody = true;
    state.call(*link, arguments);
    if (state.destroyed) break;
  }
  return anybody;
}

void ListenerList::when_added(std::function<void()> added) {
  if (!state_) state_ = std::make_shared<State>();
  state_->added =
      added ? std::make_unique<std::function<void()>>(std::move(added))
            : nullptr;
}

void emit_error(Event<const Error&>& event, const Error& error) {
  if (!event.emit(error)) throw error;
}

// Also right: a vector of shared pointers, of which an emission has a copy, or
// of the only one a share; a vector that is copied when it changes, if an
// emission has a share of it; weak_ptr in place of `destroyed`, asked after
// each call.

}  // namespace net
