#!/usr/bin/env bash
# Installs the build into a scratch prefix and builds the embedding example against it twice: with find_package(bnn) and
# with pkg-config. Usage: install_test.sh BUILD_DIR SOURCE_DIR MODEL.bnn CXX
set -euo pipefail
build=$1 source=$2 model=$3 cxx=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/prefix

cmake --install "$build" --prefix "$prefix" >/dev/null

cmake -S "$source/tests/api/consumer" -B "$scratch/consumer" -DCMAKE_PREFIX_PATH="$prefix" \
  -DCMAKE_CXX_COMPILER="$cxx" -DEXAMPLE="$source/tests/api/embedding_example.cc" >/dev/null
cmake --build "$scratch/consumer" >/dev/null
"$scratch/consumer/consumer" "$model"

# The prefix that was given at install time is not the one that bnn.pc was configured with.
pc=$(dirname "$(find "$prefix" -name bnn.pc)")
flags=$(PKG_CONFIG_PATH=$pc pkg-config --define-variable=prefix="$prefix" --cflags --libs bnn)
libdir=$(dirname "$pc")
# shellcheck disable=SC2086  # flags are meant to split
"$cxx" -std=c++20 "$source/tests/api/embedding_example.cc" $flags -Wl,-rpath,"$libdir" -o "$scratch/pkgconfig"
"$scratch/pkgconfig" "$model"

for tool in bnn-run bnn-convert; do
  test -x "$prefix/bin/$tool" || { echo "not installed: $tool" >&2; exit 1; }
done
"$prefix/bin/bnn-run" --help >/dev/null
echo "install test passed"
