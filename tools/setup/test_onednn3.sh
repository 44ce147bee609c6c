#!/usr/bin/env bash
# Builds the engine against oneDNN 3 and runs the tests of what uses it. Debian 12 has version 2, which test.sh uses;
# Debian 13 has version 3; engine/ops/onednn.h is written for both.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: test_onednn3.sh [--help]

Where the installed oneDNN is version 2, version 3 comes from the Python index (packages onednn-devel-cpu-gomp and
onednn-cpu-gomp, about 40 MB) into build/onednn3-package. Then build/onednn3 is configured with it, built and tested.

Exit code: 0 all tests passed; 77 oneDNN 3 cannot be had here, with the reason on stdout; else a failure.
TEXT
}

case "${1:-}" in
  "") ;;
  -h | --help)
    usage
    exit 0
    ;;
  *)
    echo "test_onednn3.sh: unknown option '$1'" >&2
    usage >&2
    exit 2
    ;;
esac

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
cd -- "${root}"
package="${root}/build/onednn3-package"
version="2023.2.0" # holds oneDNN 3.2; later packages of this index are built for another compiler's runtime
tests=(int8_layer_test int8_cases_test window_ops_test elementwise_ops_test random_graph_engine_test)

skip() {
  echo "test_onednn3.sh: SKIPPED: $1"
  exit 77
}

config=()
if ! grep --quiet 'DNNL_VERSION_MAJOR 3' /usr/include/oneapi/dnnl/dnnl_version.h 2>/dev/null; then
  if [[ ! -e "${package}/lib/cmake/dnnl/dnnl-config.cmake" ]]; then
    [[ "$(uname -m)" == x86_64 ]] || skip "the Python index has oneDNN for x86-64 only"
    python3 -m venv "${package}" >/dev/null 2>&1 || skip "python3 -m venv does not work (package python3-venv)"
    "${package}/bin/pip" install --quiet --disable-pip-version-check "onednn-devel-cpu-gomp==${version}" \
      "onednn-cpu-gomp==${version}" || skip "pip cannot install onednn-devel-cpu-gomp ${version}"
  fi
  config=("-Ddnnl_DIR=${package}/lib/cmake/dnnl")
fi

launcher=()
if command -v ccache >/dev/null; then
  launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
cmake -S . -B build/onednn3 -G Ninja -DCMAKE_BUILD_TYPE=Release "${launcher[@]}" "${config[@]}"
cmake --build build/onednn3 --target "${tests[@]}"
pattern="^($(IFS='|' && echo "${tests[*]}"))"
ctest --test-dir build/onednn3 --tests-regex "${pattern}" --output-on-failure --no-tests=error
