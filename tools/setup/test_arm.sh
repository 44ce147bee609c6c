#!/usr/bin/env bash
# Builds for ARM with the cross compilers and tests under qemu: no board needed.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: test_arm.sh [--all | --full | --networks MODEL.bnn...] [--help]

Installs missing Debian packages and makes the roots that ARM builds compile against (arm_sysroot.sh). Then
  without option  the tests of the kernels (label `kernels`) of the presets `small-aarch64`, under qemu as Cortex-A53, A72,
                  A76 and `max` (all extensions that qemu knows), and `small-armhf`, as Cortex-A7 and A15: about four
                  minutes on two cores from nothing. test.sh does it too. Prints the names of the tests left to --all
  --all           everything of the same presets as the same cores: all their tests but those labelled `native`, which
                  start programs themselves and would need qemu to be registered with the kernel, and whose names are
                  printed; size of the library; the embedded example; the kernels of preset `aarch64`, among them those
                  with EOR3 and SVE, as `max`, whose vectors have 512 bits, and with vectors of 256 and 2048 bits;
                  throughput of the inner loops on models of ARM cores (bench/arm_mca.py); and --networks for the models
                  of this project
  --full          the tests of the presets `aarch64` and `armhf`, converter and oneDNN included, as Cortex-A72 and A15,
                  and those of `aarch64` that depend on the instruction set as `max`, but those labelled `native` or
                  `models`, which interpret published networks for minutes even without qemu; their names are printed.
                  Then the networks of this project and of ../shared/data: both converters must write the same bytes,
                  and outputs are compared as by --networks. An hour and more
  --networks      compares the outputs of networks under qemu with those of this machine's build of the same preset, and
                  prints the instructions that they take (tests/tools/compare_networks.py, bench/arm_instructions.py)

Exit code: 0 all tests passed; 77 not possible here, with the reason on stdout; else a failure.
TEXT
}

part=kernels
models=()
case "${1:-}" in
  "") ;;
  --all | --full) part="${1#--}" ;;
  --networks)
    part=networks
    models=("${@:2}")
    ;;
  -h | --help)
    usage
    exit 0
    ;;
  *)
    echo "test_arm.sh: unknown option '$1'" >&2
    usage >&2
    exit 2
    ;;
esac

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
cd -- "${root}"
jobs="$(nproc)"

skip() {
  echo "test_arm.sh: SKIPPED: $1"
  exit 77
}
tools/setup/install_packages.sh arm || skip "the cross compilers or qemu cannot be installed here"

launcher=()
if command -v ccache >/dev/null; then
  launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi

# build PRESET [TARGET...]
build() {
  local preset="$1" status=0
  shift
  case "${preset}" in
    *aarch64) tools/setup/arm_sysroot.sh arm64 || status=$? ;;
    *armhf) tools/setup/arm_sysroot.sh armhf || status=$? ;;
  esac
  if [[ "${status}" -eq 77 ]]; then exit 77; fi
  if [[ "${status}" -ne 0 ]]; then exit "${status}"; fi
  cmake --preset "${preset}" "${launcher[@]}"
  cmake --build --preset "${preset}" --parallel "${jobs}" ${1:+--target "$@"}
}

# run_tests PRESET CPU [OPTIONS OF ctest...]
run_tests() {
  local preset="$1" cpu="$2"
  shift 2
  echo "=== ${preset} as ${cpu}: tests"
  QEMU_CPU="${cpu}" ctest --preset "${preset}" --parallel "${jobs}" --no-tests=error "$@"
}

left_out='^(native|models)$' # labels

# print_tests PRESET OPTIONS OF ctest...
print_tests() {
  ctest --preset "$1" --show-only "${@:2}" | sed -n 's/^ *Test *#[0-9]*: /  /p'
}

# test_kernels PRESET CPU...
test_kernels() {
  local preset="$1" cpu
  shift
  build "${preset}" kernel_tests
  for cpu in "$@"; do run_tests "${preset}" "${cpu}" --label-regex '^kernels$'; done
  echo "=== ${preset}: only tests labelled kernels were run; left to test_arm.sh --all:"
  print_tests "${preset}" --label-exclude '^(kernels|native)$'
}

# test_whole PRESET CPU...
test_whole() {
  local preset="$1" cpu
  shift
  build "${preset}"
  echo "=== ${preset}: not under qemu, since they start programs themselves (native) or are too slow there (models):"
  print_tests "${preset}" --label-regex "${left_out}"
  for cpu in "$@"; do run_tests "${preset}" "${cpu}" --label-exclude "${left_out}"; done
}

