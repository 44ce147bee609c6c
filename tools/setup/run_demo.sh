#!/usr/bin/env bash
# The main job: builds bnn and classifies the 10,000 Fashion-MNIST test images with the model in models/.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: run_demo.sh [OPTIONS OF bnn-run...]

Installs missing Debian packages, builds preset `release` in build/release, and runs bnn-run on models/fashion_mnist.bnn
with the test images of Debian's dataset-fashion-mnist. Prints accuracy, latency and the time of each layer.
Options are passed on, for example --threads 2 or --json.
TEXT
}

if [[ "${1:-}" == -h || "${1:-}" == --help ]]; then
  usage
  exit 0
fi

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
cd -- "${root}"

# Standard output carries only the report of bnn-run, so that it can be piped (--json).
{
  tools/setup/install_packages.sh build demo
  cmake --preset release
  cmake --build --preset release --parallel "$(nproc)" --target bnn-run
} >&2

dataset=/usr/share/datasets/fashion-mnist
exec build/release/bin/bnn-run models/fashion_mnist.bnn \
  --dataset "${dataset}/t10k-images-idx3-ubyte.gz" "${dataset}/t10k-labels-idx1-ubyte.gz" --profile "$@"
