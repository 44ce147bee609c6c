#!/usr/bin/env python3
"""Makes the networks of graphdef.cases.gz: frozen TensorFlow graphs (.pb), one small network for each operator and
option, and whole networks in the form in which Blueoil writes them.

Usage: make_graphdef_fixtures.py [FOLDER]    needs tensorflow 2 (any version with compat.v1) and numpy

Expected outputs are TensorFlow's own. All weights and inputs come from fixed seeds. The container is that of
make_onnx_fixtures.py ("BNNCASE1"), compressed. The tolerance is relative to max(1, |expected|).

TensorFlow computes layers of data_format NCHW on some processors only: the expected outputs of such a network are those
of the NHWC network that it was made from, as a test of tensorflow's own converters would do it.
"""

import gzip
import os
import pathlib
import struct
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy
import tensorflow as tf
from make_cases import rng, write_string, write_tensor
from tensorflow.python.framework import function

v1 = tf.compat.v1
nn = tf.raw_ops
FLOATS = tf.float32
EXACT, ROUNDED = 0.0, 1e-5

CASES = []


def reals(name, *dims):
    return rng(name).standard_normal(dims).astype(numpy.float32)


def quarters(name, *dims):
    """Multiples of 1/4: sums of products are exact, and halves occur."""
    return (rng(name).integers(-12, 13, size=dims) / 4).astype(numpy.float32)


def as_written():
    """TensorFlow's optimizer would turn divisions by constants into multiplications, which round otherwise."""
    config = v1.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = v1.OptimizerOptions.L0
    return config


def run(graph_def, inputs):
    """The outputs, by the importer's rule: what no other node reads."""
    with tf.Graph().as_default() as graph, v1.Session(graph=graph, config=as_written()) as session:
        tf.import_graph_def(graph_def, name="")
        read = {text.lstrip("^").split(":")[0] for node in graph_def.node for text in node.input}
        names = [node.name for node in graph_def.node
                 if node.name not in read and node.op not in ("Assert", "Const", "NoOp", "Placeholder")]
        fetched = []
        for name in names:
            for i in range(len(graph.get_operation_by_name(name).outputs)):
                fetched.append((name if i == 0 else f"{name}:{i}", f"{name}:{i}"))
        feed = {f"{name}:0": array for name, array in inputs}
        values = session.run([tensor for _, tensor in fetched], feed)
        return [(name, numpy.asarray(value)) for (name, _), value in zip(fetched, values)]


def add(name, tolerance, graph_def, inputs, outputs=None):
    outputs = run(graph_def, inputs) if outputs is None else outputs
    CASES.append((name, tolerance, graph_def.SerializeToString(deterministic=True), inputs, outputs))


def case(name, build, *dims, tolerance=EXACT, data=quarters, open_batch=False, change=None, expected=None):
    """A network of one Placeholder for each of `dims`; `build` takes them and makes the rest. `change` edits the graph
    before it is written and run, `expected` is a second graph whose outputs are the expected ones."""
    with tf.Graph().as_default() as graph:
        inputs, placeholders = [], []
        for i, shape in enumerate(dims):
            inputs.append((f"x{i}" if i else "x", data(f"{name}{i}", *shape)))
            declared = [None, *shape[1:]] if open_batch else shape
            placeholders.append(v1.placeholder(FLOATS, declared, name=inputs[-1][0]))
        build(*placeholders)
        graph_def = graph.as_graph_def()
    if change is not None:
        change(graph_def)
    add(name, tolerance, graph_def, inputs, expected)


def const(name, *dims, data=quarters):
    return tf.constant(data(name, *dims), name=name)


# ---- Operators


