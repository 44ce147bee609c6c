# What the toolchain files of ARM share. They set
#   arm_triplet   Debian's name of the architecture's toolchain
#   arm_debian    Debian's name of the architecture
#   arm_emulator  qemu's program
# Packages: g++-12-TRIPLET, qemu-user; tools/setup/arm_sysroot.sh makes the root.
set(CMAKE_SYSTEM_NAME Linux)

find_program(arm_c NAMES ${arm_triplet}-gcc-12 ${arm_triplet}-gcc REQUIRED)
find_program(arm_cxx NAMES ${arm_triplet}-g++-12 ${arm_triplet}-g++ REQUIRED)
set(CMAKE_C_COMPILER ${arm_c})
set(CMAKE_CXX_COMPILER ${arm_cxx})

get_filename_component(arm_project ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
set(CMAKE_SYSROOT ${arm_project}/build/sysroot-${arm_debian})
if(NOT EXISTS ${CMAKE_SYSROOT}/usr)
  message(FATAL_ERROR "${CMAKE_SYSROOT} is missing: run tools/setup/arm_sysroot.sh ${arm_debian}")
endif()
set(CMAKE_LIBRARY_ARCHITECTURE ${arm_triplet})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${CMAKE_SYSROOT}/usr/lib/${arm_triplet}/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig)

# Tests run under qemu. Which processor it imitates is up to the environment variable QEMU_CPU.
find_program(arm_qemu NAMES ${arm_emulator} ${arm_emulator}-static)
if(arm_qemu)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${arm_qemu} -L ${CMAKE_SYSROOT})
endif()
