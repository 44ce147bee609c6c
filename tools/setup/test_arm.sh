#!/usr/bin/env bash
# Builds for ARM with the cross compilers and tests under qemu: no board needed.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: test_arm.sh [--all] [--help]

Installs missing Debian packages, makes the roots that ARM builds compile against (arm_sysroot.sh), then
  1. builds preset `aarch64` as far as the tests of the kernels, and runs them under qemu as Cortex-A53 (the oldest
     64-bit core) and as `max` (all extensions that qemu knows);
  2. prints the throughput of the inner loops on models of ARM cores (bench/arm_mca.py).

  --all     the kernels as Cortex-A53, A72, A76 and max
  --help    this text

Exit code: 0 all tests passed; 77 not possible here, with the reason on stdout; else a failure.
TEXT
}

all=false
for argument in "$@"; do
  case "${argument}" in
    --all) all=true ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      echo "test_arm.sh: unknown option '${argument}'" >&2
      usage >&2
      exit 2
      ;;
  esac
done

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
cd -- "${root}"

if ! tools/setup/install_packages.sh arm; then
  echo "test_arm.sh: SKIPPED: the cross compilers or qemu cannot be installed here"
  exit 77
fi

launcher=()
if command -v ccache >/dev/null; then
  launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi

# test_kernels PRESET DEBIAN_ARCH CPU...
test_kernels() {
  local preset="$1" arch="$2" cpu
  shift 2
  tools/setup/arm_sysroot.sh "${arch}"
  cmake --preset "${preset}" "${launcher[@]}"
  cmake --build --preset "${preset}" --parallel "$(nproc)" --target kernel_tests
  for cpu in "$@"; do
    echo "=== ${preset}: kernels as ${cpu}"
    QEMU_CPU="${cpu}" ctest --preset "${preset}" --label-regex '^kernels$' --parallel "$(nproc)" --no-tests=error
  done
}

if [[ "${all}" == true ]]; then
  test_kernels aarch64 arm64 cortex-a53 cortex-a72 cortex-a76 max
else
  test_kernels aarch64 arm64 cortex-a53 max
fi

echo "=== aarch64: inner loops on models of cores"
status=0
python3 -B bench/arm_mca.py || status=$?
[[ "${status}" -eq 0 || "${status}" -eq 77 ]] || exit "${status}"
echo "=== all tests for ARM passed"