def layers():
    for padding in ("SAME", "VALID"):
        for stride in (1, 2):
            case(f"conv_{padding}_{stride}",
                 lambda x: tf.nn.conv2d(x, const("w", 3, 3, 3, 5), stride, padding), (1, 7, 6, 3))
            case(f"depthwise_{padding}_{stride}",
                 lambda x: nn.DepthwiseConv2dNative(input=x, filter=const("w", 3, 2, 3, 2),
                                                    strides=[1, stride, stride, 1], padding=padding), (1, 7, 6, 3))
            for pool in (tf.nn.max_pool2d, tf.nn.avg_pool2d):
                case(f"{pool.__name__}_{padding}_{stride}", lambda x: pool(x, [3, 2], stride, padding), (1, 7, 6, 3),
                     tolerance=ROUNDED)
    case("conv_dilated", lambda x: nn.Conv2D(input=x, filter=const("w", 3, 3, 3, 4), strides=[1, 1, 1, 1],
                                             padding="SAME", dilations=[1, 2, 3, 1]), (1, 9, 10, 3))
    case("conv_explicit", lambda x: tf.nn.conv2d(x, const("w", 3, 3, 3, 4), 2, [[0, 0], [1, 0], [2, 1], [0, 0]]),
         (1, 7, 6, 3))
    case("conv_groups", lambda x: tf.nn.conv2d(x, const("w", 3, 3, 2, 6), 1, "SAME"), (1, 5, 6, 4))
    case("conv_bias_open_batch",
         lambda x: tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, const("w", 3, 3, 3, 4), 1, "SAME"), const("b", 4))),
         (1, 5, 6, 3), open_batch=True)
    case("max_pool_explicit", lambda x: nn.MaxPool(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1],
                                                   padding="EXPLICIT", explicit_paddings=[0, 0, 1, 0, 0, 1, 0, 0]),
         (1, 5, 5, 3))
    for a in (False, True):
        for b in (False, True):
            case(f"matmul_{a}_{b}",
                 lambda x: tf.matmul(x, const("w", *((5, 4) if b else (4, 5))), transpose_a=a, transpose_b=b),
                 (4, 3) if a else (1, 4))
    case("matmul_bias", lambda x: tf.matmul(x, const("w", 4, 5)) + const("b", 5), (1, 4), open_batch=True)
    for version in ("", "V2", "V3"):
        def batch_norm(x):
            build = getattr(nn, "FusedBatchNorm" + version)
            y = build(x=x, scale=const("gamma", 4), offset=const("beta", 4), mean=const("mean", 4),
                      variance=tf.constant(numpy.abs(quarters("var", 4)) + 0.5), is_training=False, epsilon=1e-3)[0]
            tf.identity(y, name="output")
        case(f"batch_norm{version}", batch_norm, (1, 3, 2, 4), tolerance=ROUNDED)

    def folded_batch_norm(x):  # as TensorFlow writes it where it is not fused
        scale = tf.math.rsqrt(tf.constant(numpy.abs(reals("var", 4)) + 0.5) + 1e-3) * const("gamma", 4)
        y = x * scale + (const("beta", 4) - const("mean", 4) * scale)
        tf.identity(y, name="output")
    case("batch_norm_written_out", folded_batch_norm, (1, 3, 2, 4), tolerance=ROUNDED)


def channels_first():
    """Networks of NCHW layers, and their NHWC counterparts with transposed inputs and outputs."""
    def network(x, layout):
        spatial = (lambda h, w: [1, h, w, 1]) if layout == "NHWC" else (lambda h, w: [1, 1, h, w])
        x = nn.Conv2D(input=x, filter=const("w", 3, 3, 3, 4), strides=spatial(1, 2), padding="SAME",
                      data_format=layout, dilations=spatial(1, 1))
        x = nn.BiasAdd(value=x, bias=const("b", 4), data_format=layout)
        x = nn.FusedBatchNormV3(x=x, scale=const("gamma", 4), offset=const("beta", 4), mean=const("mean", 4),
                                variance=tf.constant(numpy.abs(quarters("var", 4)) + 0.5), is_training=False,
                                data_format=layout)[0]
        x = nn.Relu(features=x)
        x = nn.MaxPool(input=x, ksize=spatial(2, 2), strides=spatial(2, 2), padding="VALID", data_format=layout)
        return nn.DepthwiseConv2dNative(input=x, filter=const("dw", 2, 2, 4, 1), strides=spatial(1, 1),
                                        padding="SAME", data_format=layout)

    def nhwc(x):
        y = network(tf.transpose(x, [0, 2, 3, 1]), "NHWC")
        tf.transpose(y, [0, 3, 1, 2], name="output")

    def nchw(x):
        tf.identity(network(x, "NCHW"), name="output")

    data = quarters("channels_first0", 1, 3, 6, 8)
    graphs = {}
    for key, build in (("nhwc", nhwc), ("nchw", nchw)):
        with tf.Graph().as_default() as graph:
            build(v1.placeholder(FLOATS, [1, 3, 6, 8], name="x"))
            graphs[key] = graph.as_graph_def()
    expected = run(graphs["nhwc"], [("x", data)])
    add("channels_first", ROUNDED, graphs["nchw"], [("x", data)], expected)
    add("channels_first_between_transposes", ROUNDED, graphs["nhwc"], [("x", data)])

    def mixed(x):  # one NCHW layer in a network of NHWC layers
        y = nn.Conv2D(input=x, filter=const("w1", 1, 1, 3, 4), strides=[1, 1, 1, 1], padding="SAME")
        y = tf.transpose(y, [0, 3, 1, 2])
        y = nn.BiasAdd(value=y, bias=const("b", 4), data_format="NCHW")
        y = tf.transpose(y, [0, 2, 3, 1])
        nn.Conv2D(input=y, filter=const("w2", 1, 1, 4, 2), strides=[1, 1, 1, 1], padding="SAME")
    case("channels_first_bias_among_nhwc", mixed, (1, 4, 5, 3))


