"""A small network, its configuration and data that it can learn, for the tests of this folder."""

import json
import pathlib
import subprocess
import sys

import numpy
import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent.parent / "tools" / "training"))

import bnn_training  # noqa: E402

PROGRAMS = []  # bnn-convert and bnn-run, where they are given


def seen_by_layers(controller):
    """A dict that each layer, as it runs, enters itself into by name: its input and its weights."""
    seen = {}
    for layer in controller.layers:
        layer.module.register_forward_hook(
            lambda module, inputs, output, name=layer.name: seen.update({name: (inputs[0], module.weight)})
        )
    return seen


class Block(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU()
        self.downsample = nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride=stride)) if stride != 1 else None

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.relu(self.bn1(self.conv1(x)) + shortcut)


class Net(nn.Module):
    """8x8 -> 3 classes."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.relu = nn.ReLU()
        self.layer1 = nn.Sequential(Block(8, 8), Block(8, 16, 2))
        self.fc = nn.Linear(16, 3)

    def forward(self, x):
        x = self.layer1(self.relu(self.conv1(x)))
        return self.fc(x.mean(dim=(2, 3)))


def tensor(case, name, dtype=torch.float64):
    return torch.tensor(case[name]["values"], dtype=dtype).reshape(case[name]["shape"])


DOCUMENTED = """
{
    // Shapes of what goes in.
    "input_info": {"sample_size": [1, 1, 8, 8]}, /* one image */
    "compression": [{
        "algorithm": "binarization",
        "mode": "dorefa", // "xnor" or "dorefa"
        "params": {"batch_multiplier": 2, "activations_quant_start_epoch": 1, "weights_quant_start_epoch": 2,
                   "lr_poly_drop_start_epoch": 3, "lr_poly_drop_duration_epochs": 2, "disable_wd_start_epoch": 3,
                   "base_lr": 0.01, "base_wd": 0.001},
        "ignored_scopes": ["Net/Linear[fc]", "Net/Conv2d[conv1]",
                           "Net/Sequential[layer1]/Block[1]/Sequential[downsample]"],
        // "target_scopes": [],
    }],
    "epochs": 5
}
"""


def documented():
    return bnn_training.parse_config(DOCUMENTED)


class Batches:
    """Bright left half, bright right half, or neither, in an order that the epoch decides."""

    def __init__(self, epoch, count=16, size=16):
        generator = torch.Generator().manual_seed(epoch)
        self.batches = []
        for _ in range(count):
            labels = torch.randint(0, 3, (size,), generator=generator)
            images = torch.rand(size, 1, 8, 8, generator=generator) * 0.3
            images[labels == 0, :, :, :4] += 1
            images[labels == 1, :, :, 4:] += 1
            self.batches.append((images, labels))

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        return iter(self.batches)


def loss(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def evaluate(model):
    images, labels = next(iter(Batches(1000, 1, 200)))
    return (model(images).argmax(1) == labels).float().mean().item()


def make_trainer(folder=None, name="run", **arguments):
    torch.manual_seed(3)
    controller, _ = bnn_training.create_binarized_model(Net(), documented())
    files = {"checkpoint": folder / f"{name}.pt", "log": folder / f"{name}.csv"} if folder else {}
    return bnn_training.Trainer(controller, Batches, loss, evaluate, show=lambda line: None, **files, **arguments)


def convert_and_run(test, folder, onnx_file, images, binary_layers, *options):
    """(logits of the engine, its binary layers in the converter's report); checks the number of binary layers."""
    convert, run = PROGRAMS
    report, model, data, out = (str(folder / "converted") + end for end in (".json", ".bnn", ".npy", "_out.npy"))
    command = [convert, str(onnx_file), "-o", model, "--quiet", "--verify=2", "--report-json", report, *options]
    subprocess.run(command, check=True)
    layers = [layer for layer in json.loads(pathlib.Path(report).read_text())["layers"] if layer["binary"]]
    test.assertEqual(len(layers), binary_layers)
    numpy.save(data, images.numpy().astype(numpy.float32))
    subprocess.run([run, model, "--input", data, "--output", out], check=True, stdout=subprocess.DEVNULL)
    return torch.from_numpy(numpy.load(out)), layers
