"""Layers with one-bit weights and activations of a few bits, as Blueoil trains them.

They stand where NNCF's binarizers stand (model.py), so stages, checkpoints, table and export are the same.
"""

import dataclasses
import math
import typing

from torch import nn

from bnn_training import functions
from bnn_training.config import ConfigError, StageParams
from bnn_training.model import Binarizer, binarize_layers

MAX_BITS = 4  # of activations that the engine holds as bit planes

# Name -> (the function, the scale that it multiplies the signs with).
WEIGHT_QUANTIZERS = {
    "binary_mean_scaling": (functions.binary_mean_scaling, functions.dorefa_scale),
    "binary_channel_wise_mean_scaling": (functions.binary_channel_wise_mean_scaling, functions.xnor_scale),
}


@dataclasses.dataclass
class QuantizationConfig:
    """What create_quantized_model does. Scopes, stages and input_shapes mean what they do for BinarizationConfig."""

    weight_quantizer: str = "binary_channel_wise_mean_scaling"  # or "binary_mean_scaling"
    weight_backward: typing.Optional[typing.Callable] = None  # (weight, grad) -> grad; None: unchanged
    activation_bits: int = 2  # 1 to MAX_BITS
    activation_max: float = 2.0
    params: StageParams = dataclasses.field(default_factory=StageParams)
    ignored_scopes: typing.List[str] = dataclasses.field(default_factory=list)
    target_scopes: typing.Optional[typing.List[str]] = None
    validate_scopes: bool = True
    input_shapes: typing.List[typing.List[int]] = dataclasses.field(default_factory=list)

    def __post_init__(self):
        if self.weight_quantizer not in WEIGHT_QUANTIZERS:
            names = " or ".join(WEIGHT_QUANTIZERS)
            raise ConfigError(f"'weight_quantizer': expected {names}, found {self.weight_quantizer!r}")
        if self.weight_backward is not None and not callable(self.weight_backward):
            raise ConfigError(f"'weight_backward': expected a function, found {self.weight_backward!r}")
        bits = self.activation_bits
        if not isinstance(bits, int) or isinstance(bits, bool) or not 1 <= bits <= MAX_BITS:
            raise ConfigError(f"'activation_bits': expected a whole number from 1 to {MAX_BITS}, found {bits!r}")
        largest = self.activation_max
        number = isinstance(largest, (int, float)) and not isinstance(largest, bool)
        if not number or not 0 < largest < math.inf:
            raise ConfigError(f"'activation_max': expected a number above 0, found {largest!r}")


class WeightQuantizer(Binarizer):
    """-scale and +scale by the sign of each weight."""

    exported_domains = ()

    def __init__(self, name, backward=None):
        super().__init__()
        self._quantize, self._scale = WEIGHT_QUANTIZERS[name]
        self._backward = backward

    def binarize(self, x):
        return self._quantize(x, self._backward)

    def export_constants(self, weight):
        return (self._scale(weight),)

    def exported_form(self, x, scale):
        return functions.sign_times_scale(x, scale)


class ActivationQuantizer(Binarizer):
    """2^bits levels from 0 to max_value, both of which are fixed."""

    exported_domains = ()

    def __init__(self, bits, max_value):
        super().__init__()
        self.bits, self.max_value = bits, max_value

    def binarize(self, x):
        return functions.linear_mid_tread_half(x, self.bits, self.max_value)

    def export_constants(self):
        return ()

    def exported_form(self, x):
        return functions.mid_tread_half(x, self.bits, self.max_value)


def create_quantized_model(model, config):
    """Quantizers for each Conv2d and Linear that `config` (QuantizationConfig) takes: (BinarizationController, model).

    As create_binarized_model: in place, the quantizers begin disabled, ScopeError where a scope names nothing.
    """

    def quantizers(module, address):
        weights = WeightQuantizer(config.weight_quantizer, config.weight_backward)
        return weights, ActivationQuantizer(config.activation_bits, config.activation_max)

    return binarize_layers(model, config, (nn.Conv2d, nn.Linear), quantizers), model