def arithmetic():
    positive = lambda name, *dims: numpy.abs(quarters(name, *dims)) + 0.25
    unary = {
        "abs": tf.abs, "ceil": tf.math.ceil, "floor": tf.floor, "neg": tf.negative, "relu": tf.nn.relu,
        "relu6": tf.nn.relu6, "rint": tf.math.rint, "round": tf.round, "square": tf.square,
        "stop_gradient": tf.stop_gradient, "leaky_relu": lambda x: tf.nn.leaky_relu(x, 0.25),
        "default": lambda x: v1.placeholder_with_default(tf.constant(2.0), []) * x,
        "prevent_gradient": lambda x: nn.PreventGradient(input=x), "snapshot": lambda x: nn.Snapshot(input=x),
        "check": lambda x: tf.debugging.check_numerics(x, "never"),
    }
    for name, build in unary.items():
        case(name, build, (1, 3, 2, 5))
    case("sign", tf.sign, (1, 3, 2, 5), data=reals)  # without 0, which is for the user of bnn-convert to decide
    rounded = {"elu": tf.nn.elu, "exp": tf.exp, "sigmoid": tf.sigmoid, "softmax": tf.nn.softmax,
               "log_softmax": tf.nn.log_softmax, "softplus": tf.nn.softplus, "tanh": tf.tanh}
    for name, build in rounded.items():
        case(name, build, (1, 3, 2, 5), tolerance=ROUNDED)
    case("softmax_flat", tf.nn.softmax, (2, 7), tolerance=ROUNDED)
    for name, build in {"log": tf.math.log, "rsqrt": tf.math.rsqrt, "sqrt": tf.sqrt, "reciprocal": tf.math.reciprocal,
                        "inv": lambda x: nn.Inv(x=x), "pow": lambda x: tf.pow(x, 1.5)}.items():
        case(name, build, (1, 3, 2, 5), tolerance=ROUNDED, data=positive)
    binary = {"add": nn.Add, "addv2": nn.AddV2, "sub": nn.Sub, "mul": nn.Mul, "realdiv": nn.RealDiv, "div": nn.Div,
              "maximum": nn.Maximum, "minimum": nn.Minimum, "squared_difference": nn.SquaredDifference}
    for name, op in binary.items():
        tolerance = ROUNDED if "div" in name else EXACT
        data = positive if "div" in name else quarters
        case(f"{name}_channel", lambda x: op(x=x, y=const("c", 5, data=data)), (1, 3, 2, 5), tolerance=tolerance)
        case(f"{name}_scalar", lambda x: op(x=tf.constant(1.5), y=x), (1, 3, 2, 5), tolerance=tolerance, data=data)
        case(f"{name}_maps", lambda x, y: op(x=x, y=y), (1, 3, 2, 5), (1, 3, 2, 5), tolerance=tolerance, data=data)
    case("add_low_rank", lambda x, y: x + tf.nn.relu(y), (1, 3, 2, 5), (1, 2, 5))
    case("add_matrix", lambda x: x + const("m", 3, 4), (1, 3, 4))
    case("add_n", lambda x, y: tf.add_n([x, y, const("c", 1, 3, 2, 5)]), (1, 3, 2, 5), (1, 3, 2, 5))
    case("add_n_one", lambda x: nn.AddN(inputs=[x]), (1, 3))
    for name, op in {"greater": nn.Greater, "greater_equal": nn.GreaterEqual, "less": nn.Less,
                     "less_equal": nn.LessEqual, "equal": nn.Equal}.items():
        case(f"select_{name}", lambda x: tf.where(op(x=x, y=const("c", 5)), x, x * 2), (1, 3, 2, 5))
    case("select_logic", lambda x: tf.where(tf.logical_or(tf.logical_and(x > 0, x < 1), tf.logical_not(x > -1)), x, -x),
         (1, 3, 2, 5))
    case("select_scalars", lambda x: tf.where(x >= 0, 1.0, -1.0), (1, 3, 2, 5))
    case("select_v1", lambda x: nn.Select(condition=x > 0, x=x, y=x * 3), (1, 3, 2, 5))
    case("select_v1_rows", lambda x: nn.Select(condition=tf.constant([True, False]), x=x, y=x * 3), (2, 3, 2, 5))
    case("cast", lambda x: tf.cast(tf.cast(x * 3, tf.int32), FLOATS), (1, 3, 2, 5))
    case("cast_bool", lambda x: tf.cast(x > 0, FLOATS) * 2 - 1, (1, 3, 2, 5))
    for name, reduce in {"mean": tf.reduce_mean, "sum": tf.reduce_sum, "max": tf.reduce_max, "min": tf.reduce_min,
                         "prod": tf.reduce_prod}.items():
        for axes in ([1, 2], [3], [-1, 1], [2]):
            for keep in (False, True):
                tag = "_".join(str(axis) for axis in axes).replace("-", "m")
                case(f"{name}_{tag}_{'keep' if keep else 'drop'}", lambda x: reduce(x, axes, keepdims=keep),
                     (1, 3, 4, 5), tolerance=ROUNDED)
    case("mean_open_batch", lambda x: tf.reduce_mean(tf.nn.relu(x), [1, 2]), (1, 3, 4, 5), tolerance=ROUNDED,
         open_batch=True)
    case("half_constants", lambda x: x * tf.cast(tf.constant([0.5, 1.5, -2, 3, 65504], tf.float16), FLOATS), (1, 5))
    case("double_constants", lambda x: x * tf.cast(tf.constant([0.5, 1.5, -2, 3, 7], tf.float64), FLOATS), (1, 5))
    case("repeated_constants", lambda x: x + tf.fill([5], 2.5) + tf.constant(0.5, shape=[1, 3, 2, 5]), (1, 3, 2, 5))


