# 32-bit ARM as Debian's armhf: ARMv7-A. Kernels with NEON are compiled for it in their own files.
set(CMAKE_SYSTEM_PROCESSOR arm)
set(arm_triplet arm-linux-gnueabihf)
set(arm_debian armhf)
set(arm_emulator qemu-arm)
include(${CMAKE_CURRENT_LIST_DIR}/arm_toolchain.cmake)
