// What one core can do at most, as loops to be timed: the limits that kernels are measured against.
//
// An arithmetic probe runs the operations of an inner loop on registers only, without any load, store or epilogue, on
// as many independent sums as hide all latencies. Each is the best sequence known for its instruction set. Multiply-
// accumulates (MACs) an operation:
//
//                    binary                                           float32   int8 (8 bit by 8 bit, 32-bit sums)
//   avx512vpopcnt    512 / 3     xor, vpopcntd, vpaddd                16        as avx512
//   avx512vnni                                                                  64       vpdpbusd
//   avx512           512 / 2.43  tables of 16 sums, looked up by      16        64 / 3   vpmaddubsw, vpmaddwd, vpaddd
//                                the weights for two pixels at once
//   avxvnni                                                                     32       vpdpbusd
//   avx2             256 / 2.43  the same in half the width           8         32 / 3
//   sve              vector / 3  eor, cnt, add                        as neon
//   neonsha3         128 / 2.5   eor3 for carries, cnt, add            as neon
//   neon             128 / 3     eor, cnt, add                        4         16 / 3    smull, smlal, sadalp
//   reference        what the compiler makes of plain C++ for the baseline of the architecture
//
// A memory probe loads or stores all bytes of a block, over and over: the bandwidth of the cache level in which the
// block lies.
#pragma once

#include <cstdint>

#include "kernels/cpu_features.h"

namespace bnn::kernels {

// `*sink` receives what the rounds computed.
struct ArithmeticProbe {
  const char* operations;  // of a round, for people; nullptr: the entry has no such probe
  int64_t macs_per_round;
  void (*run)(int64_t rounds, uint32_t* sink);
};

// How to read what lies beyond the first-level cache. Which way is faster depends on the core and the cache level (GB/s
// from L2 / L3: Zen 5 200 / 122 plain, 205 / 130 ahead; Zen 4 116 / 92 and 110 / 73), so what is to be a limit tries
// all.
enum class ReadWay : uint8_t {
  kPlain,  // one load after the other
  kAhead   // both halves at once, with prefetches
};
inline constexpr ReadWay kReadWays[] = {ReadWay::kPlain, ReadWay::kAhead};

// The probes of one instruction set. Entries need not have all of them.
struct LimitProbes {
  const char* name;
  Isa isa;
  bool needs_vnni;  // instructions of dot products of bytes, which some CPUs of `isa` have
  ArithmeticProbe binary, float32, int8;
  // One pass over `bytes` bytes, a multiple of kMemoryStep, 64-byte aligned. nullptr: none.
  uint64_t (*read)(const unsigned char* data, int64_t bytes, ReadWay way);
  void (*write)(unsigned char* data, int64_t bytes);
};

inline constexpr int64_t kMemoryStep = 256;

struct LimitProbesList {
  const LimitProbes* const* begin;
  int64_t size;
};
LimitProbesList AllLimitProbes();  // best first, the reference last

enum class Arithmetic : uint8_t { kNone, kBinary, kFloat32, kInt8 };

// The best probe of that arithmetic that this CPU can run and that is not above `max_isa`; not for kNone.
const ArithmeticProbe& FindProbe(Arithmetic arithmetic, Isa max_isa);

// kProbeRounds rounds are a call that takes some microseconds, and MacsOf are the MACs that it does.
inline constexpr int64_t kProbeRounds = 1000;
void RunProbe(const ArithmeticProbe& probe, int64_t rounds = kProbeRounds);
inline int64_t MacsOf(const ArithmeticProbe& probe) { return kProbeRounds * probe.macs_per_round; }

// Loads every byte of [data, data + bytes), apart from the last bytes % kMemoryStep, with the widest loads of the
// instruction set, which the CPU supports. `data` is 64-byte aligned.
void ReadAll(Isa isa, const void* data, int64_t bytes, ReadWay way);

// Stores to every byte of [data, data + bytes), apart from the last bytes % kMemoryStep, with the widest stores that
// kernels of `isa` can use.
void WriteAll(Isa isa, void* data, int64_t bytes);

}  // namespace bnn::kernels
