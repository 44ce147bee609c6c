# What every target of this project shares: root-relative includes, warnings, sanitizers, exact float semantics.

add_library(bnn_build_flags INTERFACE)
target_include_directories(bnn_build_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/engine/include)
target_compile_options(bnn_build_flags INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-unused-parameter
  $<$<BOOL:${BNN_WARNINGS_AS_ERRORS}>:-Werror>
  # g++ 12 at -O3 warns of its own std::string and std::vector.
  "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict;-Wno-array-bounds;-Wno-stringop-overflow>"
  # Where a fused multiply-add is meant it is written; elsewhere each operation rounds once, on every compiler.
  -ffp-contract=off)
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
  # Sizes of files have 64 bits on 32-bit systems, too.
  target_compile_definitions(bnn_build_flags INTERFACE _FILE_OFFSET_BITS=64)
  # g++ for ARM notes, at every std::vector that is passed, that its versions before 7 passed it otherwise.
  target_compile_options(bnn_build_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-psabi>)
endif()
if(BNN_SANITIZE)
  target_compile_options(bnn_build_flags INTERFACE -fsanitize=${BNN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(bnn_build_flags INTERFACE -fsanitize=${BNN_SANITIZE})
  # g++ sees uninitialized members in the standard library's <regex> when it instruments it; its manual says that
  # sanitizers may bring such false warnings. The builds without them keep it.
  target_compile_options(bnn_build_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()

# Seconds that a test may take. Emulated processors are ten to twenty times slower.
set(bnn_test_seconds 900)
if(CMAKE_CROSSCOMPILING)
  set(bnn_test_seconds 3600)
endif()

# bnn_add_test(NAME SOURCES... LIBS... [LABELS...]): a doctest executable registered as one CTest test.
# Its main() is tests/test_main.cc, which prints skipped cases with their reasons.
function(bnn_add_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE bnn_test_main ${ARG_LIBS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  # Tests share the cores: OpenMP threads that wait should sleep, not spin.
  set_tests_properties(${name} PROPERTIES TIMEOUT ${bnn_test_seconds} LABELS "${ARG_LABELS}" ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()

# bnn_add_onednn_isa_runs(NAME ISA...): runs the test NAME again with oneDNN as on older x86-64 CPUs, whose kernels and
# demands on alignment are others.
function(bnn_add_onednn_isa_runs name)
  if(NOT BNN_ONEDNN OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    return()
  endif()
  foreach(isa ${ARGN})
    add_test(NAME ${name}.onednn_${isa} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name}.onednn_${isa} PROPERTIES
      ENVIRONMENT "ONEDNN_MAX_CPU_ISA=${isa}" TIMEOUT ${bnn_test_seconds} LABELS isa)
  endforeach()
endfunction()

# bnn_add_isa_runs(NAME ISA...): runs the test NAME again under each BNN_MAX_ISA. Exit code 77 (the CPU lacks it) skips.
function(bnn_add_isa_runs name)
  foreach(isa ${ARGN})
    add_test(NAME ${name}.${isa} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name}.${isa} PROPERTIES
      ENVIRONMENT "BNN_MAX_ISA=${isa};OMP_WAIT_POLICY=passive" TIMEOUT ${bnn_test_seconds} SKIP_RETURN_CODE 77 LABELS isa)
  endforeach()
endfunction()