def moves():
    case("concat", lambda x, y: tf.concat([x, y], -1), (1, 3, 2, 5), (1, 3, 2, 4))
    case("concat_rows", lambda x, y: tf.concat([x, y], 1), (1, 3, 2, 5), (1, 4, 2, 5))
    case("split", lambda x: tf.split(x, 3, 3), (1, 3, 2, 6))

    def split_some(x):
        parts = tf.split(x, [2, -1, 1], -1, num=3)
        tf.identity(parts[2] + parts[1][..., :1], name="output")
    case("split_v_some", split_some, (1, 3, 2, 6))
    case("unpack", lambda x: tf.unstack(x, axis=1), (1, 3, 4))
    case("slice", lambda x: tf.slice(x, [0, 1, 0, 2], [-1, 2, 3, 2]), (1, 4, 3, 5))
    case("strided_slice", lambda x: x[:, 1:4:2, :, ::2], (1, 5, 3, 5))
    case("strided_slice_negative", lambda x: x[:, ::-1, :-1, -3:], (1, 5, 3, 5))
    case("strided_slice_shrink", lambda x: x[:, 1, :, 2], (1, 5, 3, 5))
    case("strided_slice_ellipsis", lambda x: x[..., 1:3], (1, 5, 3, 5))
    case("strided_slice_new_axis", lambda x: x[:, tf.newaxis, ..., 2, tf.newaxis], (1, 5, 3))
    case("pad", lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 1], [2, 0]]), (1, 3, 2, 5))
    case("pad_value", lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]], constant_values=1.5), (1, 3, 2, 5))
    case("pad_reflect", lambda x: tf.pad(x, [[0, 0], [1, 2], [2, 1], [0, 0]], "REFLECT"), (1, 3, 4, 5))
    case("pad_symmetric", lambda x: tf.pad(x, [[0, 0], [1, 2], [2, 1], [0, 0]], "SYMMETRIC"), (1, 3, 4, 5))
    case("transpose", lambda x: tf.transpose(x, [0, 2, 1, 3]), (1, 3, 2, 5))
    case("transpose_matrix", lambda x: tf.transpose(x, [0, 2, 1]), (1, 3, 4))
    case("gather", lambda x: tf.gather(x, [2, 0], axis=3), (1, 3, 2, 5))
    case("gather_v1", lambda x: nn.Gather(params=x, indices=[0]), (1, 3, 2, 5))
    case("reshape", lambda x: tf.reshape(x, [-1, 30]), (1, 3, 2, 5), open_batch=True)
    case("reshape_map", lambda x: tf.reshape(x, [1, 2, 3, 5]), (1, 3, 2, 5))
    case("flatten_by_shape", lambda x: tf.reshape(tf.nn.relu(x), [tf.shape(x)[0], -1]), (1, 3, 2, 5), open_batch=True)
    case("reshape_by_pack", lambda x: tf.reshape(tf.nn.relu(x), tf.stack([tf.shape(x)[0], 6, x.shape[3]])),
         (1, 3, 2, 5), open_batch=True)
    case("squeeze", lambda x: tf.squeeze(tf.reduce_mean(x, [1, 2], keepdims=True), [1, 2]), (1, 3, 2, 5),
         tolerance=ROUNDED, open_batch=True)
    case("expand_dims", lambda x: tf.expand_dims(x, -1), (1, 3, 2))
    case("rank", lambda x: tf.reduce_sum(x, tf.range(2, tf.rank(x))), (1, 3, 2))
    case("pack", lambda x, y: tf.stack([x, y], axis=-1), (1, 3, 2), (1, 3, 2))
    case("fill", lambda x: tf.fill(tf.shape(x), 1.5) + x, (1, 3, 2, 5))
    for name, op in {"space_to_depth": tf.nn.space_to_depth, "depth_to_space": tf.nn.depth_to_space}.items():
        case(name, lambda x: op(x, 2), (1, 4, 6, 8))
    for padding in ("SAME", "VALID"):
        case(f"image_patches_{padding}", lambda x: tf.image.extract_patches(x, [1, 2, 3, 1], [1, 2, 3, 1],
                                                                            [1, 1, 1, 1], padding), (1, 4, 6, 3))
    for linear in (True, False):
        op = nn.ResizeBilinear if linear else nn.ResizeNearestNeighbor
        for name, flags in {"legacy": {}, "corners": {"align_corners": True},
                            "half": {"half_pixel_centers": True}}.items():
            for size in ([7, 9], [2, 3], [8, 10]):
                case(f"resize_{'linear' if linear else 'nearest'}_{name}_{size[0]}",
                     lambda x: op(images=x, size=size, **flags), (1, 4, 5, 3), tolerance=ROUNDED)


