// What the code under test costs in memory, counted in operator new and delete.
//
//   Memory memory;
//   queue.write(sink, bytes);
//   EXPECT_IS(memory.allocations(), 0) << "...";
#pragma once

#include <cstddef>

class Memory {
 public:
  Memory();
  int allocations() const;  // since it was made; freed ones count, too
  long held() const;        // bytes more than when it was made

 private:
  long allocations_, held_;
};
