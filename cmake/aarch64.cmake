# 64-bit ARM, from ARMv8.0-A on.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(arm_triplet aarch64-linux-gnu)
set(arm_debian arm64)
set(arm_emulator qemu-aarch64)
include(${CMAKE_CURRENT_LIST_DIR}/arm_toolchain.cmake)
