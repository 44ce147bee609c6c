#!/usr/bin/python3
"""Quantizes the network of ../fashion_mnist_nncf as Blueoil does: one-bit weights, activations of two bits or one.

    train.py w1a2    activations 0, 2/3, 4/3, 2
    train.py w1a1    activations 0, 2: the same training, to compare
    train.py plot    draws both logs as training.svg

Each run begins with the weights of the float baseline (`../fashion_mnist_nncf/train.py baseline`), and goes on from its
checkpoint in --work where there is one. Needs what that one needs.
"""

import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "fashion_mnist_nncf"))

from network import finish, float_network, make_trainer  # noqa: E402  # first: it finds the folders of the others
from network import parse_arguments  # noqa: E402

import bnn_training  # noqa: E402
from bnn_training import plot  # noqa: E402

BITS = {"w1a2": 2, "w1a1": 1}  # of the activations
EPOCHS = 20


def config(bits):
    """Activations first, then weights, then a falling learning rate. The layers in float are those of the NNCF runs."""
    return bnn_training.QuantizationConfig(
        weight_quantizer="binary_channel_wise_mean_scaling",
        activation_bits=bits,
        activation_max=2.0,
        params=bnn_training.StageParams(
            activations_quant_start_epoch=0,
            weights_quant_start_epoch=2,
            lr_poly_drop_start_epoch=5,
            lr_poly_drop_duration_epochs=EPOCHS - 5,
            disable_wd_start_epoch=5,
            base_lr=2e-3,
        ),
        ignored_scopes=[
            "ResNet/Conv2d[conv1]",
            "ResNet/Sequential[layer2]/Block[0]/Sequential[downsample]",
            "ResNet/Linear[fc]",
        ],
        input_shapes=[[1, 1, 28, 28]],
    )


def train(args):
    controller, _ = bnn_training.create_quantized_model(float_network(args), config(BITS[args.what]))
    print(controller.layer_table(), flush=True)
    make_trainer(controller, args, args.what).train(EPOCHS)
    finish(controller, args, args.what)


def draw(args):
    logs = [(name, plot.read_log(args.out / f"{name}.csv")) for name in BITS]
    baseline = plot.read_log(FOLDER.parent / "fashion_mnist_nncf" / "baseline.csv")[-1]["accuracy"]
    (args.out / "training.svg").write_text(plot.draw_logs("Fashion-MNIST, accuracy on held-out images", logs, baseline))


def main():
    args = parse_arguments(__doc__, "w1a2, w1a1 or plot", FOLDER)
    if args.what == "plot":
        draw(args)
    elif args.what in BITS:
        train(args)
    else:
        sys.exit(f"expected w1a2, w1a1 or plot, found '{args.what}'")


if __name__ == "__main__":
    main()
