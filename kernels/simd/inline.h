// How vector code keeps a tile of accumulators in registers: every helper that takes the tile is inlined into the
// kernel, and loops over the tile are unrolled, so that each element of the arrays becomes one register.
#pragma once

#define BNN_INLINE inline __attribute__((always_inline))
#define BNN_INLINE_LAMBDA __attribute__((always_inline))
#define BNN_NOINLINE __attribute__((noinline))

// The constraint of assembly for a vector register.
#if defined(__aarch64__) || defined(__arm__)
#define BNN_VECTOR_REGISTER "w"
#else
#define BNN_VECTOR_REGISTER "v"
#endif

#if defined(__clang__)
#define BNN_UNROLL _Pragma("clang loop unroll(full)")
#define BNN_NO_UNROLL _Pragma("clang loop unroll(disable)")
#else
#define BNN_UNROLL _Pragma("GCC unroll 32")
#define BNN_NO_UNROLL _Pragma("GCC unroll 1")
#endif
