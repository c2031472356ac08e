#include "chapters/09_streams/write_queue.h"

#include "common/todo.h"

namespace net {

// What a queue remembers. Add what you need; State may have functions, too.
struct WriteQueue::State {
  std::size_t high_water_mark;
};

WriteQueue::WriteQueue(std::size_t high_water_mark)
    : state_(new State{high_water_mark}) {}

bool WriteQueue::push(std::string_view, Callback) {
  TODO("09.4", "keep a copy, and the callback; 09.5: is there room for more?");
}

IoResult WriteQueue::flush(Transport&) {
  TODO("09.4", "offer what waits, from where the last call stopped");
}

std::vector<Callback> WriteQueue::take_done() {
  TODO("09.4", "the callbacks of the writes that are out, once");
}

std::size_t WriteQueue::size() const {
  TODO("09.4", "the bytes of the writes that are not out");
}

bool WriteQueue::empty() const {
  TODO("09.4", "does no write wait, not even one of no bytes?");
}

std::size_t WriteQueue::high_water_mark() const {
  return state_->high_water_mark;
}

bool WriteQueue::needs_drain() const {
  TODO("09.5", "has a write been told to wait?");
}

bool WriteQueue::take_drain() {
  TODO("09.5", "true once, when all is out that made a write false");
}

bool WriteQueue::write(Transport&, std::string_view, Callback) {
  TODO("09.6", "past the queue, if nothing is in it");
}

bool WriteQueue::failed() const {
  TODO("09.6", "is there a failure of write() to tell?");
}

std::vector<Callback> WriteQueue::take_dropped() {
  TODO("09.7", "forget what waits, and hand out its callbacks");
}

WriteQueue::WriteQueue(WriteQueue&&) noexcept = default;
WriteQueue& WriteQueue::operator=(WriteQueue&&) noexcept = default;
WriteQueue::~WriteQueue() = default;

}  // namespace net