def fake_quant():
    def ramp(name, *dims):
        return numpy.linspace(-3.113, 3.317, int(numpy.prod(dims)), dtype=numpy.float32).reshape(dims)
    for bits in (2, 4, 8):
        for narrow in (False, True):
            case(f"fake_quant_{bits}_{narrow}",
                 lambda x: tf.quantization.fake_quant_with_min_max_vars(x, -1.0, 2.5, bits, narrow), (1, 7, 3, 5),
                 tolerance=ROUNDED, data=ramp)
    case("fake_quant_args", lambda x: tf.quantization.fake_quant_with_min_max_args(x, -2, 2, 3), (1, 7, 3, 5),
         tolerance=ROUNDED, data=ramp)
    case("fake_quant_positive", lambda x: tf.quantization.fake_quant_with_min_max_vars(x, 0.5, 2.5, 4), (1, 7, 3, 5),
         tolerance=ROUNDED, data=ramp)
    case("fake_quant_channels",
         lambda x: tf.quantization.fake_quant_with_min_max_vars_per_channel(
             x, tf.constant([-1.0, -2, 0, -0.5, -3]), tf.constant([1.0, 1, 2, 0.25, 3]), 4), (1, 7, 3, 5),
         tolerance=ROUNDED, data=ramp)


# ---- Functions


