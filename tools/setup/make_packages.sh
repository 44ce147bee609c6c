#!/usr/bin/env bash
# Makes Debian packages: libbnn, libbnn-dev and bnn-tools.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: make_packages.sh [--without-converter] [ARCH...]

ARCH: amd64 (if none is given), arm64, armhf. Builds in build/deb-ARCH, for ARM with the cross compilers, and puts the
packages into build/packages. armhf is built without oneDNN, which is for 64-bit processors.

  --without-converter  bnn-tools holds only bnn-run: networks are mostly converted on another machine than they run on,
                       and bnn-convert, with the libraries that it needs, is most of the build

tools/setup/test_packages.sh tests them. Exit code 77, with the reason on stdout: not possible here.
TEXT
}

options=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr -DBNN_BUILD_TESTS=OFF -DBNN_BUILD_BENCH=OFF)
architectures=()
for argument in "$@"; do
  case "${argument}" in
    --without-converter) options+=(-DBNN_BUILD_CONVERTER=OFF) ;;
    amd64 | arm64 | armhf) architectures+=("${argument}") ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      echo "make_packages.sh: unknown option '${argument}'" >&2
      usage >&2
      exit 2
      ;;
  esac
done
if [[ ${#architectures[@]} -eq 0 ]]; then architectures=(amd64); fi

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
cd -- "${root}"
if command -v ccache >/dev/null; then
  options+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
tools/setup/install_packages.sh build packages

for arch in "${architectures[@]}"; do
  case "${arch}" in
    amd64) own=(-DCMAKE_INSTALL_LIBDIR=lib/x86_64-linux-gnu) ;;
    arm64) own=(-DCMAKE_INSTALL_LIBDIR=lib/aarch64-linux-gnu --toolchain cmake/aarch64.cmake) ;;
    armhf) own=(-DCMAKE_INSTALL_LIBDIR=lib/arm-linux-gnueabihf --toolchain cmake/armhf.cmake -DBNN_ONEDNN=OFF) ;;
  esac
  if [[ "${arch}" != amd64 ]]; then
    tools/setup/install_packages.sh arm
    tools/setup/arm_sysroot.sh "${arch}"
  fi
  echo "=== packages for ${arch}"
  cmake -S . -B "build/deb-${arch}" -G Ninja "${options[@]}" "${own[@]}"
  cmake --build "build/deb-${arch}" --parallel "$(nproc)"
  (cd "build/deb-${arch}" && cpack -B "${root}/build/packages")
done
rm -rf build/packages/_CPack_Packages
ls -l build/packages
