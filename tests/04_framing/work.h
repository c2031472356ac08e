// What code costs, in numbers that are the same on every machine: the bytes
// that it had copied, moved or searched, and the bytes that it allocated. They
// are counted where memcpy(), memmove(), memchr() and operator new begin.
//
//   Work work;
//   decoder.feed(bytes);
//   EXPECT_IS(work.touched() <= 16 * bytes.size(), true) << "...";
//
// Sanitizers have these functions to themselves: with them the counts stay 0.
#pragma once

#include <cstddef>

class Work {
 public:
  Work();
  std::size_t touched() const;    // since it was made
  std::size_t allocated() const;  // freed ones count, too

 private:
  std::size_t touched_, allocated_;
};
