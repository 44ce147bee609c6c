#!/usr/bin/env python3
"""Checks the exported network against expected.json with ONNX Runtime, an implementation that is neither PyTorch nor ours.

Needs python3 with numpy and onnxruntime. Ends with status 1 where a result differs.
"""

import argparse
import gzip
import json
import pathlib
import sys

import numpy as np
import onnxruntime


def read_idx(path):
    """One idx.gz file of unsigned bytes as an array: 2 zero bytes, type 8, rank, big-endian sizes, data."""
    with gzip.open(path, "rb") as file:
        raw = file.read()
    if raw[:3] != b"\0\0\x08":
        raise ValueError(f"{path}: not an idx file of unsigned bytes")
    rank = raw[3]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(np.frombuffer(raw, ">u4", rank, 4))


def evaluate(network, images, batch):
    """Logits of uint8 images [N,28,28]."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])
    inputs = images[:, None].astype(np.float32) / np.float32(255)
    parts = [session.run(["logits"], {"input": inputs[i : i + batch]})[0] for i in range(0, len(inputs), batch)]
    return np.concatenate(parts)


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Checks an exported network against expected.json by ONNX Runtime.")
    folder = pathlib.Path("/usr/share/datasets/fashion-mnist")
    parser.add_argument("--data", type=pathlib.Path, default=folder, help="folder with the test images and labels")
    parser.add_argument("--model", type=pathlib.Path, default=here / "fashion_mnist.onnx", help="the exported network")
    parser.add_argument("--batch", type=int, default=250, help="images a run; the result must not depend on it")
    args = parser.parse_args()

    expected = json.loads((args.model.parent / "expected.json").read_text())
    labels = read_idx(args.data / expected["input"]["labels"])
    logits = evaluate(args.model, read_idx(args.data / expected["input"]["images"]), args.batch)
    classes = logits.argmax(1)

    correct = int((classes == labels).sum())
    first20 = classes[:20].tolist()
    error = float(np.abs(logits[0] - expected["logits0"]).max())
    print(f"correct {correct} of {len(labels)}, expected {expected['correct']}")
    print(f"first 20 predictions {'equal' if first20 == expected['first20'] else 'DIFFER'}")
    print(f"logits of the first image differ by at most {error:.2e}, allowed {expected['tolerance_abs']:.0e}")
    same = correct == expected["correct"] and first20 == expected["first20"] and error <= expected["tolerance_abs"]
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