def functions():
    @function.Defun(FLOATS, FLOATS, func_name="twice_and_sum")
    def inner(x, y):
        return 2 * x, x + y

    @function.Defun(FLOATS, func_name="nested")
    def outer(x):
        doubled, total = inner(x, tf.constant(0.5))
        parts = tf.split(total, 2, -1)
        return parts[1] - parts[0] + doubled[..., :2]

    case("function_nested", lambda x: tf.identity(outer(tf.nn.relu(x)) + outer(x), name="output"), (1, 3, 2, 4))

    @function.Defun(FLOATS, FLOATS, func_name="swap")
    def swap(x, y):
        return y, x

    case("function_of_arguments", lambda x, y: tf.subtract(*swap(x, y), name="output"), (1, 3), (1, 3))
    case("function_as_output", lambda x: inner(x, x), (1, 3))

    @tf.function
    def partitioned(x):
        return tf.nn.relu(x) + 1, x * 2

    def call(x):
        a, b = partitioned(x)
        tf.identity(a - b, name="output")
    case("function_partitioned_call", call, (1, 3, 2, 4))

    def with_batch_norm(x):
        @function.Defun(FLOATS, func_name="normalize")
        def normalize(y):
            return nn.FusedBatchNormV3(x=y, scale=const("gamma", 4), offset=const("beta", 4), mean=const("mean", 4),
                                       variance=tf.constant(numpy.abs(quarters("var", 4)) + 0.5), is_training=False)[0]
        tf.identity(normalize(x), name="output")
    case("function_batch_norm", with_batch_norm, (1, 3, 2, 4), tolerance=ROUNDED)

    def with_checks(x):  # orders the run, but computes nothing
        check = tf.debugging.Assert(tf.reduce_all(tf.less(x, 1e6)), [x])
        with tf.control_dependencies([check]):
            tf.identity(x * 2, name="output")
    case("control_inputs", with_checks, (1, 3, 2, 4))


# ---- Blueoil
#
# Its quantizers are functions of the library, under their older names (QTZ_..., whose sign of 0 is 0) and their newer
# ones (where x >= 0 counts as 1), called by nodes of the functions' names.


def filters(name, *dims):
    """Few different values, none of them 0, so that the file compresses well."""
    return ((rng(name).integers(-20, 20, size=dims) + 0.5) / 50).astype(numpy.float32)


class Blueoil:
    def __init__(self, old_names):
        self.old_names = old_names

    def weights(self, w, per_channel):
        old, new = (("QTZ_binary_channel_wise_mean_scaling", "BinaryChannelWiseMeanScalingQuantizer") if per_channel
                    else ("QTZ_binary_mean_scaling", "BinaryMeanScalingQuantizer"))

        @function.Defun(FLOATS, func_name=old if self.old_names else new,
                        shape_func=lambda op: [op.inputs[0].get_shape()])
        def quantize(x):
            mean = tf.reduce_mean(tf.abs(x), axis=[0, 1, 2] if per_channel else None)
            return (tf.sign(x) if self.old_names else tf.where(x >= 0, 1.0, -1.0)) * mean
        return quantize(w)

    def activation(self, x, bits=2, max_value=2.0):
        name = "QTZ_linear_mid_tread_half" if self.old_names else "LinearMidTreadHalfQuantizer"

        @function.Defun(FLOATS, tf.int32, FLOATS, func_name=name, shape_func=lambda op: [op.inputs[0].get_shape()])
        def quantize(y, bit, top):
            steps = tf.pow(2.0, tf.cast(bit, FLOATS)) - 1
            span = top - 0
            unit = (tf.clip_by_value(y, 0, top) - 0) / span
            return tf.floor(unit * steps + 0.5) / steps * span + 0
        return quantize(x, bits, max_value)

    def block(self, x, name, channels, per_channel=True, quantized=True, pool=False):
        with v1.variable_scope(name):
            w = tf.constant(filters(name + "w", 3, 3, x.shape[3], channels), name="kernel")
            w = self.weights(w, per_channel) if quantized else w
            x = tf.nn.conv2d(x, w, 1, "SAME", name="conv2d/Conv2D")
            x = nn.FusedBatchNormV3(x=x, scale=tf.constant(numpy.abs(reals(name + "s", channels)) * 0.4 + 0.6),
                                    offset=tf.constant(reals(name + "o", channels) * 0.2 + 0.9),
                                    mean=tf.constant(reals(name + "m", channels) * 0.3),
                                    variance=tf.constant(numpy.abs(reals(name + "v", channels)) + 0.7),
                                    is_training=False, epsilon=1e-3, name="batch_norm/FusedBatchNormV3")[0]
            if pool:
                x = tf.nn.max_pool2d(x, 2, 2, "SAME", name="max_pool")
            return self.activation(x)


