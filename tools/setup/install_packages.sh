#!/usr/bin/env bash
# Installs the Debian packages that this project needs, by name. Packages that are present are left alone, and apt is
# not called at all when nothing is missing, so that the script costs nothing the second time and works offline then.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: install_packages.sh GROUP...

Groups:
  build   compiler, build tools and libraries: enough to configure and build every preset
  demo    the Fashion-MNIST images that the main command classifies
  test    what the tests use besides `build` and `demo` (includes both)
  packages  what makes and checks Debian packages
  arm     cross compilers for 64-bit and 32-bit ARM, qemu to run their programs, and LLVM's models of ARM cores
  all     everything

Needs root or sudo when a package is missing. Debian 12 or later.
TEXT
}

build_packages=(
  cmake
  flatbuffers-compiler # .tflite files
  g++
  libbenchmark-dev
  libcli11-dev
  libdnnl-dev
  libeigen3-dev # float layers where oneDNN is left out (BNN_ONEDNN=OFF)
  opencl-headers # asked for by the CMake file of libdnnl-dev, like the next, which does not depend on them
  ocl-icd-opencl-dev
  libfmt-dev
  libflatbuffers-dev
  libonnx-dev
  libprotobuf-dev
  libpugixml-dev # reads the .xml of OpenVINO
  libstb-dev
  ninja-build
  nlohmann-json3-dev
  pkg-config
  python3
  doctest-dev
  protobuf-compiler
  zlib1g-dev
)
demo_packages=(
  dataset-fashion-mnist
)
test_packages=(
  ccache
  clang
  clang-format
  python3-numpy
  python3-onnx
  python3-torch # for tools/training, whose tests are skipped without it
)

arm_packages=(
  binutils-aarch64-linux-gnu
  g++-aarch64-linux-gnu
  g++-arm-linux-gnueabihf
  llvm-19 # llvm-mca: its models of Cortex and Neoverse are newer than those of clang's version
  qemu-user
)

packages_packages=(
  dpkg-dev # dpkg-shlibdeps
  file     # cpack looks for programs with it
  lintian
)

is_installed() {
  [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null || true)" == installed ]]
}

run_as_root() {
  if [[ "$(id -u)" -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "install_packages.sh: these packages are missing and neither root nor sudo is at hand: ${missing[*]}" >&2
    exit 1
  fi
}

wanted=()
if [[ $# -eq 0 ]]; then
  usage >&2
  exit 2
fi
for group in "$@"; do
  case "${group}" in
    build) wanted+=("${build_packages[@]}") ;;
    demo) wanted+=("${demo_packages[@]}") ;;
    arm) wanted+=("${arm_packages[@]}") ;;
    packages) wanted+=("${packages_packages[@]}") ;;
    test) wanted+=("${build_packages[@]}" "${demo_packages[@]}" "${test_packages[@]}") ;;
    all) wanted+=("${build_packages[@]}" "${demo_packages[@]}" "${test_packages[@]}" "${arm_packages[@]}" "${packages_packages[@]}") ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      echo "install_packages.sh: unknown group '${group}'" >&2
      usage >&2
      exit 2
      ;;
  esac
done

missing=()
for package in "${wanted[@]}"; do
  is_installed "${package}" || missing+=("${package}")
done
if [[ ${#missing[@]} -eq 0 ]]; then
  echo "install_packages.sh: all packages of '$*' are installed"
  exit 0
fi

echo "install_packages.sh: installing ${missing[*]}"
run_as_root env DEBIAN_FRONTEND=noninteractive apt-get update --quiet
run_as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
