#!/usr/bin/python3
"""Trains a small binary network on Fashion-MNIST and exports it as ONNX.

The 3x3 convolutions between the stem and the classifier see only +1 and -1 in their activations and +alpha and -alpha
in their weights. While training, every such weight has a float "latent" weight behind it: the forward pass uses its
sign, the gradient goes to the latent weight, and small gradients add up there until the sign flips. The sign has the
derivative zero almost everywhere, so both signs get a substitute in the backward pass (see the classes below).

Runs with Debian's python3-torch and python3-onnx on a CPU. The run is resumed from --checkpoint where that file exists.
"""

import argparse
import json
import math
import pathlib
import time

import onnx
import torch
from torch import nn
from torch.nn import functional as F

from data import CLASSES, FOLDER, HELD_OUT, augment, load, preprocess


# ---------------------------------------------------------------------------------------------------------- network


class SignActivation(torch.autograd.Function):
    """+1 where x >= 0, else -1.

    Backward: the derivative of a piecewise parabola that approximates the sign on [-1, 1], which is 2 - 2|x| there and
    0 elsewhere. It passes most to the activations that are close to flipping.
    """

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x >= 0).to(x.dtype).mul_(2).sub_(1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return x.abs().mul_(-2).add_(2).clamp_(min=0).mul_(grad)


class BinarizeWeight(torch.autograd.Function):
    """alpha * sign(w), alpha = mean |w| of each output channel (the least-squares best scale for that sign pattern).

    Backward: straight through. Latent weights are clipped to [-1, 1] after each step, so the gradient needs no mask.
    """

    @staticmethod
    def forward(ctx, w):
        alpha = w.abs().mean(dim=(1, 2, 3), keepdim=True)
        return torch.where(w >= 0, alpha, -alpha)

    @staticmethod
    def backward(ctx, grad):
        return grad


class BinaryConv2d(nn.Conv2d):
    """3x3 convolution of binarized activations with binarized weights; zero padding, which leaves padded taps out."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.deployed = False

    def forward(self, x):
        weight = self.weight if self.deployed else BinarizeWeight.apply(self.weight)
        return self._conv_forward(x, weight, None)

    def deploy(self):
        """Replaces the latent weights by the +-alpha that they stand for, so that the export stores these."""
        self.weight.data = BinarizeWeight.apply(self.weight.data)
        self.deployed = True


class BinaryBlock(nn.Module):
    """y = PReLU(shortcut(x) + BN(BinaryConv(sign(x + shift)))).

    The float shortcut around each binary convolution carries what the sign discards. shift is one learned threshold
    for each channel. A block that halves the image pools and projects its shortcut with a float 1x1 convolution.
    """

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(1, in_channels, 1, 1))
        self.register_buffer("high", torch.tensor(1.0), persistent=False)
        self.register_buffer("low", torch.tensor(-1.0), persistent=False)
        self.conv = BinaryConv2d(in_channels, out_channels, stride)
        self.norm = nn.BatchNorm2d(out_channels)
        self.activation = nn.PReLU(out_channels)
        self.shortcut = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.MaxPool2d(stride),
                nn.Conv2d(in_channels, out_channels, 1, bias=False),
            )

    def forward(self, x):
        shifted = x + self.shift
        # The exporter cannot see into an autograd function; in evaluation the plain expression says the same.
        bits = SignActivation.apply(shifted) if self.training else torch.where(shifted >= 0, self.high, self.low)
        return self.activation(self.shortcut(x) + self.norm(self.conv(bits)))


class FashionNet(nn.Module):
    """Float stem 28x28 -> 14x14, binary blocks at 14x14 and 7x7, global average, float classifier."""

    def __init__(self, width=64):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, width, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(width),
            nn.PReLU(width),
            BinaryBlock(width, width),
            BinaryBlock(width, width),
            BinaryBlock(width, 2 * width, stride=2),
            BinaryBlock(2 * width, 2 * width),
            BinaryBlock(2 * width, 2 * width),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.classifier = nn.Linear(2 * width, len(CLASSES))

    def forward(self, x):
        return self.classifier(self.features(x))

    def binary_convs(self):
        return [m for m in self.modules() if isinstance(m, BinaryConv2d)]


# --------------------------------------------------------------------------------------------------------- training


def predict(model, images, dtype=torch.float32, batch=500):
    """Logits of uint8 images, evaluation mode."""
    model.eval()
    with torch.no_grad():
        return torch.cat([model(preprocess(part).to(dtype)) for part in images.split(batch)])


def accuracy(model, images, labels):
    return (predict(model, images).argmax(1) == labels).float().mean().item()


def train_epoch(model, optimizer, schedule, images, labels, args, epoch):
    """One pass over the images in an order that depends on the seed and the epoch only. Returns the mean loss."""
    generator = torch.Generator().manual_seed(1000 * args.seed + epoch)
    order = torch.randperm(len(images), generator=generator)
    model.train()
    total, steps = 0.0, len(order) // args.batch
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule(epoch + step / steps)
        chosen = order[step * args.batch : (step + 1) * args.batch]
        logits = model(preprocess(augment(images[chosen], generator)))
        loss = F.cross_entropy(logits, labels[chosen], label_smoothing=args.label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for conv in model.binary_convs():
            conv.weight.data.clamp_(-1, 1)
        total += loss.item()
        if args.max_steps and step + 1 >= args.max_steps:
            return total / (step + 1)
    return total / steps


def make_optimizer(model, args):
    """Adam; weight decay on the float weights only: a latent weight pulled to zero would flip without a reason."""
    latent = {id(conv.weight) for conv in model.binary_convs()}
    decayed = [p for p in model.parameters() if p.dim() > 1 and p.shape[0] > 1 and id(p) not in latent]
    ids = {id(p) for p in decayed}
    rest = [p for p in model.parameters() if id(p) not in ids]
    return torch.optim.Adam([{"params": decayed, "weight_decay": args.weight_decay}, {"params": rest}], lr=args.lr)


def train(model, args, log):
    images, labels = load(args.data, "train")
    held_images, held_labels = images[-HELD_OUT:], labels[-HELD_OUT:]
    images, labels = images[:-HELD_OUT], labels[:-HELD_OUT]
    optimizer = make_optimizer(model, args)

    def schedule(epoch):  # cosine from lr to 0, after a linear rise within the first epoch
        return args.lr * min(1.0, epoch + 0.01) * 0.5 * (1 + math.cos(math.pi * epoch / args.epochs))

    first = 0
    if args.checkpoint.exists():
        state = torch.load(args.checkpoint)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["epoch"]
        print(f"resuming after epoch {first} of {args.checkpoint}", flush=True)
    for epoch in range(first, min(args.epochs, args.stop_after or args.epochs)):
        start = time.monotonic()
        loss = train_epoch(model, optimizer, schedule, images, labels, args, epoch)
        seconds = time.monotonic() - start
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch + 1}
        torch.save(state, args.checkpoint)
        held = accuracy(model, held_images, held_labels)
        log(f"epoch {epoch + 1:3d}/{args.epochs}  loss {loss:.4f}  held-out {100 * held:.2f} %  {seconds:.0f} s")


# ----------------------------------------------------------------------------------------------------------- export


def export(model, path):
    """Writes the deployed network. PRESERVE keeps BatchNormalization apart from the convolutions, so that their
    weights stay the +-alpha of training."""
    model.eval().to(memory_format=torch.contiguous_format)
    torch.onnx.export(
        model,
        torch.zeros(1, 1, 28, 28),
        path,
        opset_version=13,
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        input_names=["input"],
        output_names=["logits"],
        dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}},
    )
    graph = onnx.load(path)
    graph.doc_string = "Binary convolutional network for Fashion-MNIST; see models/README.md."
    onnx.helper.set_model_props(
        graph,
        {
            "preprocessing": "grey pixel / 255, float32, NCHW [N,1,28,28]; no mean, no inversion",
            "input_scale": repr(1 / 255),
            "labels": ",".join(CLASSES),
            "dataset": "Fashion-MNIST (MIT licence)",
        },
    )
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, path)


def write_expected(model, args, log):
    """Evaluates the deployed network on the test images, in float32 and float64, and stores what others must meet."""
    images, labels = load(args.data, "t10k")
    single = predict(model, images)
    double = predict(model.double(), images, torch.float64)
    model.float()
    classes = double.argmax(1)
    correct = int((classes == labels).sum())
    correct_single = int((single.argmax(1) == labels).sum())
    log(f"test: {correct} of {len(labels)} correct in float64, {correct_single} in float32")
    expected = {
        "about": "Predicted class = argmax of logits, the first maximum on a tie. From a float64 evaluation by PyTorch.",
        "file": args.out.name,
        "input": {
            "images": "t10k-images-idx3-ubyte.gz",
            "labels": "t10k-labels-idx1-ubyte.gz",
            "transform": "uint8 -> float32 / 255, NCHW",
        },
        "input_name": "input",
        "input_shape": ["N", 1, 28, 28],
        "output_name": "logits",
        "output_shape": ["N", len(CLASSES)],
        "samples": len(labels),
        "correct": correct,
        "correct_float32": correct_single,
        "first20": classes[:20].tolist(),
        "logits0": double[0].tolist(),
        "tolerance_abs": 1e-3,
    }
    (args.out.parent / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def parse_arguments():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(
        description="Trains a binary network on Fashion-MNIST, exports it as ONNX and records its test predictions.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--data", type=pathlib.Path, default=FOLDER, help="folder with the four idx.gz files")
    parser.add_argument("--out", type=pathlib.Path, default=here / "fashion_mnist.onnx", help="ONNX file to write")
    checkpoint = pathlib.Path("/tmp/bnn_fashion_mnist.pt")
    parser.add_argument("--checkpoint", type=pathlib.Path, default=checkpoint, help="written after each epoch")
    parser.add_argument("--epochs", type=int, default=30, help="length of the schedule; 0 with a checkpoint: export only")
    parser.add_argument("--stop-after", type=int, default=0, help="end after this epoch of the schedule; 0: at its end")
    parser.add_argument("--batch", type=int, default=128, help="images a step")
    parser.add_argument("--lr", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--weight-decay", type=float, default=1e-5, help="of the float weights")
    parser.add_argument("--label-smoothing", type=float, default=0.05, help="probability spread over all classes")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    parser.add_argument("--seed", type=int, default=1, help="of weights, order and augmentation")
    parser.add_argument("--max-steps", type=int, default=0, help="end each epoch early, to time or try the script")
    return parser.parse_args()


def main():
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    log_path = args.out.with_name("train.log")
    if not args.checkpoint.exists():
        log_path.write_text("")

    def log(line):
        print(line, flush=True)
        with log_path.open("a") as file:
            file.write(line + "\n")

    model = FashionNet().to(memory_format=torch.channels_last)  # the faster layout on a CPU
    train(model, args, log)
    for conv in model.binary_convs():
        conv.deploy()
    export(model, args.out)
    write_expected(model, args, log)


if __name__ == "__main__":
    main()
