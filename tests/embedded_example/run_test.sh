#!/usr/bin/env bash
# Installs a build into a scratch prefix, builds the example against it and runs it, under the emulator of the toolchain
# file where that has one. Usage: run_test.sh BUILD_DIR MODEL.bnn [OPTIONS OF cmake...]
set -euo pipefail
build="$1"
model="$2"
shift 2
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf -- "${scratch}"' EXIT

cmake --install "${build}" --prefix "${scratch}/prefix" >/dev/null
cmake -S "${here}" -B "${scratch}/app" -DCMAKE_BUILD_TYPE=Release -DCMAKE_FIND_ROOT_PATH="${scratch}/prefix" \
  -DCMAKE_PREFIX_PATH="${scratch}/prefix" -DMODEL="${model}" "$@" >/dev/null
cmake --build "${scratch}/app" >/dev/null
ctest --test-dir "${scratch}/app" --verbose --no-tests=error | grep -v '^$'
