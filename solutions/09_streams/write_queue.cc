#include "chapters/09_streams/write_queue.h"

#include <array>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace net {
namespace {

// A write that waits.
struct Write {
  std::size_t length;  // as it was asked for: counts until the last byte is out
  std::string rest;    // what had to be copied
  Callback done;
};

// Offered to the transport at once.
constexpr std::size_t kMaxPieces = 64;

}  // namespace

struct WriteQueue::State {
  std::size_t high_water_mark;
  std::size_t size = 0;
  bool needs_drain = false;
  // A list: without elements it costs no memory, and a long one never moves.
  std::list<Write> waiting = {};
  std::size_t front_out = 0;  // so much of the first one's rest is out
  std::vector<Callback> done = {};
  std::unique_ptr<Error> failure = {};  // of a write(), told by flush()

  void add(std::size_t length, std::string_view rest, Callback done);
  bool has_room();
  void advance(std::size_t bytes);
  void is_out(Callback callback);
};

WriteQueue::WriteQueue(std::size_t high_water_mark)
    : state_(new State{high_water_mark}) {}

bool WriteQueue::push(std::string_view bytes, Callback done) {
  state_->add(bytes.size(), bytes, std::move(done));
  return state_->has_room();
}

void WriteQueue::State::add(std::size_t length, std::string_view rest,
                            Callback callback) {
  waiting.push_back({length, std::string(rest), std::move(callback)});
  size += length;
}

IoResult WriteQueue::flush(Transport& to) {
  if (state_->failure)
    return {.kind = IoResult::kFailed, .error = *state_->failure};
  std::size_t total = 0;
  // 09.4: writes of no bytes are out once it is their turn: nothing is left
  // that the transport could be offered.
  state_->advance(0);
  while (!empty()) {
    std::array<std::string_view, kMaxPieces> pieces;
    std::size_t count = 0;
    for (const Write& write : state_->waiting) {
      if (count == pieces.size()) break;
      pieces[count++] = write.rest;
    }
    pieces[0].remove_prefix(state_->front_out);
    IoResult result = to.write(std::span(pieces).first(count));
    if (result.kind != IoResult::kBytes) {
      result.bytes = total;
      return result;
    }
    total += result.bytes;
    state_->advance(result.bytes);
  }
  return {.bytes = total};
}

// So many bytes more are out.
void WriteQueue::State::advance(std::size_t bytes) {
  front_out += bytes;
  while (!waiting.empty() && front_out >= waiting.front().rest.size()) {
    Write& write = waiting.front();
    front_out -= write.rest.size();
    size -= write.length;
    is_out(std::move(write.done));
    waiting.pop_front();
  }
}

void WriteQueue::State::is_out(Callback callback) {
  if (callback) done.push_back(std::move(callback));
}

std::vector<Callback> WriteQueue::take_done() {
  return std::exchange(state_->done, {});
}

std::size_t WriteQueue::size() const {
  return state_->size;
}

bool WriteQueue::empty() const {
  return state_->waiting.empty();
}

std::size_t WriteQueue::high_water_mark() const {
  return state_->high_water_mark;
}

bool WriteQueue::State::has_room() {
  if (size < high_water_mark || size == 0) return true;
  needs_drain = true;
  return false;
}

bool WriteQueue::needs_drain() const {
  return state_->needs_drain;
}

bool WriteQueue::take_drain() {
  return empty() && std::exchange(state_->needs_drain, false);
}

bool WriteQueue::write(Transport& to, std::string_view bytes, Callback done) {
  std::string_view rest = bytes;
  if (empty()) {
    while (!rest.empty()) {
      IoResult result = to.write(std::span(&rest, 1));
      if (result.kind == IoResult::kFailed)
        state_->failure = std::make_unique<Error>(std::move(*result.error));
      if (result.kind != IoResult::kBytes) break;
      rest.remove_prefix(result.bytes);
    }
    if (rest.empty()) {
      state_->is_out(std::move(done));
      return true;
    }
  }
  // 09.6: the part that is out is not copied, but counts: in Node, too, the
  // whole write waits until its last byte is out.
  state_->add(bytes.size(), rest, std::move(done));
  return state_->has_room();
}

bool WriteQueue::failed() const {
  return state_->failure != nullptr;
}

std::vector<Callback> WriteQueue::take_dropped() {
  std::vector<Callback> dropped;
  for (Write& write : state_->waiting)
    if (write.done) dropped.push_back(std::move(write.done));
  std::vector<Callback> done = std::exchange(state_->done, {});
  *state_ = State{state_->high_water_mark};
  state_->done = std::move(done);
  return dropped;
}

WriteQueue::WriteQueue(WriteQueue&&) noexcept = default;
WriteQueue& WriteQueue::operator=(WriteQueue&&) noexcept = default;
WriteQueue::~WriteQueue() = default;

// Also right: one std::string for all bytes, with a list of where each write
// ends; its front has to be given back from time to time, or a queue that is
// never empty grows for ever. A std::deque of writes has 500 bytes before the
// first one comes: too much for each of thousands of idle connections.

}  // namespace net
