// Takes the place of protobuf's own arena.cc where protobuf-lite is linked into libbnn.so (BNN_STATIC_PROTOBUF).
//
// Debian's archive of protobuf-lite is compiled for executables: its variables of a thread are at fixed places of the
// executable's, which is wrong in a shared library, and on x86-64 refused by the linker. All of them are in arena.cc.
// An arena exists only where the user of a message makes one, which bnn never does: so nothing of this is ever called,
// and without it the archive is fit for shared libraries.
#include <google/protobuf/arena.h>

#include <cstdlib>

namespace google::protobuf {

void* Arena::AllocateAlignedWithHook(size_t, const std::type_info*) { std::abort(); }
void* Arena::AllocateAlignedWithHookForArray(size_t, const std::type_info*) { std::abort(); }
std::pair<void*, internal::SerialArena::CleanupNode*> Arena::AllocateAlignedWithCleanup(size_t, const std::type_info*) {
  std::abort();
}

namespace internal {

__thread ThreadSafeArena::ThreadCache ThreadSafeArena::thread_cache_ = {0, static_cast<uint64_t>(-1), nullptr};
ThreadSafeArena::~ThreadSafeArena() { std::abort(); }
uint64_t ThreadSafeArena::SpaceAllocated() const { std::abort(); }
void ThreadSafeArena::AddCleanup(void*, void (*)(void*)) { std::abort(); }

}  // namespace internal
}  // namespace google::protobuf
