// A buffer whose neighbouring pages are not accessible, so that a kernel that reads or writes outside its declared
// range crashes instead of passing by luck. (AddressSanitizer watches compiled accesses, but some masked vector
// intrinsics escape it; the memory protection unit sees all of them.)
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

namespace bnn::test {

// Which side of the data touches its inaccessible page. Data rarely fill whole pages, so only one side can touch; a
// test runs once with each.
enum class Guard { kAfter, kBefore };

inline constexpr Guard kBothGuards[] = {Guard::kAfter, Guard::kBefore};

// `count` elements, initialized to zero. Before a kBefore buffer and after a kAfter buffer the next byte faults. The
// slack on the other side is filled with a pattern, and SlackIntact() tells whether somebody wrote there.
template <typename T>
class GuardedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  GuardedBuffer(int64_t count, Guard guard) : count_(static_cast<size_t>(count)) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = count_ * sizeof(T);
    middle_bytes_ = (bytes + page - 1) / page * page;
    if (middle_bytes_ == 0) middle_bytes_ = page;
    mapped_bytes_ = middle_bytes_ + 2 * page;
    void* mapped = mmap(nullptr, mapped_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) Fail("mmap");
    base_ = static_cast<unsigned char*>(mapped);
    middle_ = base_ + page;
    if (mprotect(middle_, middle_bytes_, PROT_READ | PROT_WRITE) != 0) Fail("mprotect");
    std::memset(middle_, kSlackByte, middle_bytes_);
    unsigned char* const data = guard == Guard::kAfter ? middle_ + middle_bytes_ - bytes : middle_;
    std::memset(data, 0, bytes);
    data_ = reinterpret_cast<T*>(data);
  }

  GuardedBuffer(const std::vector<T>& values, Guard guard) : GuardedBuffer(static_cast<int64_t>(values.size()), guard) {
    if (!values.empty()) std::memcpy(data_, values.data(), values.size() * sizeof(T));
  }

  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  ~GuardedBuffer() { munmap(base_, mapped_bytes_); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  int64_t size() const { return static_cast<int64_t>(count_); }
  std::span<T> span() { return {data_, count_}; }
  T& operator[](int64_t index) { return data_[index]; }
  const T& operator[](int64_t index) const { return data_[index]; }
  std::vector<T> ToVector() const { return std::vector<T>(data_, data_ + count_); }

  // False when a byte of the slack, which belongs to nobody, was written.
  bool SlackIntact() const {
    const auto* first = reinterpret_cast<const unsigned char*>(data_);
    const unsigned char* last = first + count_ * sizeof(T);
    return HoldsPattern(middle_, first) && HoldsPattern(last, middle_ + middle_bytes_);
  }

 private:
  static constexpr unsigned char kSlackByte = 0xC5;

  // Every byte is the pattern: the first one is, and each equals the next.
  static bool HoldsPattern(const unsigned char* begin, const unsigned char* end) {
    if (begin == end) return true;
    return *begin == kSlackByte && std::memcmp(begin, begin + 1, static_cast<size_t>(end - begin - 1)) == 0;
  }

  [[noreturn]] static void Fail(const char* call) {
    std::perror(call);
    std::abort();
  }

  size_t count_ = 0;
  size_t middle_bytes_ = 0;
  size_t mapped_bytes_ = 0;
  unsigned char* base_ = nullptr;    // the guard page before
  unsigned char* middle_ = nullptr;  // the accessible pages
  T* data_ = nullptr;
};

}  // namespace bnn::test
