// Another correct solution: one chain of links that is never copied. Every
// change and every emission takes the next number, and a link remembers when
// it came and when it went. So an emission can tell who was on the list when
// it began. Links that went are unchained when the last emission is over.
#include "chapters/08_events/event.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <utility>

namespace net {
namespace {

using Moment = std::uint64_t;
constexpr Moment kNever = std::numeric_limits<Moment>::max();

struct Link {
  Moment came;  // is its id, too
  ListenerList::Call call;
  ListenerList::Times times;
  Moment went = kNever;
  bool called = false;
  std::unique_ptr<Link> next = nullptr;
};

}  // namespace

struct ListenerList::State {
  std::unique_ptr<Link> first;
  std::unique_ptr<Link>* end = &first;
  std::size_t count = 0;
  Moment now = 0;
  int emissions = 0;
  bool destroyed = false;
  std::shared_ptr<std::function<void()>> added;

  ~State() { free_all(std::move(first)); }

  void went(Link& link) {
    link.went = ++now;
    --count;
  }

  // A long chain must not be freed by recursion.
  static void free_all(std::unique_ptr<Link> chain) {
    while (chain) chain = std::move(chain->next);
  }

  // Unchains those that went, and only then frees them: a destructor of
  // theirs may come back here.
  void sweep() {
    if (emissions > 0) return;
    std::unique_ptr<Link> gone;
    std::unique_ptr<Link>* link = &first;
    while (*link) {
      if ((*link)->went == kNever) {
        link = &(*link)->next;
        continue;
      }
      std::unique_ptr<Link> taken = std::move(*link);
      *link = std::move(taken->next);
      taken->next = std::move(gone);
      gone = std::move(taken);
    }
    end = link;
    free_all(std::move(gone));
  }
};

namespace {

// Counts the emissions that are under way, however they end.
template <typename State>
class UnderWay {
 public:
  explicit UnderWay(std::shared_ptr<State> state) : state_(std::move(state)) {
    ++state_->emissions;
  }
  ~UnderWay() {
    --state_->emissions;
    state_->sweep();
  }
  UnderWay(const UnderWay&) = delete;
  State* operator->() { return state_.get(); }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace

ListenerList::ListenerList() : state_(std::make_shared<State>()) {}

ListenerList::~ListenerList() {
  state_->destroyed = true;
}

ListenerId ListenerList::add(Call call, Times times) {
  Moment id = ++state_->now;
  *state_->end = std::make_unique<Link>(Link{id, std::move(call), times});
  state_->end = &(*state_->end)->next;
  ++state_->count;
  if (auto added = state_->added) (*added)();
  return id;
}

bool ListenerList::remove(ListenerId id) {
  std::shared_ptr<State> state = state_;
  for (Link* link = state->first.get(); link; link = link->next.get()) {
    if (link->came != id || link->went != kNever) continue;
    state->went(*link);
    state->sweep();
    return true;
  }
  return false;
}

void ListenerList::clear() {
  std::shared_ptr<State> state = state_;
  for (Link* link = state->first.get(); link; link = link->next.get())
    if (link->went == kNever) state->went(*link);
  state->sweep();
}

std::size_t ListenerList::count() const {
  return state_->count;
}

bool ListenerList::emit(void* arguments) {
  bool anybody = state_->count > 0;
  UnderWay<State> state(state_);
  const Moment began = ++state->now;
  for (Link* link = state->first.get(); link; link = link->next.get()) {
    if (link->came > began || link->went < began) continue;
    if (link->times == Times::kOnce) {
      if (std::exchange(link->called, true)) continue;
      if (link->went == kNever) state->went(*link);
    }
    link->call(arguments);
    if (state->destroyed) break;
  }
  return anybody;
}

void ListenerList::when_added(std::function<void()> added) {
  state_->added =
      added ? std::make_shared<std::function<void()>>(std::move(added))
            : nullptr;
}

void emit_error(Event<const Error&>& event, const Error& error) {
  bool heard = event.emit(error);
  if (!heard) throw error;
}

}  // namespace net
