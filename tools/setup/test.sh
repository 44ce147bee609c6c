#!/usr/bin/env bash
# Builds everything and runs all tests: first optimized, then with sanitizers.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: test.sh [--quick] [--help]

Installs missing Debian packages, then
  1. configures and builds preset `dev` in build/dev and runs all tests;
  2. configures and builds preset `asan-ubsan` in build/asan-ubsan (address and undefined-behaviour sanitizers) and runs
     its tests, without those labelled `isa` (the same tests under other instruction sets), `meta` (checks of the source
     tree and the binaries, which step 1 made) and `slow`;
  3. builds the kernels for 64-bit and 32-bit ARM and runs their tests under qemu as six processors (test_arm.sh). Where
     cross compilers, qemu or the packages of ARM cannot be had, that is skipped and the reason printed.

  --quick   only step 1
  --help    this text

Takes less than half an hour on two cores from nothing, a few minutes when repeated. Exit code 0 means that all tests passed.
TEXT
}

quick=false
for argument in "$@"; do
  case "${argument}" in
    --quick) quick=true ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      echo "test.sh: unknown option '${argument}'" >&2
      usage >&2
      exit 2
      ;;
  esac
done

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
jobs="$(nproc)"
cd -- "${root}"

tools/setup/install_packages.sh test

configure_and_build() {
  local preset="$1"
  local launcher=()
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  echo "=== ${preset}: configure and build"
  cmake --preset "${preset}" "${launcher[@]}"
  cmake --build --preset "${preset}" --parallel "${jobs}"
}

run_tests() {
  local preset="$1"
  shift
  echo "=== ${preset}: tests"
  ctest --preset "${preset}" --parallel "${jobs}" --output-on-failure --no-tests=error "$@"
}

configure_and_build dev
run_tests dev
if [[ "${quick}" == true ]]; then
  echo "=== all tests of preset dev passed (--quick: sanitizers and ARM not run)"
  exit 0
fi

configure_and_build asan-ubsan
run_tests asan-ubsan --label-exclude '^(isa|meta|slow)$'

status=0
tools/setup/test_arm.sh || status=$?
case "${status}" in
  0) echo "=== all tests passed: dev, asan-ubsan, ARM" ;;
  77) echo "=== all tests passed: dev, asan-ubsan; ARM was skipped, see above" ;;
  *) exit "${status}" ;;
esac
