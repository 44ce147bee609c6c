"""The binarizers as functions: what they compute, and the gradients that stand in for the derivative of a step.

A step has the derivative zero wherever it has one, so nothing would be learned through it. Each backward pass here
substitutes another slope. First those of NNCF, then those of Blueoil.
"""

import torch


def xnor_scale(weight):
    """mean |w| of each output channel, [O,1,...]: the least-squares scale for the signs of each filter."""
    return weight.abs().mean(dim=tuple(range(1, weight.dim())), keepdim=True)


def dorefa_scale(weight):
    """mean |w| over the whole tensor, [1,1,...]."""
    return weight.abs().mean().reshape([1] * weight.dim())


class _SignTimesScale(torch.autograd.Function):
    """w > 0 -> +scale, else -scale. Backward: the gradient unchanged (straight through)."""

    @staticmethod
    def forward(ctx, weight, scale):
        return torch.where(weight > 0, scale, -scale)

    @staticmethod
    def backward(ctx, grad):
        return grad, None


def binarize_weight_xnor(weight):
    return _SignTimesScale.apply(weight, xnor_scale(weight.detach()))


def binarize_weight_dorefa(weight):
    return _SignTimesScale.apply(weight, dorefa_scale(weight.detach()))


class _ThresholdActivation(torch.autograd.Function):
    """x > threshold * scale -> scale, else 0.

    Backward, with g the gradient of the output:
      x          g where 0 <= x <= scale, else 0: the slope of clip(x, 0, scale);
      scale      sum of g * (x <= scale ? (out - x) / scale : 1): below the scale, the error of rounding to 0 or scale;
                 above it, the output follows the scale;
      threshold  sum over all but the channel axis of -g where 0 < x < scale: a higher threshold means fewer ones.
    """

    @staticmethod
    def forward(ctx, x, scale, threshold):
        out = (x > threshold * scale).to(x.dtype) * scale
        ctx.save_for_backward(x, scale, out)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, scale, out = ctx.saved_tensors
        below = x <= scale
        grad_x = grad * ((x >= 0) & below)
        grad_scale = torch.where(below, grad * (out - x) / scale, grad).sum().reshape(scale.shape)
        inside = grad * ((x > 0) & (x < scale))
        grad_threshold = -inside.sum(dim=[axis for axis in range(x.dim()) if axis != 1], keepdim=True)
        return grad_x, grad_scale, grad_threshold


def binarize_activation(x, scale, threshold):
    """x [N,C,H,W]; scale [1], positive; threshold [1,C,1,1], as a share of the scale."""
    return _ThresholdActivation.apply(x, scale, threshold)


def sign_times_scale(weight, scale):
    """w >= 0 -> +scale, else -scale: unlike NNCF, a weight of 0 counts as positive."""
    return torch.where(weight >= 0, scale, -scale)


class _SignTimesScaleBlueoil(torch.autograd.Function):
    """Backward: the gradient unchanged, or what the function `backward` makes of the weights and it."""

    @staticmethod
    def forward(ctx, weight, scale, backward):
        ctx.save_for_backward(weight)
        ctx.user_backward = backward
        return sign_times_scale(weight, scale)

    @staticmethod
    def backward(ctx, grad):
        (weight,) = ctx.saved_tensors
        return grad if ctx.user_backward is None else ctx.user_backward(weight, grad), None, None


def binary_mean_scaling(weight, backward=None):
    """Of Conv2d [O,I,H,W] or Linear [O,I]; backward(weight, grad) -> the gradient of the weights."""
    return _SignTimesScaleBlueoil.apply(weight, dorefa_scale(weight.detach()), backward)


def binary_channel_wise_mean_scaling(weight, backward=None):
    return _SignTimesScaleBlueoil.apply(weight, xnor_scale(weight.detach()), backward)


def mid_tread_half(x, bits, max_value):
    """The nearest of the 2^bits levels from 0 to max_value; halves go up. As exported, operator by operator: another
    order of the divisions would round differently."""
    steps = 2**bits - 1
    return torch.floor(torch.clamp(x, 0, max_value) / max_value * steps + 0.5) / steps * max_value


class _LinearMidTreadHalf(torch.autograd.Function):
    """Backward: the gradient where 0 < x < max_value, else 0."""

    @staticmethod
    def forward(ctx, x, bits, max_value):
        ctx.save_for_backward(x)
        ctx.max_value = max_value
        return mid_tread_half(x, bits, max_value)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ((x > 0) & (x < ctx.max_value)), None, None


def linear_mid_tread_half(x, bits, max_value):
    return _LinearMidTreadHalf.apply(x, bits, max_value)


FAKE_QUANTIZE_DOMAIN = "org.openvinotoolkit"


class FakeQuantizeForExport(torch.autograd.Function):
    """FakeQuantize with two levels and equal input limits: x > limit ? high : low. Only traced, for the ONNX file."""

    @staticmethod
    def symbolic(graph, x, limit, low, high):
        name = f"{FAKE_QUANTIZE_DOMAIN}::FakeQuantize"
        return graph.op(name, x, limit, limit, low, high, levels_i=2).setType(x.type())

    @staticmethod
    def forward(ctx, x, limit, low, high):
        return torch.where(x > limit, high, low)