def blueoil_network(old_names):
    """A classification network as Blueoil's: a float layer first, 1-bit weights and 2-bit activations, a 1x1 float layer,
    mean and softmax."""
    net = Blueoil(old_names)
    x = v1.placeholder(FLOATS, [None, 16, 16, 3], name="images_placeholder")
    x = net.block(x, "conv1", 20, quantized=False)
    x = net.block(x, "conv2", 33, pool=True)
    x = net.block(x, "conv3", 16, per_channel=False)
    x = tf.nn.space_to_depth(x, 2) if old_names else tf.image.extract_patches(x, [1, 2, 2, 1], [1, 2, 2, 1],
                                                                             [1, 1, 1, 1], "VALID")
    x = net.block(x, "conv4", 24)
    with v1.variable_scope("conv5"):
        x = tf.nn.conv2d(x, tf.constant(filters("conv5w", 1, 1, 24, 10)), 1, "VALID")
        x = tf.nn.bias_add(x, tf.constant(reals("conv5b", 10)))
    x = tf.nn.avg_pool2d(x, [4, 4], [4, 4], "VALID")
    x = tf.reshape(x, [-1, 10], name="pool_reshape")
    tf.nn.softmax(x, name="output")


def without_bodies(graph_def):
    del graph_def.library.function[:]


def blueoil():
    images = ("images_placeholder", rng("images").random((1, 16, 16, 3)).astype(numpy.float32))
    for old_names in (True, False):
        with tf.Graph().as_default() as graph:
            blueoil_network(old_names)
            graph_def = graph.as_graph_def()
        name = "blueoil_old" if old_names else "blueoil_new"
        add(name, ROUNDED, graph_def, [images])
        expected = CASES[-1][4]
        without_bodies(graph_def)
        add(name + "_without_bodies", ROUNDED, graph_def, [images], expected)

    for old_names in (True, False):  # weights of 0
        for per_channel in (True, False):
            case(f"blueoil_zeros_{'old' if old_names else 'new'}_{'channels' if per_channel else 'tensor'}",
                 lambda x: tf.nn.conv2d(x, Blueoil(old_names).weights(const("w", 3, 3, 3, 5), per_channel), 1, "SAME"),
                 (1, 5, 6, 3), tolerance=ROUNDED)

    def grid(name, *dims):  # all of the range, steps and halves between them among it
        return numpy.linspace(-0.5, 2.5, int(numpy.prod(dims)), dtype=numpy.float32).reshape(dims)

    for bits in (1, 2, 3, 8):
        for bodies in (True, False):
            with tf.Graph().as_default() as graph:
                x = v1.placeholder(FLOATS, [1, 5, 5, 13], name="x")
                tf.identity(Blueoil(True).activation(x, bits, 2.0 if bits != 3 else 1.7), name="output")
                graph_def = graph.as_graph_def()
            expected = run(graph_def, [("x", grid("x", 1, 5, 5, 13))])
            if not bodies:
                without_bodies(graph_def)
            add(f"mid_tread_half_{bits}_{'body' if bodies else 'name'}", EXACT, graph_def,
                [("x", grid("x", 1, 5, 5, 13))], expected)


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
    for make in (layers, channels_first, arithmetic, moves, fake_quant, functions, blueoil):
        make()
    out = b"BNNCASE1" + struct.pack("<I", len(CASES))
    for name, tolerance, model, inputs, outputs in CASES:
        out += write_string(name) + struct.pack("<f", tolerance) + write_string(model)
        for tensors in (inputs, outputs):
            out += struct.pack("<I", len(tensors)) + b"".join(write_tensor(key, array) for key, array in tensors)
    path = folder / "graphdef.cases.gz"
    path.write_bytes(gzip.compress(out, 9, mtime=0))
    print(f"{path}: {len(CASES)} cases, {len(out)} bytes, {path.stat().st_size} compressed")


main()
