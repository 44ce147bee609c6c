#!/usr/bin/python3
"""Binarizes a small residual network by an NNCF configuration, with Fashion-MNIST: float baseline, then four stages.

    train.py baseline                 trains the float network, exports baseline.onnx, and binarizes it without training
    train.py xnor.json | dorefa.json  binarizes it in stages and exports xnor.onnx or dorefa.onnx
    train.py plot                     draws the logs as training.svg

Each run goes on from its checkpoint in --work where there is one. Needs PyTorch (Debian's python3-torch will do) and
tools/training, which is found beside this folder where it is not installed.
"""

import argparse
import json
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "fashion_mnist"))
sys.path.insert(1, str(HERE.parent.parent / "tools" / "training"))

import bnn_training  # noqa: E402
from bnn_training import plot  # noqa: E402
from data import CLASSES, FOLDER, HELD_OUT, augment, load, preprocess  # noqa: E402

BASELINE_EPOCHS = 20
BINARY_EPOCHS = 30
CALIBRATION_IMAGES = 500


# ---------------------------------------------------------------------------------------------------------- network


class Block(nn.Module):
    """A 3x3 convolution with a shortcut around it, so that no binary layer has to carry the image alone."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU()
        self.downsample = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(self.bn(self.conv(x)) + shortcut)


class ResNet(nn.Module):
    """28x28 -> 32 channels at 14x14 -> 64 channels at 7x7 -> 10 classes."""

    def __init__(self, width=32):
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 5, stride=2, padding=2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.layer1 = nn.Sequential(Block(width, width))
        self.layer2 = nn.Sequential(
            Block(width, 2 * width, stride=2), Block(2 * width, 2 * width), Block(2 * width, 2 * width)
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2 * width, len(CLASSES))

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(self.pool(x), 1))


# --------------------------------------------------------------------------------------------------------- training


class Batches:
    """The training images of one epoch, in an order and with an augmentation that the seed and the epoch decide."""

    def __init__(self, images, labels, size, seed):
        self._images, self._labels, self._size = images, labels, size
        self._generator = torch.Generator().manual_seed(seed)
        self._order = torch.randperm(len(images), generator=self._generator)

    def __len__(self):
        return len(self._images) // self._size

    def __iter__(self):
        for start in range(0, len(self) * self._size, self._size):
            chosen = self._order[start : start + self._size]
            yield preprocess(augment(self._images[chosen], self._generator)), self._labels[chosen]


def loss(model, batch):
    images, labels = batch
    return F.cross_entropy(model(images), labels)


def predict(model, images, batch=500, dtype=torch.float32):
    """Logits of uint8 images, in evaluation mode."""
    model.eval()
    with torch.no_grad():
        return torch.cat([model(preprocess(part).to(dtype)) for part in images.split(batch)])


def correct(model, images, labels):
    return int((predict(model, images).argmax(1) == labels).sum())


def make_trainer(controller, args, name):
    images, labels = load(args.data, "train")
    held_images, held_labels = images[-HELD_OUT:], labels[-HELD_OUT:]
    images, labels = images[:-HELD_OUT], labels[:-HELD_OUT]
    trainer = bnn_training.Trainer(
        controller,
        batches=lambda epoch: Batches(images[: args.limit], labels[: args.limit], args.batch, 1000 * args.seed + epoch),
        loss=loss,
        evaluate=lambda model: correct(model, held_images, held_labels) / HELD_OUT,
        checkpoint=args.work / f"{name}.pt",
        log=args.out / f"{name}.csv",
        show=lambda line: print(line, flush=True),
    )
    if trainer.resume():
        print(f"goes on after epoch {trainer.next_epoch} of {args.work / name}.pt", flush=True)
    return trainer


def record_result(args, name, result):
    path = args.out / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    results[name] = result
    path.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")
    print(f"{name}: {result}", flush=True)


def to_be_reproduced(model, images, labels):
    """What an engine must give on the test images. In double precision as well: a network whose classes hung on the last
    bits of its floats would have two answers. Leaves the model in that precision."""
    classes = predict(model, images).argmax(1)
    exact = predict(model.double(), images, dtype=torch.float64)
    return {
        "correct": int((classes == labels).sum()),
        "correct_float64": int((exact.argmax(1) == labels).sum()),
        "samples": len(labels),
        "first20": classes[:20].tolist(),
        "logits0": [round(value, 6) for value in exact[0].tolist()],
        "tolerance_abs": 1e-3,
    }


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
    model = ResNet().to(memory_format=torch.channels_last)
    model.load_state_dict(torch.load(args.work / "baseline_weights.pt", map_location="cpu"))
    return bnn_training.create_binarized_model(model, bnn_training.load_config(config_path))[0]


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
    model = controller.model
    print(controller.layer_table(), flush=True)
    make_trainer(controller, args, name).train(BINARY_EPOCHS)
    model.to(memory_format=torch.contiguous_format)
    bnn_training.export_onnx(controller, args.out / f"{name}.onnx", output_names=["logits"])
    images, labels = load(args.data, "t10k")
    record_result(args, name, to_be_reproduced(model, images, labels))


def draw(args):
    logs = [(name, args.out / f"{name}.csv") for name in ("xnor", "dorefa")]
    logs = [(name, plot.read_log(path)) for name, path in logs if path.exists()]
    baseline = plot.read_log(args.out / "baseline.csv")[-1]["accuracy"]
    (args.out / "training.svg").write_text(plot.draw_logs("Fashion-MNIST, accuracy on held-out images", logs, baseline))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", help="baseline, plot, or a configuration")
    parser.add_argument("--data", type=pathlib.Path, default=FOLDER, help="folder with the four idx.gz files")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("/tmp/bnn_fashion_mnist_nncf"), help="checkpoints")
    parser.add_argument("--out", type=pathlib.Path, default=HERE, help="logs, ONNX files, results")
    parser.add_argument("--batch", type=int, default=128, help="images a batch")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--seed", type=int, default=1, help="of weights, order and augmentation")
    parser.add_argument("--limit", type=int, default=None, help="train on that many images only, to try the script")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    args.work.mkdir(parents=True, exist_ok=True)
    args.out.mkdir(parents=True, exist_ok=True)
    if args.what == "baseline":
        train_baseline(args)
    elif args.what == "plot":
        draw(args)
    else:
        train_binary(args, pathlib.Path(args.what))


if __name__ == "__main__":
    main()
