#!/usr/bin/env python3
"""Made nncf_functions.json, nncf_xnor.onnx, nncf_dorefa.onnx and nncf_exported.json: what NNCF itself computes and exports.

Run with nncf 2.5.0 on PyTorch 1.13 (its later releases have no binarization). The functions are evaluated in double
precision on random tensors, some of whose values lie exactly at 0, at the threshold and at the scale.
"""

import json
import pathlib

import torch
from torch import nn

from nncf import NNCFConfig
from nncf.torch import create_compressed_model
from nncf.torch.binarization.binarize_functions import (
    ActivationBinarizationScaleThresholdFn,
    DOREFABinarizeFn,
    XNORBinarizeFn,
)

HERE = pathlib.Path(__file__).resolve().parent


def numbers(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().flatten().tolist()}


def weight_case(function, shape):
    weight = torch.randn(shape, dtype=torch.float64)
    weight.view(-1)[0] = 0
    weight.requires_grad_()
    out = function.apply(weight)
    grad = torch.randn_like(out)
    out.backward(grad)
    return {name: numbers(t) for name, t in (("weight", weight), ("grad", grad), ("out", out), ("grad_weight", weight.grad))}


def activation_case(shape):
    scale = torch.rand(1, dtype=torch.float64) + 0.5
    threshold = torch.rand(1, shape[1], 1, 1, dtype=torch.float64)
    x = torch.randn(shape, dtype=torch.float64) * 1.5
    flat = x.view(shape[0], shape[1], -1)
    flat[0, :, 0], flat[0, :, 1] = 0, scale
    flat[0, :, 2] = (threshold * scale).view(-1)
    for tensor in (x, scale, threshold):
        tensor.requires_grad_()
    out = ActivationBinarizationScaleThresholdFn.apply(x, scale, threshold)
    grad = torch.randn_like(out)
    out.backward(grad)
    tensors = {"x": x, "scale": scale, "threshold": threshold, "grad": grad, "out": out}
    tensors.update({"grad_x": x.grad, "grad_scale": scale.grad, "grad_threshold": threshold.grad})
    return {name: numbers(tensor) for name, tensor in tensors.items()}


class Block(nn.Module):
    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample = None
        if stride != 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + shortcut)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.layer1 = nn.Sequential(Block(8, 8, 1), Block(8, 16, 2))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(16, 5)

    def forward(self, x):
        x = self.layer1(torch.relu(self.conv1(x)))
        return self.fc(torch.flatten(self.pool(x), 1))


def exported_case(mode):
    """A network whose 3x3 convolutions behind the first one are binary; its parameters made uneven by some steps of
    training, so that none stands where it began."""
    config = NNCFConfig.from_dict(
        {
            "input_info": {"sample_size": [1, 3, 12, 12]},
            "compression": {
                "algorithm": "binarization",
                "mode": mode,
                "params": {"activations_quant_start_epoch": 0, "weights_quant_start_epoch": 0},
                "ignored_scopes": [
                    "Net/NNCFConv2d[conv1]/conv2d_0",
                    "{re}Net/Sequential\\[layer1\\]/Block\\[1\\]/Sequential\\[downsample\\]/.*",
                ],
            },
        }
    )
    controller, model = create_compressed_model(Net(), config, dump_graphs=False)
    controller.scheduler.epoch_step()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    model.train()
    for _ in range(20):
        images = torch.randn(16, 3, 12, 12)
        loss = nn.functional.cross_entropy(model(images), torch.randint(0, 5, (16,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    controller.export_model(str(HERE / f"nncf_{mode}.onnx"), input_names=["input"], output_names=["logits"])
    x = torch.randn(1, 3, 12, 12)
    with torch.no_grad():
        return {"input": numbers(x), "output": numbers(model(x))}


def main():
    torch.manual_seed(20)
    functions = {
        "xnor": weight_case(XNORBinarizeFn, (3, 2, 3, 3)),
        "dorefa": weight_case(DOREFABinarizeFn, (3, 2, 3, 3)),
        "activation": activation_case((2, 3, 4, 5)),
    }
    (HERE / "nncf_functions.json").write_text(json.dumps(functions) + "\n")
    exported = {mode: exported_case(mode) for mode in ("xnor", "dorefa")}
    (HERE / "nncf_exported.json").write_text(json.dumps(exported) + "\n")


if __name__ == "__main__":
    main()
