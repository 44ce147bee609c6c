#!/usr/bin/env bash
# Makes the root directory that ARM builds compile against and that qemu runs them in: Debian's packages of another
# architecture, unpacked into a folder of this project. Nothing is installed into the system.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: arm_sysroot.sh ARCH

ARCH is arm64 or armhf. Fills build/sysroot-ARCH, which the presets aarch64 and armhf use. Takes the package sources of
this system, but lists, cache and resolver state of its own, in build/sysroot-ARCH.apt. Needs neither root nor dpkg's
foreign architectures. Does nothing when the folder is there already and holds all that this script asks for.

Exit code: 0 the root is ready; 77 the packages cannot be had here, with the reason on stdout; else a failure.
TEXT
}

arch="${1:-}"
case "${arch}" in
  arm64 | armhf) ;;
  -h | --help)
    usage
    exit 0
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac

packages=(
  # What every program links.
  libc6-dev
  libgcc-s1
  libgomp1
  libstdc++6
  # bnn, its tools and tests.
  doctest-dev
  libcli11-dev
  libeigen3-dev # float layers without oneDNN
  libflatbuffers-dev
  libfmt-dev
  libonnx-dev
  libprotobuf-dev
  libpugixml-dev
  libstb-dev
  nlohmann-json3-dev
  zlib1g-dev
)
# oneDNN is for 64-bit processors only.
if [[ "${arch}" == arm64 ]]; then
  packages+=(libdnnl-dev opencl-headers ocl-icd-opencl-dev)
fi

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
sysroot="${root}/build/sysroot-${arch}"
stamp="${sysroot}/.packages"

wanted="$(printf '%s\n' "${packages[@]}")"
if [[ -e "${stamp}" && "$(cat "${stamp}")" == "${wanted}" ]]; then
  echo "arm_sysroot.sh: ${sysroot} is ready"
  exit 0
fi

skip() {
  echo "arm_sysroot.sh: SKIPPED: $1"
  exit 77
}
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || skip "needs Debian's apt-get and dpkg-deb"

# shellcheck source=tools/setup/debian_root.sh
source "${root}/tools/setup/debian_root.sh"
make_debian_root "${arch}" "${sysroot}" "${packages[@]}" ||
  skip "the package sources of this system do not have these for ${arch}: ${packages[*]}"
printf '%s\n' "${packages[@]}" >"${stamp}"
echo "arm_sysroot.sh: made ${sysroot} ($(du --summarize --human-readable "${sysroot}" | cut --fields 1))"
