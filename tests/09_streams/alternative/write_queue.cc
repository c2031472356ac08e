// Another way: all bytes that wait lie in one string, and each write is a mark
// on the stream: where it begins and where it ends, counted from the first byte
// that this queue ever saw.
#include "chapters/09_streams/write_queue.h"

#include <cstdint>
#include <string>
#include <utility>

namespace net {

struct WriteQueue::State {
  struct Mark {
    std::uint64_t begin, end;
    Callback done;
  };

  std::size_t high_water_mark;
  enum { kNobodyWaits, kWaitsForDrain } producer = kNobodyWaits;
  std::uint64_t written = 0;  // the end of the stream
  std::uint64_t out = 0;      // up to here it is on the wire
  std::string bytes = {};     // its end is `written`
  std::vector<Mark> marks = {};
  std::size_t first = 0;  // the marks before this one are out
  std::vector<Callback> done = {};
  std::unique_ptr<IoResult> failed = {};

  bool empty() const { return first == marks.size(); }
  std::size_t size() const {
    return empty() ? 0 : written - marks[first].begin;
  }

  std::string_view unsent() const {
    return std::string_view(bytes).substr(bytes.size() - (written - out));
  }

  bool may_go_on() {
    if (size() > 0 && size() >= high_water_mark) producer = kWaitsForDrain;
    return size() == 0 || size() < high_water_mark;
  }

  void retire(Callback& callback) {
    if (callback) done.push_back(std::move(callback));
  }

  // Retires the marks that are passed, and gives memory back once half of it
  // holds nothing any more.
  void clean_up() {
    for (; !empty() && marks[first].end <= out; ++first)
      retire(marks[first].done);
    if (empty()) {
      std::vector<Mark>().swap(marks);
      first = 0;
      std::string().swap(bytes);
      return;
    }
    if (first > marks.size() / 2) {
      marks.erase(marks.begin(),
                  marks.begin() + static_cast<std::ptrdiff_t>(first));
      first = 0;
    }
    if (unsent().size() < bytes.size() / 2)
      bytes.erase(0, bytes.size() - unsent().size());
  }
};

WriteQueue::WriteQueue(std::size_t high_water_mark)
    : state_(new State{high_water_mark}) {}

bool WriteQueue::push(std::string_view bytes, Callback done) {
  State& s = *state_;
  s.marks.push_back({s.written, s.written + bytes.size(), std::move(done)});
  s.written += bytes.size();
  s.bytes += bytes;
  return s.may_go_on();
}

bool WriteQueue::write(Transport& to, std::string_view bytes, Callback done) {
  State& s = *state_;
  if (!s.empty()) return push(bytes, std::move(done));
  std::uint64_t begin = s.written;
  s.written += bytes.size();
  while (s.out < s.written) {
    std::string_view rest = bytes.substr(s.out - begin);
    IoResult result = to.write({&rest, 1});
    if (result.kind != IoResult::kBytes) {
      if (result.kind == IoResult::kFailed)
        s.failed = std::make_unique<IoResult>(std::move(result));
      s.marks.push_back({begin, s.written, std::move(done)});
      s.bytes = rest;
      return s.may_go_on();
    }
    s.out += result.bytes;
  }
  s.retire(done);
  return s.may_go_on();
}

bool WriteQueue::failed() const {
  return static_cast<bool>(state_->failed);
}

IoResult WriteQueue::flush(Transport& to) {
  State& s = *state_;
  if (s.failed) return *s.failed;
  std::uint64_t before = s.out;
  IoResult result;
  while (result.kind == IoResult::kBytes && s.out < s.written) {
    std::string_view rest = s.unsent();
    result = to.write({&rest, 1});
    if (result.kind == IoResult::kBytes) s.out += result.bytes;
    s.clean_up();
  }
  s.clean_up();
  result.bytes = s.out - before;
  return result;
}

std::size_t WriteQueue::size() const {
  return state_->size();
}

bool WriteQueue::empty() const {
  return state_->empty();
}

std::size_t WriteQueue::high_water_mark() const {
  return state_->high_water_mark;
}

bool WriteQueue::needs_drain() const {
  return state_->producer == State::kWaitsForDrain;
}

bool WriteQueue::take_drain() {
  if (!empty() || !needs_drain()) return false;
  state_->producer = State::kNobodyWaits;
  return true;
}

std::vector<Callback> WriteQueue::take_done() {
  std::vector<Callback> taken;
  taken.swap(state_->done);
  return taken;
}

std::vector<Callback> WriteQueue::take_dropped() {
  State& s = *state_;
  std::vector<Callback> dropped;
  for (; s.first < s.marks.size(); ++s.first)
    if (s.marks[s.first].done)
      dropped.push_back(std::move(s.marks[s.first].done));
  s.out = s.written;
  s.producer = State::kNobodyWaits;
  s.failed = nullptr;
  s.clean_up();
  return dropped;
}

WriteQueue::WriteQueue(WriteQueue&&) noexcept = default;
WriteQueue& WriteQueue::operator=(WriteQueue&&) noexcept = default;
WriteQueue::~WriteQueue() = default;

}  // namespace net
