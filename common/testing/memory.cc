#include "common/testing/memory.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

// Atomic: the peers of other tests have threads.
std::atomic<long> all_allocations{0};
std::atomic<long> all_held{0};

void* allocate(std::size_t size) {
  void* memory = std::malloc(size ? size : 1);
  if (!memory) throw std::bad_alloc();
  ++all_allocations;
  all_held += static_cast<long>(::malloc_usable_size(memory));
  return memory;
}

// What is freed is somebody else's memory from then on: nothing is left of what
// was in it, so that whoever looks at it again is seen.
void release(void* memory) noexcept {
  if (memory) {
    std::size_t size = ::malloc_usable_size(memory);
    all_held -= static_cast<long>(size);
    ::explicit_bzero(memory, size);
  }
  std::free(memory);
}

}  // namespace

Memory::Memory() : allocations_(all_allocations), held_(all_held) {}

int Memory::allocations() const {
  return static_cast<int>(all_allocations - allocations_);
}

long Memory::held() const {
  return all_held - held_;
}

void* operator new(std::size_t size) {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  release(memory);
}
