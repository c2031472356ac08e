// Replaces the memory of the whole program, to look at what others keep there.
#include <cstdlib>
#include <new>

void* operator new(std::size_t size) {
  return std::malloc(size);
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
