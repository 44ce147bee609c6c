#!/usr/bin/python3
"""Binarizes a small residual network by an NNCF configuration, with Fashion-MNIST: float baseline, then four stages.

    train.py baseline                 trains the float network, exports baseline.onnx, and binarizes it without training
    train.py xnor.json | dorefa.json  binarizes it in stages and exports xnor.onnx or dorefa.onnx
    train.py plot                     draws the logs as training.svg

Each run goes on from its checkpoint in --work where there is one. Needs PyTorch (Debian's python3-torch will do) and
tools/training, which is found beside this folder where it is not installed.
"""

import pathlib
import sys

import torch

from network import (  # first: it finds the folders of the other imports
    HERE,
    ResNet,
    correct,
    finish,
    float_network,
    make_trainer,
    parse_arguments,
    record_result,
    to_be_reproduced,
)

import bnn_training
from bnn_training import plot
from data import load, preprocess

BASELINE_EPOCHS = 20
BINARY_EPOCHS = 30
CALIBRATION_IMAGES = 500


def train_baseline(args):
    """Float: a configuration whose stages never begin, with a falling learning rate from the first epoch."""
    config = bnn_training.BinarizationConfig(
        params=bnn_training.StageParams(
            activations_quant_start_epoch=sys.maxsize,
            weights_quant_start_epoch=sys.maxsize,
            lr_poly_drop_start_epoch=0,
            lr_poly_drop_duration_epochs=BASELINE_EPOCHS,
            base_lr=2e-3,
        ),
        target_scopes=[],
    )
    model = ResNet().to(memory_format=torch.channels_last)  # the faster layout on a CPU
    controller, model = bnn_training.create_binarized_model(model, config)
    make_trainer(controller, args, "baseline").train(BASELINE_EPOCHS)
    torch.save(model.state_dict(), args.work / "baseline_weights.pt")
    images, labels = load(args.data, "t10k")
    record_result(args, "baseline", {"correct": correct(model, images, labels), "samples": len(labels)})
    model.to(memory_format=torch.contiguous_format)
    sample = [torch.zeros(1, 1, 28, 28)]
    bnn_training.export_onnx(controller, args.out / "baseline.onnx", sample, output_names=["logits"])
    for mode in ("xnor", "dorefa"):
        result = to_be_reproduced(calibrated(args, HERE / f"{mode}.json"), images, labels)
        record_result(args, f"{mode}_without_training", {**result, "calibration_images": CALIBRATION_IMAGES})


def binarized_baseline(args, config_path):
    """The controller of the baseline's network and weights with binarizers, which are still disabled."""
    return bnn_training.create_binarized_model(float_network(args), bnn_training.load_config(config_path))[0]


def calibrated(args, config_path):
    """The binarized baseline where training begins: scales measured on the first training images, thresholds 0.5."""
    controller = binarized_baseline(args, config_path)
    controller.enable_activations()
    controller.enable_weights()
    controller.model.eval()
    for layer in controller.layers:  # measures in training mode; batch-norm keeps its statistics
        layer.activation_binarizer.train()
    with torch.no_grad():
        controller.model(preprocess(load(args.data, "train")[0][:CALIBRATION_IMAGES]))
    return controller.model


def train_binary(args, config_path):
    """From the baseline's weights through the four stages; then export and what the exported network must give."""
    name = config_path.stem
    controller = binarized_baseline(args, config_path)
    print(controller.layer_table(), flush=True)
    make_trainer(controller, args, name).train(BINARY_EPOCHS)
    finish(controller, args, name)


def draw(args):
    logs = [(name, args.out / f"{name}.csv") for name in ("xnor", "dorefa")]
    logs = [(name, plot.read_log(path)) for name, path in logs if path.exists()]
    baseline = plot.read_log(args.out / "baseline.csv")[-1]["accuracy"]
    (args.out / "training.svg").write_text(plot.draw_logs("Fashion-MNIST, accuracy on held-out images", logs, baseline))


def main():
    args = parse_arguments(__doc__, "baseline, plot, or a configuration", HERE)
    if args.what == "baseline":
        train_baseline(args)
    elif args.what == "plot":
        draw(args)
    else:
        train_binary(args, pathlib.Path(args.what))


if __name__ == "__main__":
    main()
