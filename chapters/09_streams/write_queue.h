// WriteQueue: what was written, and has not gone out yet.
//
//   net::WriteQueue queue;                             // 16 KiB, as Node's
//   if (!queue.write(wire, bytes)) stop_producing();
//   ... when poll() says POLLOUT:
//   if (queue.flush(wire).kind == net::IoResult::kFailed) give_up();
//   if (queue.take_drain()) go_on_producing();
//   for (const net::Callback& done : queue.take_done()) done(nullptr);
//
// It calls nobody by itself: who owns it decides when callbacks run.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "chapters/09_streams/transport.h"
#include "common/error.h"

namespace net {

inline constexpr std::size_t kHighWaterMark = 16384;

class WriteQueue {
 public:
  explicit WriteQueue(std::size_t high_water_mark = kHighWaterMark);
  ~WriteQueue();  // forgets callbacks without calling them
  WriteQueue(WriteQueue&&) noexcept;
  WriteQueue& operator=(WriteQueue&&) noexcept;

  // Adds a copy of `bytes` at the end; `done` is for when they are out. False
  // once size() has reached the mark (and is not 0): advice to wait for the
  // drain, no refusal (WRITE-3, WRITE-6). No bytes are a write, too (WRITE-13).
  bool push(std::string_view bytes, Callback done = {});

  // push(), but if nothing waits before it, `to` gets it first, until there is
  // no more room: what is taken is never copied (COPY-1). If that is all of it,
  // size() is as before and the result true, however long `bytes` is. A failure
  // is kept: each flush() answers with it, until take_dropped() (FLUSH-2).
  bool write(Transport& to, std::string_view bytes, Callback done = {});
  bool failed() const;  // such a failure is there

  // Writes from the beginning of the queue until it is empty (kBytes), until
  // `to` has no more room, or fails. The answer's `bytes`: all that this call
  // has written, whatever its kind (FLUSH-1).
  IoResult flush(Transport& to);

  // The bytes that wait. Those of one write count until the last of them is
  // out, as in Node (WRITE-5).
  std::size_t size() const;
  bool empty() const;  // no write waits, not even one of no bytes
  std::size_t high_water_mark() const;

  // True from a false push() or write() to the true take_drain() (DRAIN-4).
  bool needs_drain() const;
  // True once, when the queue is empty again: the moment for the drain event
  // (DRAIN-1).
  bool take_drain();

  // The callbacks of the writes that are out, in the order of the writes, each
  // in one answer only; without the empty ones (WRITE-2).
  std::vector<Callback> take_done();
  // Drops what waits, the drain of it, and a failure that was kept. The answer:
  // the callbacks of what waited, in order; without the empty ones (WRITE-12).
  std::vector<Callback> take_dropped();

 private:
  struct State;  // yours to design: see write_queue.cc
  std::unique_ptr<State> state_;
};

}  // namespace net
