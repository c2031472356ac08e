#include "tests/04_framing/work.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::size_t> all_touched{0}, all_allocated{0};
}

Work::Work() : touched_(all_touched), allocated_(all_allocated) {}
std::size_t Work::touched() const {
  return all_touched - touched_;
}
std::size_t Work::allocated() const {
  return all_allocated - allocated_;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WORK_NOT_COUNTED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WORK_NOT_COUNTED 1
#endif

#ifndef WORK_NOT_COUNTED

// Names of their own, because <cstring> may declare memchr() in another way;
// the linker sees the C library's.
extern "C" {
void* counted_memcpy(void*, const void*, std::size_t) noexcept asm("memcpy");
void* counted_memmove(void*, const void*, std::size_t) noexcept asm("memmove");
void* counted_memchr(const void*, int, std::size_t) noexcept asm("memchr");
}

namespace {

using Copy = void* (*)(void*, const void*, std::size_t);
using Search = void* (*)(const void*, int, std::size_t);

template <typename Function>
Function next_definition(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

void* allocate(std::size_t size) {
  all_allocated += size;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* counted_memcpy(void* to, const void* from, std::size_t n) noexcept {
  static const Copy real = next_definition<Copy>("memcpy");
  all_touched += n;
  return real(to, from, n);
}

void* counted_memmove(void* to, const void* from, std::size_t n) noexcept {
  static const Copy real = next_definition<Copy>("memmove");
  all_touched += n;
  return real(to, from, n);
}

void* counted_memchr(const void* in, int c, std::size_t n) noexcept {
  static const Search real = next_definition<Search>("memchr");
  void* found = real(in, c, n);
  // It stops where it finds.
  all_touched +=
      found ? static_cast<std::size_t>(static_cast<char*>(found) -
                                       static_cast<const char*>(in) + 1)
            : n;
  return found;
}

void* operator new(std::size_t size) {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

#endif
