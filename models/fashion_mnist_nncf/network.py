"""What the networks of this folder and of fashion_mnist_w1a2 share: the float network, data, training, results."""

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
from data import CLASSES, FOLDER, HELD_OUT, augment, load, preprocess  # noqa: E402


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


def float_network(args):
    """With the weights that `train.py baseline` left, ready to be binarized."""
    model = ResNet().to(memory_format=torch.channels_last)  # the faster layout on a CPU
    model.load_state_dict(torch.load(args.baseline or args.work / "baseline_weights.pt", map_location="cpu"))
    return model


def finish(controller, args, name):
    """Exports the trained network, and records what the exported one must give."""
    controller.model.to(memory_format=torch.contiguous_format)
    bnn_training.export_onnx(controller, args.out / f"{name}.onnx", output_names=["logits"])
    images, labels = load(args.data, "t10k")
    record_result(args, name, to_be_reproduced(controller.model, images, labels))


def parse_arguments(description, what, folder):
    """`folder`: where logs, ONNX files and results go."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", help=what)
    parser.add_argument("--data", type=pathlib.Path, default=FOLDER, help="folder with the four idx.gz files")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(f"/tmp/bnn_{folder.name}"), help="checkpoints")
    parser.add_argument("--baseline", type=pathlib.Path, help="weights of the float network, instead of those in --work")
    parser.add_argument("--out", type=pathlib.Path, default=folder, help="logs, ONNX files, results")
    parser.add_argument("--batch", type=int, default=128, help="images a batch")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--seed", type=int, default=1, help="of weights, order and augmentation")
    parser.add_argument("--limit", type=int, default=None, help="train on that many images only, to try the script")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    args.work.mkdir(parents=True, exist_ok=True)
    args.out.mkdir(parents=True, exist_ok=True)
    return args
