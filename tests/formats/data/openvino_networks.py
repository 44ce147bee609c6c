"""Networks of OpenVINO at random, three ways to write each, and two ways to compute what it gives.

Written: OpenVINO's Intermediate Representation by its own serializer (`to_ir`), the same after OpenVINO's compression to
float16 and int8 constants, and ONNX with FakeQuantize in the domain org.openvinotoolkit (`to_onnx`).
Computed: by OpenVINO's CPU plugin (`run_openvino`), and with numpy in float64 by the definitions of the operators
(`run_numpy`). The plugin of version 2026.4 crashes on, or computes something else than the definition for,
  * FakeQuantize of two levels with input_low = input_high, unless its levels are {0, s} and what reads it is one
    Convolution whose weights are made by such a FakeQuantize, too, so that it becomes binary, with multiples of 8
    channels;
  * FakeQuantize with inverted input limits (always output_low; the definition has four pieces);
  * weights' FakeQuantize with limits of rank 0 before a convolution that becomes binary (it crashes);
so the networks here avoid these, and `checked_outputs` refuses a network about which plugin and definition disagree.

Layers are named by how they must run: "binary_...", "int8_..." or "float_...".
"""
import os
import tempfile

import numpy as np
import openvino as ov
from openvino import opset1
from openvino import opset13 as op
from openvino._offline_transformations import compress_quantize_weights_transformation

CONFIG = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}


def constant(values, dtype=np.float32):
    return op.constant(np.array(values, dtype=dtype))


class Disagreement(Exception):
    """OpenVINO's plugin does not compute what its operators are defined to be."""


# ---- Random networks


