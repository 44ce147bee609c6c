#include "tests/api/count_allocations.h"

#include <link.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BNN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define BNN_SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(BNN_SANITIZED)

namespace {

std::atomic<int64_t> by_onednn{0}, by_others{0}, freed{0};
std::atomic<uintptr_t> onednn_begin{0}, onednn_end{0};

int FindOneDnn(dl_phdr_info* library, size_t, void*) {
  if (std::strstr(library->dlpi_name, "libdnnl") == nullptr) return 0;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const auto& segment = library->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    onednn_begin = library->dlpi_addr + segment.p_vaddr;
    onednn_end = onednn_begin + segment.p_memsz;
  }
  return 1;
}

void Count(const void* caller) {
  const auto address = reinterpret_cast<uintptr_t>(caller);
  ++(address >= onednn_begin && address < onednn_end ? by_onednn : by_others);
}

}  // namespace

// An executable's functions take the place of those of shared libraries, so that all calls end here.
#define BNN_EXPORT __attribute__((visibility("default")))
#define BNN_CALLER __builtin_return_address(0)

extern "C" {

void* __libc_malloc(size_t size);                      // NOLINT: glibc's names
void* __libc_calloc(size_t count, size_t size);        // NOLINT
void* __libc_realloc(void* memory, size_t size);       // NOLINT
void* __libc_memalign(size_t alignment, size_t size);  // NOLINT
void __libc_free(void* memory);                        // NOLINT

BNN_EXPORT void* malloc(size_t size) noexcept {
  Count(BNN_CALLER);
  return __libc_malloc(size);
}
BNN_EXPORT void* calloc(size_t count, size_t size) noexcept {
  Count(BNN_CALLER);
  return __libc_calloc(count, size);
}
BNN_EXPORT void* realloc(void* memory, size_t size) noexcept {
  Count(BNN_CALLER);
  if (memory != nullptr) ++freed;
  return __libc_realloc(memory, size);
}
BNN_EXPORT void* memalign(size_t alignment, size_t size) noexcept {
  Count(BNN_CALLER);
  return __libc_memalign(alignment, size);
}
BNN_EXPORT void* aligned_alloc(size_t alignment, size_t size) noexcept {
  Count(BNN_CALLER);
  return __libc_memalign(alignment, size);
}
BNN_EXPORT int posix_memalign(void** memory, size_t alignment, size_t size) noexcept {
  Count(BNN_CALLER);
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
BNN_EXPORT void free(void* memory) noexcept {
  if (memory != nullptr) ++freed;
  __libc_free(memory);
}

}  // extern "C"

namespace {

void* Check(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// The library's operator new calls malloc, which would see the library as the caller.
BNN_EXPORT void* operator new(size_t size) {
  Count(BNN_CALLER);
  return Check(__libc_malloc(size));
}
BNN_EXPORT void* operator new[](size_t size) {
  Count(BNN_CALLER);
  return Check(__libc_malloc(size));
}
BNN_EXPORT void* operator new(size_t size, std::align_val_t alignment) {
  Count(BNN_CALLER);
  return Check(__libc_memalign(static_cast<size_t>(alignment), size));
}
BNN_EXPORT void operator delete(void* memory) noexcept { std::free(memory); }
BNN_EXPORT void operator delete(void* memory, size_t) noexcept { std::free(memory); }
BNN_EXPORT void operator delete[](void* memory) noexcept { std::free(memory); }
BNN_EXPORT void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
BNN_EXPORT void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
BNN_EXPORT void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace bnn::test {

bool CanCountAllocations() {
  dl_iterate_phdr(FindOneDnn, nullptr);
  return true;
}

Allocations CountAllocations() { return {by_onednn, by_others, freed}; }

}  // namespace bnn::test

#else

bool bnn::test::CanCountAllocations() { return false; }
bnn::test::Allocations bnn::test::CountAllocations() { return {}; }

#endif
