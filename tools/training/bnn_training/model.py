"""Puts binarizers on the layers of a model that a configuration names, and takes nothing else apart.

A layer's weight becomes a parametrization (torch.nn.utils.parametrize): its float "latent" weight stays what the
optimizer trains, and the layer sees what the binarizer makes of it. A hook before the layer binarizes its input.
"""

import torch
from torch import nn
from torch.nn.utils import parametrize

from bnn_training import functions
from bnn_training.scopes import ScopeMatcher
from bnn_training.table import LayerTable


class Binarizer(nn.Module):
    """Passes its input on until it is enabled. Whether it is belongs to the model's state, as with NNCF."""

    exported_domains = (functions.FAKE_QUANTIZE_DOMAIN,)  # of exported_form(), beside ONNX's own

    def __init__(self):
        super().__init__()
        self.register_buffer("enabled", torch.zeros(1, dtype=torch.int32))
        self._constants = None  # of the exported form, while the model is being exported

    def forward(self, x):
        if not self.enabled.item():
            return x
        if self._constants is not None:
            return self.exported_form(x, *self._constants)
        return self.binarize(x)

    def binarize(self, x):
        raise NotImplementedError

    def exported_form(self, x, limit, low, high):
        """What the ONNX file shall compute, in operators that can be traced, with the constants of begin_export()."""
        return functions.FakeQuantizeForExport.apply(x, limit, low, high)

    def begin_export(self, *constants):
        """From here on the forward pass is exported_form() with these constants."""
        self._constants = [constant.detach().clone() for constant in constants]

    def end_export(self):
        self._constants = None


class WeightBinarizer(Binarizer):
    """-scale and +scale by the sign of each weight. `mode`: "xnor" or "dorefa"."""

    def __init__(self, mode):
        super().__init__()
        self.mode = mode

    def binarize(self, x):
        return functions.binarize_weight_xnor(x) if self.mode == "xnor" else functions.binarize_weight_dorefa(x)

    def export_constants(self, weight):
        scale = functions.xnor_scale(weight) if self.mode == "xnor" else functions.dorefa_scale(weight)
        return torch.zeros(1, 1, 1, 1, dtype=weight.dtype, device=weight.device), -scale, scale


class ActivationBinarizer(Binarizer):
    """scale where x > threshold * scale, else 0. Stored are log(scale) and the logit of the threshold."""

    TOP_SHARE = 0.001  # the first scale is the smallest of this share of the largest inputs

    def __init__(self, channels, address, device, dtype):
        super().__init__()
        self.address = address
        self.scale = nn.Parameter(torch.zeros(1, device=device, dtype=dtype))
        self.threshold = nn.Parameter(torch.zeros(1, channels, 1, 1, device=device, dtype=dtype))
        self.register_buffer("scale_initialized", torch.zeros(1, dtype=torch.int32))
        self.to(device)

    def binarize(self, x):
        if self.training and not self.scale_initialized.item():
            self.initialize_scale(x)
        return functions.binarize_activation(x, self.scale.exp(), self.threshold.sigmoid())

    @torch.no_grad()
    def initialize_scale(self, x):
        values = x.detach().reshape(-1)
        scale = values.topk(max(1, round(values.numel() * self.TOP_SHARE))).values.min()
        if not 0 < scale.item() < float("inf"):
            raise RuntimeError(f"{self.address}: the scale of its input would be {scale.item()}; it must be positive")
        self.scale.copy_(scale.log())
        self.scale_initialized.fill_(1)

    def export_constants(self):
        scale, threshold = self.scale.exp(), self.threshold.sigmoid()
        return threshold * scale, torch.zeros_like(scale).reshape(1, 1, 1, 1), scale.reshape(1, 1, 1, 1)


class BinarizedLayer:
    """A convolution or linear layer and its two binarizers."""

    def __init__(self, name, address, module, weight_binarizer, activation_binarizer):
        self.name, self.address, self.module = name, address, module
        self.weight_binarizer, self.activation_binarizer = weight_binarizer, activation_binarizer
        for binarizer in (weight_binarizer, activation_binarizer):
            binarizer.to(module.weight.device)
        module.add_module("activation_binarizer", activation_binarizer)
        module.register_forward_pre_hook(_binarize_input)
        parametrize.register_parametrization(module, "weight", weight_binarizer)

    @property
    def latent_weight(self):
        return self.module.parametrizations.weight.original


def _binarize_input(module, inputs):
    return (module.activation_binarizer(inputs[0]),) + inputs[1:]


class BinarizationController:
    """What was binarized in a model: its layers, the switches of both kinds of binarizers, the table of layers."""

    def __init__(self, model, config, layers, addresses):
        self.model, self.config, self.layers, self.addresses = model, config, layers, addresses

    def enable_activations(self, enabled=True):
        for layer in self.layers:
            layer.activation_binarizer.enabled.fill_(int(enabled))

    def enable_weights(self, enabled=True):
        for layer in self.layers:
            layer.weight_binarizer.enabled.fill_(int(enabled))

    @property
    def fully_enabled(self):
        return all(l.activation_binarizer.enabled.item() and l.weight_binarizer.enabled.item() for l in self.layers)

    def layer_table(self, *sample_inputs):
        """The layers, their MACs for one sample and their share. Without arguments, zeros of the shapes of the
        configuration's input_info go through the model."""
        if not sample_inputs:
            sample_inputs = self.sample_inputs()
        return LayerTable(self.model, self.addresses, {layer.name for layer in self.layers}, sample_inputs)

    def sample_inputs(self):
        if not self.config.input_shapes:
            raise ValueError("the configuration has no 'input_info': give sample inputs")
        like = next(self.model.parameters())
        return [torch.zeros(shape, device=like.device, dtype=like.dtype) for shape in self.config.input_shapes]


def create_binarized_model(model, config):
    """Binarizers for each Conv2d that `config` (BinarizationConfig) takes: (BinarizationController, model).

    The model is changed in place and returned. The binarizers begin disabled, so that it computes what it did. A layer is
    taken when target_scopes is absent or names it and ignored_scopes does not. ScopeError where a scope names nothing,
    unless validate_scopes is false.
    """

    def binarizers(conv, address):
        activation = ActivationBinarizer(conv.in_channels, address, conv.weight.device, conv.weight.dtype)
        if config.compression_lr_multiplier is not None:
            for parameter in activation.parameters():
                parameter.register_hook(lambda grad: grad * config.compression_lr_multiplier)
        return WeightBinarizer(config.mode), activation

    return binarize_layers(model, config, nn.Conv2d, binarizers), model


def binarize_layers(model, config, kinds, binarizers):
    """The BinarizationController of the layers of these classes that the scopes of `config` take;
    binarizers(module, address) makes both of a layer."""
    if any(isinstance(module, Binarizer) for module in model.modules()):
        raise ValueError("the model has binarizers already")
    matcher = ScopeMatcher(model, config.validate_scopes)
    ignored = matcher.matching(config.ignored_scopes, "ignored_scopes")
    targets = None if config.target_scopes is None else matcher.matching(config.target_scopes, "target_scopes")
    modules = dict(model.named_modules())
    addresses = {name: matcher.address(name) for name in modules}
    taken = [
        name
        for name, module in modules.items()
        if isinstance(module, kinds) and name not in ignored and (targets is None or name in targets)
    ]
    layers = [
        BinarizedLayer(name, addresses[name], modules[name], *binarizers(modules[name], addresses[name]))
        for name in taken
    ]
    return BinarizationController(model, config, layers, addresses)
