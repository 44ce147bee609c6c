"""Cases of make_openvino_fixtures.py: layers that change the size of maps, and normalizations along axes."""
import numpy as np
from openvino import opset1, opset10, opset11, opset13

from make_cases import reals


def sizes(case, constant):
    x = reals("maps.x", 1, 4, 5, 6)
    w = reals("maps.w", 4, 6, 3, 2) / 4
    case("ConvolutionBackpropData", lambda x: opset13.convolution_backprop_data(
        x, constant(w), [2, 3], None, [1, 0], [2, 1], [1, 1], "explicit", [1, 2]), {"x": x})
    case("ConvolutionBackpropData.dilated", lambda x: opset13.convolution_backprop_data(
        x, constant(w), [1, 1], None, [1, 2], [0, 1], [2, 3]), {"x": x})
    for auto_pad in ["same_upper", "same_lower"]:
        case(f"ConvolutionBackpropData.{auto_pad}", lambda x, a=auto_pad: opset13.convolution_backprop_data(
            x, constant(w), [2, 2], constant([10, 11], np.int64), [0, 0], [0, 0], [1, 1], a), {"x": x})
        case(f"ConvolutionBackpropData.{auto_pad}.no_shape", lambda x, a=auto_pad: opset13.convolution_backprop_data(
            x, constant(w), [2, 2], None, [0, 0], [0, 0], [1, 1], a), {"x": x})
    for size, auto_pad in [([10, 11], "explicit"), ([8, 9], "explicit"), ([9, 12], "valid")]:
        case(f"ConvolutionBackpropData.{auto_pad}.to_{size[0]}", lambda x, s=size, a=auto_pad:
             opset13.convolution_backprop_data(x, constant(w), [2, 2], constant(s, np.int64), [1, 0], [0, 1], [1, 1], a),
             {"x": x})
    grouped = reals("maps.g", 2, 2, 3, 3, 3) / 4
    case("GroupConvolutionBackpropData", lambda x: opset13.group_convolution_backprop_data(
        x, constant(grouped), [2, 2], None, [1, 1], [1, 1], [1, 1]), {"x": x})
    for mode in ["nearest", "linear", "linear_onnx"]:
        for coordinates in ["half_pixel", "pytorch_half_pixel", "asymmetric", "tf_half_pixel_for_nn", "align_corners"]:
            for rounding in ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple"]:
                if mode != "nearest" and rounding != "floor":
                    continue
                name = f"Interpolate.{mode}.{coordinates}.{rounding}"
                case(name, lambda x, m=mode, c=coordinates, r=rounding: opset10.interpolate(
                    x, constant([10, 9], np.int64), constant([2.0, 1.5]), m, "sizes", [0] * 4, [0] * 4, c, r, False,
                    -0.75, constant([2, 3], np.int64)), {"x": x})
                case(name + ".scales", lambda x, m=mode, c=coordinates, r=rounding: opset11.interpolate(
                    x, constant([0.4, 0.7]), m, "scales", [0] * 4, [0] * 4, c, r, False, -0.75,
                    constant([2, 3], np.int64)), {"x": x})
    for mode in ["nearest", "linear"]:
        for align in [False, True]:
            for size in [[10, 9], [3, 4]]:
                name = f"Interpolate.opset1.{mode}.{align}.{size[0]}"
                case(name, lambda x, m=mode, a=align, s=size: opset1.interpolate(
                    x, constant(s, np.int64), {"axes": [2, 3], "mode": m, "align_corners": a}), {"x": x})
    y = reals("maps.y", 1, 8, 4, 6)
    for mode in ["blocks_first", "depth_first"]:
        case(f"DepthToSpace.{mode}", lambda x, m=mode: opset13.depth_to_space(x, m, 2), {"x": y}, open_batch=True)
        case(f"SpaceToDepth.{mode}", lambda x, m=mode: opset13.space_to_depth(x, m, 2), {"x": y}, open_batch=True)


def along_axes(case, constant):
    x = reals("axes.x", 1, 7, 4, 5)
    case("LRN", lambda x: opset13.lrn(x, constant([1], np.int64), 0.5, 0.6, 1.0, 5), {"x": x})
    case("LRN.map", lambda x: opset13.lrn(x, constant([2, 3], np.int64), 0.5, 0.75, 1.0, 3), {"x": x})
    # The plugin (2026.4) takes every bias as 1.
    padded = np.pad(x.astype(np.float64) ** 2, ((0, 0), (2, 2), (0, 0), (0, 0)))
    sums = np.lib.stride_tricks.sliding_window_view(padded, 5, 1).sum(-1)
    case("LRN.bias", lambda x: opset13.lrn(x, constant([1], np.int64), 0.5, 0.6, 1.5, 5), {"x": x},
         expected=[(x / (1.5 + 0.5 / 5 * sums) ** 0.6).astype(np.float32)])
    for axes in [[1], [1, 2, 3], [3]]:
        for mode in ["add", "max"]:
            case(f"NormalizeL2.{len(axes)}.{axes[0]}.{mode}", lambda x, a=axes, m=mode: opset13.normalize_l2(
                x, constant(a, np.int64), 0.5, m), {"x": x})