class Builder:
    """A network under construction. In kind "exact" all numbers are multiples of powers of two with few digits, so sums
    are exact in any order and thresholds are met exactly or not at all."""

    def __init__(self, kind, seed):
        self.kind, self.rng, self.layers = kind, np.random.default_rng(seed), 0

    def choose(self, *options):
        return options[self.rng.integers(len(options))]

    def reals(self, *dims):
        if self.kind == "exact":
            return self.rng.integers(-8, 9, dims).astype(np.float32) / 4
        return np.round(self.rng.uniform(-2, 2, dims) * 32).astype(np.float32) / 32  # small files

    def scales(self, *dims):
        if self.kind == "exact":
            return np.exp2(self.rng.integers(-3, 2, dims)).astype(np.float32)
        return self.rng.uniform(0.05, 1.5, dims).astype(np.float32)

    def name(self, node, runs_as):
        self.layers += 1
        node.set_friendly_name(f"{runs_as}_{self.layers}")
        return node

    def levels2(self, x, threshold_only):
        """Two levels, {0, s} or {-s, s}: x > t, or the nearer one of two limits. One t a channel or one in all."""
        shape = list(x.get_output_shape(0))
        channels = [1, shape[1]] + [1] * (len(shape) - 2)
        t = self.reals(*(channels if self.choose(0, 1) else [1] * len(shape)))
        s = self.scales(*[1] * len(shape))
        if threshold_only:
            return op.fake_quantize(x, constant(t), constant(t), constant(0 * s), constant(s), 2)
        half, low = self.scales(*[1] * len(shape)), self.choose(0 * s, -s)
        return op.fake_quantize(x, constant(t - half), constant(t + half), constant(low), constant(s), 2)

    def levels256(self, x):
        """255 or 256 levels on a grid that holds 0: unsigned, signed, or with a zero point in between."""
        step = np.float64(self.rng.uniform(0.01, 0.03))
        levels, first = self.choose((256, 0), (256, -128), (255, -127), (256, -int(self.rng.integers(1, 255))))
        low, high = np.float32(first * step), np.float32((first + levels - 1) * step)
        ones = [1] * len(x.get_output_shape(0))
        low, high = constant(np.full(ones, low)), constant(np.full(ones, high))
        return op.fake_quantize(x, low, high, low, high, levels)

    def weights(self, shape, kind, out_axes=(0,), threshold_only=False):
        """float; ±r by FakeQuantize (one r for all, or one a filter) or as a constant; 8 bits by FakeQuantize, or as
        int8 constant, Convert and Multiply."""
        w = self.reals(*shape)
        axes = [d if i in out_axes else 1 for i, d in enumerate(shape)]
        if kind == "float":
            return constant(w)
        if kind == "binary":
            s = self.scales(*(axes if self.choose(0, 1) else [1] * len(shape)))
            if not threshold_only and self.choose(0, 1):
                return constant(np.where(w > 0, s, -s))
            limit = np.zeros([1] * len(shape)) if threshold_only else s
            return op.fake_quantize(constant(w), constant(-limit), constant(limit), constant(-s), constant(s), 2)
        s = self.rng.uniform(0.5, 2, axes if self.choose(0, 1) else [1] * len(shape)).astype(np.float32)
        if self.choose(0, 1):
            return op.fake_quantize(constant(w), constant(-s), constant(s), constant(-s), constant(s), 255)
        q = self.rng.integers(-127, 128, shape)
        q.reshape(-1)[self.rng.integers(q.size, size=q.size // 4)] = 0  # sparse
        return op.multiply(op.convert(constant(q, np.int8), np.float32), constant(s / 127))

    def convolution(self, x):
        kind = self.choose("binary", "binary", "float") if self.kind != "int8" else "int8"
        _, channels, height, width = x.get_output_shape(0)
        groups = self.choose(1, 1, 1, 2) if channels % 2 == 0 else 1
        out = int(self.choose(1, 3, 4, 8, 8, 16)) * groups
        kernel = self.choose(1, 2, 3)
        strides = [int(self.choose(1, 1, 2)), int(self.choose(1, 1, 2))]
        dilations = [int(self.choose(1, 2))] * 2 if min(height, width) > 4 else [1, 1]
        pads = [[int(self.rng.integers(kernel)) for _ in range(2)] for _ in range(2)]
        threshold_only = groups == 1 and channels % 8 == 0 and out % 8 == 0 and self.choose(False, True, True)
        pools = kind == "binary" and not threshold_only and min(height, width) > 1 and self.choose(False, True)
        sizes = [height // 2, width // 2] if pools else [height, width]
        while any(n + p + q < dilations[0] * (kernel - 1) + 1 for n, p, q in zip(sizes, *pads)):
            kernel -= 1
        shape = ([groups] if groups > 1 else []) + [out // groups, channels // groups, kernel, kernel]
        w = self.weights(shape, kind, (0, 1) if groups > 1 else (0,), threshold_only)
        if kind == "int8":
            x = self.levels256(x)
        elif kind == "binary":
            x = self.levels2(x, threshold_only)
        if pools:
            x = self.pool(x, [opset1.max_pool])
        convolve = op.group_convolution if groups > 1 else op.convolution
        return self.name(convolve(x, w, strides, pads[0], pads[1], dilations), kind)

    def pool(self, x, kinds):
        if min(x.get_output_shape(0)[2:]) < 2:
            return x
        pool = self.choose(*kinds)
        if pool is opset1.max_pool:
            return opset1.max_pool(x, [2, 2], [0, 0], [0, 0], [2, 2])
        return op.avg_pool(x, [2, 2], [0, 0], [0, 0], [2, 2], True)

    def between(self, x):
        """What stands between layers; a residual has a value of the same shape on both sides."""
        channels = [1, x.get_output_shape(0)[1], 1, 1]
        what = self.choose("norm", "relu", "pool", "residual", "concat", "nothing")
        if what == "norm":
            return op.add(op.multiply(x, constant(self.scales(*channels))), constant(self.reals(*channels)))
        if what == "relu":
            return op.relu(x)
        if what == "pool":
            return self.pool(x, [opset1.max_pool, op.avg_pool])
        if what == "residual":
            return op.add(x, op.relu(op.add(x, constant(self.reals(*channels)))))
        if what == "concat":
            return op.concat([x, op.relu(x)], 1)
        return x

    def dense(self, x):
        size = int(np.prod(x.get_output_shape(0)))
        kind = self.choose("binary", "float") if self.kind != "int8" else "int8"
        x = op.reshape(x, constant([1, size], np.int64), False)
        if kind == "int8":
            x = self.levels256(x)
        elif kind == "binary":
            x = self.levels2(x, False)
        w = self.weights([size, int(self.rng.integers(1, 9))], kind, (1,))
        return self.name(op.matmul(x, w, False, False), kind)


def random_network(kind, seed):
    """The model and an input for it. kind: "exact", "close" or "int8"."""
    b = Builder(kind, seed)
    shape = [1, int(b.choose(1, 2, 3, 5, 8, 8, 16, 32)), int(b.rng.integers(3, 9)), int(b.rng.integers(3, 9))]
    x = op.parameter(shape, np.float32, name="x")
    x.output(0).set_names({"x"})
    y = x
    for _ in range(int(b.rng.integers(1, 3 if kind == "int8" else 4))):
        y = b.between(b.convolution(y))
    if b.choose(0, 1):
        y = b.dense(y)
    y = op.add(y, constant([0.0])) if y.get_type_name() in ("Parameter", "FakeQuantize") else y
    y.output(0).set_names({"y"})
    data = b.reals(*shape) * 2 if kind == "exact" else b.reals(*shape) * np.float32(1.5)
    return ov.Model([op.result(y)], [x], f"{kind}.{seed}"), data


# ---- What a network gives


def fake_quantize(x, il, ih, ol, oh, levels):
    """The definition, with the float32 steps in which the plugin and others compute it."""
    x, il, ih, ol, oh = np.broadcast_arrays(*[np.asarray(a, np.float32) for a in (x, il, ih, ol, oh)])
    steps = np.float32(levels - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.rint((x - il) / (ih - il) * steps) / steps * (oh - ol) + ol
    return np.where(x <= np.minimum(il, ih), ol, np.where(x > np.maximum(il, ih), oh, middle)).astype(np.float64)


def windows(x, kernel, attributes, fill):
    begin, end = attributes["pads_begin"], attributes["pads_end"]
    strides, dilations = attributes["strides"], attributes.get("dilations", [1, 1])
    x = np.pad(x, ((0, 0), (0, 0), (begin[0], end[0]), (begin[1], end[1])), constant_values=fill)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    view = np.lib.stride_tricks.sliding_window_view(x, spans, (2, 3))
    return view[:, :, :: strides[0], :: strides[1], :: dilations[0], :: dilations[1]]


def convolve(x, w, attributes):
    """Weights [groups, out, in, kernel, kernel]."""
    parts = np.split(x, w.shape[0], 1)
    sums = [np.tensordot(windows(p, g.shape[2:], attributes, 0), g, ((1, 4, 5), (1, 2, 3))) for p, g in zip(parts, w)]
    return np.concatenate([np.moveaxis(s, 3, 1) for s in sums], 1)


def compute(node, inputs):
    kind, a = node.get_type_name(), node.get_attributes()
    if kind == "Constant":
        return np.array(node.get_data())
    if kind == "FakeQuantize":
        return fake_quantize(*inputs, a["levels"])
    if kind == "Convolution":
        return convolve(inputs[0], inputs[1][None], a)
    if kind == "GroupConvolution":
        return convolve(*inputs, a)
    if kind == "MaxPool":
        return windows(inputs[0], a["kernel"], a, -np.inf).max((4, 5))
    if kind == "AvgPool":
        return windows(inputs[0], a["kernel"], a, 0).mean((4, 5))
    if kind == "ReduceMean":
        return inputs[0].mean(tuple(int(i) for i in inputs[1]), keepdims=a["keep_dims"])
    if kind == "Reshape":
        return inputs[0].reshape([int(d) for d in inputs[1]])
    if kind == "Concat":
        return np.concatenate(inputs, int(a["axis"]))
    simple = {"Add": np.add, "Multiply": np.multiply, "Subtract": np.subtract, "MatMul": np.matmul,
              "Relu": lambda x: np.maximum(x, 0), "Result": lambda x: x,
              "Convert": lambda x: x.astype(np.float64)}
    return simple[kind](*inputs)


def run_numpy(model, data):
    """The output, and how close any computed value comes to where a quantizer decides otherwise: in steps, or from a
    threshold."""
    values, margin = {}, np.inf
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Parameter":
            values[node.get_name()] = data.astype(np.float64)
            continue
        inputs = [values[i.get_source_output().get_node().get_name()] for i in node.inputs()]
        of_constant = node.get_input_size() > 0 and node.input_value(0).get_node().get_type_name() == "Constant"
        if node.get_type_name() == "FakeQuantize" and not of_constant:
            margin = min(margin, decision_margin(inputs, node.get_attributes()["levels"]))
        values[node.get_name()] = compute(node, inputs)
    return values[model.get_results()[0].get_name()], margin


def decision_margin(inputs, levels):
    x, il, ih = np.broadcast_arrays(*inputs[:3])
    same = il == ih
    position = np.where(same, 0, (x - il) / np.where(same, 1, ih - il) * (levels - 1))
    to_tie = np.abs(position - np.floor(position) - 0.5)
    to_tie = np.where((position < -0.5) | (position > levels - 0.5), np.inf, to_tie)
    return float(np.where(same, np.abs(x - il), to_tie).min(initial=np.inf))


def run_openvino(model, data):
    compiled = ov.Core().compile_model(model, "CPU", CONFIG)
    return np.array(compiled([data])[0])


def one_step(model):
    """What one step of one activation changes at most in an output: the largest step times the largest weight."""
    largest = 0.0
    for node in model.get_ordered_ops():
        if not node.get_friendly_name().startswith("int8_"):
            continue
        low, high = (node.input_value(0).get_node().input_value(i).get_node().get_data().item() for i in (3, 4))
        levels = node.input_value(0).get_node().get_attributes()["levels"]
        weights = {}
        for n in [node.input_value(1).get_node()]:
            weights = evaluate_constant(n)
        largest = max(largest, (high - low) / (levels - 1) * float(np.abs(weights).max()))
    return largest


def evaluate_constant(node):
    return compute(node, [evaluate_constant(i.get_source_output().get_node()) for i in node.inputs()])


def checked_outputs(model, data, kind):
    """OpenVINO's output and the tolerance for it: 0, or absolute. Raises Disagreement where it is not what the
    definitions give; returns None where a value lies so close to a decision that rounding makes it."""
    expected, margin = run_numpy(model, data)
    if kind != "exact" and margin < 1e-4:
        return None
    try:
        actual = run_openvino(model, data)
    except RuntimeError as error:
        raise Disagreement(f"{model.get_friendly_name()}: {str(error).strip().splitlines()[-1]}")
    scale = max(1.0, float(np.abs(expected).max()))
    tolerance = {"exact": 0.0, "close": 1e-4 * scale, "int8": one_step(model) + 1e-5 * scale}[kind]
    if actual.shape != expected.shape:
        raise Disagreement(f"{model.get_friendly_name()}: {actual.shape}, not {expected.shape}")
    if not np.all(np.abs(actual - expected) <= tolerance):
        raise Disagreement(f"{model.get_friendly_name()}: {np.abs(actual - expected).max()} apart")
    return actual, tolerance


# ---- How a network is written


def to_ir(model, compress=False):
    """(.xml, .bin). Compression changes the model: quantized weights become int8, other constants float16."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "m.xml")
        if compress:
            compress_quantize_weights_transformation(model)
        ov.save_model(model, path, compress_to_fp16=True) if compress else ov.serialize(model, path)
        with open(path, "rb") as xml, open(path[:-3] + "bin", "rb") as weights:
            return xml.read(), weights.read()


ONNX_NAMES = {"Add": "Add", "Multiply": "Mul", "Subtract": "Sub", "Relu": "Relu", "MatMul": "MatMul",
              "Reshape": "Reshape"}


def to_onnx(model):
    """The same network as an ONNX exporter would write it (opset 13)."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants, names = [], [], {}
    for node in model.get_ordered_ops():
        kind, a = node.get_type_name(), node.get_attributes()
        name = names[node.get_name()] = node.get_friendly_name()
        inputs = [names[i.get_source_output().get_node().get_name()] for i in node.inputs()]
        if kind == "Constant":
            constants.append(numpy_helper.from_array(np.array(node.get_data()), name))
        elif kind == "FakeQuantize":
            nodes.append(helper.make_node(kind, inputs, [name], name, domain="org.openvinotoolkit", levels=a["levels"]))
        elif kind in ("Convolution", "GroupConvolution"):
            group = 1
            if kind == "GroupConvolution":  # [groups, out, in, ...] -> [groups * out, in, ...]
                shape = node.input(1).get_shape()
                group = shape[0]
                target = np.array([shape[0] * shape[1], *list(shape)[2:]], np.int64)
                constants.append(numpy_helper.from_array(target, name + "/shape"))
                nodes.append(helper.make_node("Reshape", [inputs[1], name + "/shape"], [name + "/weights"]))
                inputs[1] = name + "/weights"
            nodes.append(helper.make_node("Conv", inputs, [name], name, group=group, strides=list(a["strides"]),
                                          dilations=list(a["dilations"]),
                                          pads=list(a["pads_begin"]) + list(a["pads_end"])))
        elif kind in ("MaxPool", "AvgPool"):
            nodes.append(helper.make_node({"MaxPool": kind, "AvgPool": "AveragePool"}[kind], inputs[:1], [name], name,
                                          kernel_shape=list(a["kernel"]), strides=list(a["strides"]),
                                          pads=list(a["pads_begin"]) + list(a["pads_end"])))
        elif kind == "ReduceMean":
            axes = [int(i) for i in node.input_value(1).get_node().get_data()]
            nodes.append(helper.make_node(kind, inputs[:1], [name], name, axes=axes, keepdims=int(a["keep_dims"])))
        elif kind == "Convert":
            nodes.append(helper.make_node("Cast", inputs, [name], name, to=TensorProto.FLOAT))
        elif kind == "Concat":
            nodes.append(helper.make_node(kind, inputs, [name], name, axis=int(a["axis"])))
        elif kind == "Result":
            nodes.append(helper.make_node("Identity", inputs, ["y"], "output"))
        elif kind != "Parameter":
            nodes.append(helper.make_node(ONNX_NAMES[kind], inputs, [name], name))
    x, y = model.get_parameters()[0], model.get_results()[0]
    graph = helper.make_graph(
        nodes, model.get_friendly_name(),
        [helper.make_tensor_value_info(x.get_friendly_name(), TensorProto.FLOAT, list(x.get_output_shape(0)))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, list(y.get_output_shape(0)))], constants)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("org.openvinotoolkit", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