# test_example PRESET TOOLCHAIN CPU
test_example() {
  echo "=== $1 as $3: embedded example"
  QEMU_CPU="$3" tests/embedded_example/run_test.sh "build/$1" "${root}/models/fashion_mnist.bnn" \
    "-DCMAKE_TOOLCHAIN_FILE=${root}/cmake/$2.cmake"
}

# compare_networks COMMAND MODEL...: COMMAND is a bnn-run under qemu
compare_networks() {
  echo "=== networks: $1"
  python3 -B tests/tools/compare_networks.py --runs build/small/bin/bnn-run "$1" -- "${@:2}"
}

# The networks as the converters of the presets aarch64 and armhf write them, and on the bnn-run of both.
test_conversion() {
  local arm64="-L ${root}/build/sysroot-arm64 build/aarch64/bin" armhf="-L ${root}/build/sysroot-armhf build/armhf/bin"
  local sources=(models/*/*.onnx) source name
  if [[ -d ../shared/data/models ]]; then
    sources+=(../shared/data/models/*.onnx)
  else
    echo "=== networks of ../shared/data: SKIPPED, the folder is absent"
  fi
  rm -rf build/aarch64/networks build/armhf/networks
  mkdir build/aarch64/networks build/armhf/networks
  echo "=== aarch64 and armhf: conversion of ${#sources[@]} networks"
  for source in "${sources[@]}"; do
    name="networks/$(basename "${source}" .onnx).bnn"
    # shellcheck disable=SC2086 # words of a command
    qemu-aarch64 -cpu cortex-a72 ${arm64}/bnn-convert "${source}" -o "build/aarch64/${name}" --quiet
    # shellcheck disable=SC2086
    qemu-arm -cpu cortex-a15 ${armhf}/bnn-convert "${source}" -o "build/armhf/${name}" --quiet
    cmp "build/aarch64/${name}" "build/armhf/${name}"
  done
  build small bnn-run
  compare_networks "qemu-aarch64 -cpu cortex-a72 ${arm64}/bnn-run" build/aarch64/networks/*.bnn
  compare_networks "qemu-aarch64 -cpu max ${arm64}/bnn-run" build/aarch64/networks/*.bnn
  compare_networks "qemu-arm -cpu cortex-a15 ${armhf}/bnn-run" build/aarch64/networks/*.bnn
}

# test_networks MODEL...
test_networks() {
  build small bnn-run
  build small-aarch64 bnn-run
  build small-armhf bnn-run
  local arm64="-L ${root}/build/sysroot-arm64 build/small-aarch64/bin/bnn-run"
  local armhf="-L ${root}/build/sysroot-armhf build/small-armhf/bin/bnn-run"
  local emulated
  for emulated in "qemu-aarch64 -cpu cortex-a53 ${arm64}" "qemu-aarch64 -cpu max ${arm64}" \
    "qemu-arm -cpu cortex-a15 ${armhf}"; do
    compare_networks "${emulated}" "$@"
  done
  echo "=== networks: instructions on ${arm64}"
  python3 -B bench/arm_instructions.py "$@" || [[ $? -eq 77 ]]
}

arm64_cores=(cortex-a53 cortex-a72 cortex-a76 max)
armhf_cores=(cortex-a7 cortex-a15)
case "${part}" in
  kernels)
    test_kernels small-aarch64 "${arm64_cores[@]}"
    test_kernels small-armhf "${armhf_cores[@]}"
    ;;
  all)
    test_whole small-aarch64 "${arm64_cores[@]}"
    test_whole small-armhf "${armhf_cores[@]}"
    test_example small-aarch64 aarch64 cortex-a72
    test_example small-armhf armhf cortex-a7
    build aarch64 kernel_tests
    run_tests aarch64 max --label-regex '^kernels$'
    for units in 2 16; do
      run_tests aarch64 "max,sve-max-vq=${units},sve-default-vector-length=-1" --tests-regex '^(bconv2d|bdense|limits)_test$'
    done
    echo "=== aarch64: inner loops on models of cores"
    python3 -B bench/arm_mca.py || [[ $? -eq 77 ]]
    test_networks models/*.bnn
    ;;
  full)
    test_whole aarch64 cortex-a72
    run_tests aarch64 max --label-regex '^(kernels|isa)$' --label-exclude "${left_out}"
    test_whole armhf cortex-a15
    test_conversion
    ;;
  networks)
    if [[ ${#models[@]} -eq 0 ]]; then models=(models/*.bnn); fi
    test_networks "${models[@]}"
    ;;
esac
echo "=== all tests for ARM passed (${part})"
