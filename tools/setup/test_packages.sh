#!/usr/bin/env bash
# Installs the packages into a root directory that holds nothing else but what they depend on, and classifies the
# Fashion-MNIST test images there, for ARM under qemu.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: test_packages.sh [--limit N] [ARCH...]

ARCH: amd64, arm64 (if none is given), armhf. Takes build/packages/*_ARCH.deb (tools/setup/make_packages.sh) and
  1. checks them with lintian, where that is installed: errors fail;
  2. resolves what libbnn and bnn-tools depend on and unpacks all of it into build/debian-ARCH;
  3. runs models/fashion_mnist.bnn on the 10,000 test images with the bnn-run that is there, with nothing but the
     libraries that are there, and demands 9,201 right answers;
  4. where bnn-tools holds bnn-convert, converts models/fashion_mnist/fashion_mnist.onnx there, with --verify.

  --limit N  only N images: their answers must be those of the bnn-run of this machine (build/release)

Exit code 77, with the reason on stdout: not possible here.
TEXT
}

limit=0
architectures=()
while [[ $# -gt 0 ]]; do
  case "$1" in
    --limit)
      limit="${2:?}"
      shift
      ;;
    amd64 | arm64 | armhf) architectures+=("$1") ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      echo "test_packages.sh: unknown option '$1'" >&2
      usage >&2
      exit 2
      ;;
  esac
  shift
done
if [[ ${#architectures[@]} -eq 0 ]]; then architectures=(arm64); fi

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
cd -- "${root}"
# shellcheck source=tools/setup/debian_root.sh
source tools/setup/debian_root.sh
dataset=/usr/share/datasets/fashion-mnist
run=(models/fashion_mnist.bnn --dataset "${dataset}/t10k-images-idx3-ubyte.gz" "${dataset}/t10k-labels-idx1-ubyte.gz")
all_right=9201

# in_root ARCH PROGRAM ARGUMENTS...: the program of build/debian-ARCH, with its loader and libraries.
in_root() {
  local arch="$1" folder="${root}/build/debian-$1" program="$2"
  shift 2
  case "${arch}" in
    amd64)
      "${folder}/lib64/ld-linux-x86-64.so.2" --inhibit-cache --library-path \
        "${folder}/usr/lib/x86_64-linux-gnu:${folder}/lib/x86_64-linux-gnu" "${folder}${program}" "$@"
      ;;
    arm64) qemu-aarch64 -L "${folder}" "${folder}${program}" "$@" ;;
    armhf) qemu-arm -cpu cortex-a15 -L "${folder}" "${folder}${program}" "$@" ;;
  esac
}

count_right() { python3 -c 'import json, sys; print(json.load(sys.stdin)["correct"])'; }

for arch in "${architectures[@]}"; do
  packages=("${root}"/build/packages/{libbnn,bnn-tools}_*_"${arch}".deb)
  for package in "${packages[@]}"; do
    [[ -e "${package}" ]] || { echo "test_packages.sh: no ${package}: run tools/setup/make_packages.sh ${arch}" >&2; exit 1; }
  done
  if command -v lintian >/dev/null; then
    echo "=== ${arch}: lintian"
    lintian --allow-root --fail-on error --tag-display-limit 0 "${root}"/build/packages/*_"${arch}".deb
  else
    echo "=== ${arch}: lintian is not installed: packages are not checked by it"
  fi
  echo "=== ${arch}: a root directory with the packages and what they depend on"
  make_debian_root "${arch}" "${root}/build/debian-${arch}" "${packages[@]}" >/dev/null ||
    { echo "test_packages.sh: what the packages of ${arch} depend on cannot be had here" >&2; exit 1; }
  echo "$(find "build/debian-${arch}/var/lib/dpkg/info" -name '*.list' | wc -l) packages, of them ours: ${packages[*]##*/}"
  in_root "${arch}" /usr/bin/bnn-run --version
  echo "=== ${arch}: Fashion-MNIST"
  if [[ "${limit}" -eq 0 ]]; then
    right="$(in_root "${arch}" /usr/bin/bnn-run "${run[@]}" --json | count_right)"
    wanted="${all_right}"
  else
    right="$(in_root "${arch}" /usr/bin/bnn-run "${run[@]}" --json --limit "${limit}" | count_right)"
    wanted="$(build/release/bin/bnn-run "${run[@]}" --json --limit "${limit}" | count_right)"
  fi
  echo "${right} of ${limit/#0/10000} right, ${wanted} expected"
  [[ "${right}" -eq "${wanted}" ]] || exit 1
  if [[ -e "build/debian-${arch}/usr/bin/bnn-convert" ]]; then
    echo "=== ${arch}: bnn-convert"
    in_root "${arch}" /usr/bin/bnn-convert models/fashion_mnist/fashion_mnist.onnx --quiet --verify \
      -o "build/debian-${arch}/fashion_mnist.bnn"
  else
    echo "=== ${arch}: these packages were made without bnn-convert"
  fi
done
