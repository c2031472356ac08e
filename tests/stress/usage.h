// What this process has of memory and descriptors.
#pragma once

#include <malloc.h>

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace stress {

// Sanitizers have an allocator of their own: mallinfo2() knows nothing of it,
// and LeakSanitizer looks instead.
inline std::size_t bytes_in_use() {
  return ::mallinfo2().uordblks;
}

inline std::ptrdiff_t descriptors_open() {
  using Directory = std::filesystem::directory_iterator;
  return std::distance(Directory("/proc/self/fd"), Directory());
}

}  // namespace stress
