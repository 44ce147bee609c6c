#!/usr/bin/env python3
"""Makes the networks of tflite_lce.cases and tflite_builtin.cases: one small network for each operator and option.

Usage: make_tflite_fixtures.py [FOLDER]    needs larq, larq-compute-engine and tensorflow (Python 3.9 to 3.11)

Expected outputs come from Larq Compute Engine's interpreter. All weights and inputs are random, from fixed seeds. The
container is that of make_onnx_fixtures.py: "BNNCASE1", u32 count, then for each case name, f32 tolerance, the file, and
its inputs and outputs as (name, u8 type 0, u32 rank, i64 dims, f32 elements). Strings are u32 length and bytes. The
tolerance is relative to max(1, |expected|), or absolute where it is negative (one step of an int8 output); 0 is exact.
Elements of int8 tensors are written as the real numbers that they stand for.
"""

import dataclasses
import os
import pathlib
import struct
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import larq
import larq_compute_engine
import numpy
import tensorflow as tf
from flatbuffers import Builder, flexbuffers
from larq_compute_engine.tflite.python.interpreter import Interpreter
from tensorflow.lite.python import schema_py_generated as schema

layers = tf.keras.layers

FLOAT_TOLERANCE = 1e-4


@dataclasses.dataclass
class Case:
    name: str
    tolerance: float
    model: bytes
    inputs: list[tuple[str, numpy.ndarray]]
    outputs: list[tuple[str, numpy.ndarray]]


def write_cases(path: pathlib.Path, cases: list[Case]) -> None:
    def string(data: bytes) -> bytes:
        return struct.pack("<I", len(data)) + data

    out = b"BNNCASE1" + struct.pack("<I", len(cases))
    for case in cases:
        out += string(case.name.encode()) + struct.pack("<f", case.tolerance) + string(case.model)
        for tensors in (case.inputs, case.outputs):
            out += struct.pack("<I", len(tensors))
            for name, array in tensors:
                out += string(name.encode()) + struct.pack("<BI", 0, array.ndim)
                out += struct.pack(f"<{array.ndim}q", *array.shape) + array.astype("<f4").tobytes()
    path.write_bytes(out)
    print(f"{path}: {len(cases)} cases, {len(out)} bytes")


# ---- Files


def unpack(model: bytes) -> schema.ModelT:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))


def pack(model: schema.ModelT) -> bytes:
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def lce_operators(model: schema.ModelT, name: bytes) -> list[schema.OperatorT]:
    codes = [i for i, code in enumerate(model.operatorCodes) if code.customCode == name]
    return [op for op in model.subgraphs[0].operators if op.opcodeIndex in codes]


def change_options(model: bytes, name: bytes, change) -> bytes:
    """`change` takes the options of each operator `name` as a dict."""
    parsed = unpack(model)
    operators = lce_operators(parsed, name)
    assert operators, name
    for op in operators:
        options = flexbuffers.Loads(bytes(op.customOptions))
        change(options)
        op.customOptions = numpy.frombuffer(bytes(flexbuffers.Dumps(options)), numpy.uint8)
    return pack(parsed)


def without_quantize(model: bytes) -> bytes:
    """LceBconv2d reads the floats that LceQuantize reads: the form of old files."""
    parsed = unpack(model)
    graph = parsed.subgraphs[0]
    quantizers = lce_operators(parsed, b"LceQuantize")
    source = {op.outputs[0]: op.inputs[0] for op in quantizers}
    for op in lce_operators(parsed, b"LceBconv2d"):
        op.inputs = numpy.array([source.get(i, i) for i in op.inputs], numpy.int32)
    graph.operators = [op for op in graph.operators if op not in quantizers]
    return pack(parsed)


def with_int8_output(model: bytes, scale: float, zero_point: int) -> bytes:
    """The last LceBconv2d, which makes the output, makes it as int8."""
    parsed = unpack(model)
    output = parsed.subgraphs[0].tensors[parsed.subgraphs[0].outputs[0]]
    output.type = schema.TensorType.INT8
    output.quantization = schema.QuantizationParametersT()
    output.quantization.scale = numpy.array([scale], numpy.float32)
    output.quantization.zeroPoint = numpy.array([zero_point], numpy.int64)
    return pack(parsed)


# ---- Expected outputs


def run(model: bytes, inputs: list[numpy.ndarray]) -> tuple[list, list, list[float]]:
    """Names and real values of inputs and outputs, and the steps of the outputs (0: floats)."""
    graph = unpack(model).subgraphs[0]

    def quantization(index: int) -> tuple[float, int]:
        q = graph.tensors[index].quantization
        is_int8 = graph.tensors[index].type in (schema.TensorType.INT8, schema.TensorType.UINT8)
        return (float(q.scale[0]), int(q.zeroPoint[0])) if is_int8 else (0.0, 0)

    def name(index: int) -> str:
        return graph.tensors[index].name.decode()

    # Of its kernels, the reference takes all networks (the default one has no groups).
    interpreter = Interpreter(model, use_reference_bconv=True)
    fed, named = [], []
    for index, dtype, array in zip(graph.inputs, interpreter.input_types, inputs):
        scale, zero_point = quantization(index)
        if scale:
            info = numpy.iinfo(dtype)
            array = numpy.clip(numpy.round(array / scale) + zero_point, info.min, info.max).astype(dtype)
            named.append((name(index), (array.astype(numpy.float32) - zero_point) * numpy.float32(scale)))
        else:
            named.append((name(index), array.astype(numpy.float32)))
        fed.append(array.astype(dtype))
    result = interpreter.predict(fed if len(fed) > 1 else fed[0])
    result = result if isinstance(result, list) else [result]
    producers = {index: op for op in graph.operators for index in op.outputs}
    outputs, steps = [], []
    for index, array in zip(graph.outputs, result):
        scale, zero_point = quantization(index)
        array = numpy.asarray(array)
        # Behind a DEQUANTIZE the step is that of what it reads.
        steps.append(scale or (quantization(producers[index].inputs[0])[0] if index in producers else 0.0))
        outputs.append((name(index), (array.astype(numpy.float32) - zero_point) * numpy.float32(scale) if scale else array))
    return named, outputs, steps


def random_inputs(model: bytes, seed: int, scale: float = 2.0) -> list[numpy.ndarray]:
    generator = numpy.random.default_rng(seed)
    graph = unpack(model).subgraphs[0]
    return [generator.uniform(-scale, scale, graph.tensors[i].shape).astype(numpy.float32) for i in graph.inputs]


def make_case(name: str, model: bytes, exact: bool = False, expected_from: bytes | None = None) -> Case:
    """`expected_from`: the network that is run, where the interpreter does not take `model` itself."""
    inputs, outputs, steps = run(expected_from or model, random_inputs(model, len(name)))
    tolerance = 0.0 if exact else -1.01 * max(steps) if max(steps) else FLOAT_TOLERANCE
    return Case(name, tolerance, model, inputs, outputs)


# ---- Larq Compute Engine


def randomize(model: tf.keras.Model, seed: int = 1) -> tf.keras.Model:
    """Random weights and batch-norm statistics: scales of both signs, no neutral element anywhere."""
    generator = numpy.random.default_rng(seed)
    for layer in model.layers:
        weights = layer.get_weights()
        if isinstance(layer, layers.BatchNormalization):
            for i, variable in enumerate(layer.weights):
                shape = variable.shape
                if "variance" in variable.name:
                    weights[i] = generator.uniform(0.5, 2, shape)
                elif "gamma" in variable.name:
                    weights[i] = generator.uniform(0.5, 1.5, shape) * generator.choice([-1, 1], shape)
                else:
                    weights[i] = generator.normal(0, 2, shape)
        else:
            weights = [w + generator.normal(0, 0.5, w.shape) for w in weights]
        layer.set_weights(weights)
    return model


def binary_conv(x, filters: int, kernel, **options):
    options = {"padding": "same", "pad_values": 1.0} | options
    if options["padding"] == "valid":
        options.pop("pad_values")
    return larq.layers.QuantConv2D(
        filters, kernel, input_quantizer="ste_sign", kernel_quantizer="ste_sign", use_bias=False, **options
    )(x)


def convert(x, y, **options) -> bytes:
    return larq_compute_engine.convert_keras_model(randomize(tf.keras.Model(x, y)), **options)


def lce_network(shape, build, **options) -> bytes:
    """Floats in and out, so that packed tensors lie inside."""
    x = tf.keras.Input(shape)
    return convert(x, build(x), **options)


def norm(x):
    return layers.BatchNormalization()(x)


def lce_cases() -> list[Case]:
    cases = []

    def add(name: str, shape, build, exact: bool = False, **options) -> bytes:
        model = lce_network(shape, build, **options)
        cases.append(make_case(name, model, exact))
        return model

    for kernel, stride, size in ((3, 1, 6), (3, 2, 7), (3, 2, 8), (2, 1, 5), ((1, 5), (2, 1), 6), (1, 1, 5)):
        for padding, value in (("same", 1.0), ("same", 0.0), ("valid", 0.0)):
            label = f"{kernel}s{stride}_{size}_{padding}_{'one' if value else 'zero'}".replace(", ", "x")
            add(
                f"bconv_{label}",
                (size, size, 8),
                lambda x: norm(binary_conv(x, 5, kernel, strides=stride, padding=padding, pad_values=value)),
            )
    add("bconv_dilated", (9, 8, 8), lambda x: binary_conv(x, 4, 3, dilation_rate=2))
    add("bconv_dilated_zero", (9, 8, 8), lambda x: binary_conv(x, 4, 3, dilation_rate=(2, 3), pad_values=0.0))
    for channels in (1, 31, 32, 33, 70):
        add(f"bconv_channels_{channels}", (4, 5, channels), lambda x: norm(binary_conv(x, 3, 3)))
    add("bconv_groups", (5, 4, 64), lambda x: norm(binary_conv(x, 6, 3, groups=2)))
    add("bconv_groups_3", (5, 4, 96), lambda x: norm(binary_conv(x, 6, 3, groups=3)))
    # The activation stands before multiply and add.
    for activation in ("relu", tf.nn.relu6, lambda x: tf.clip_by_value(x, -1.0, 1.0)):
        label = {"relu": "relu", tf.nn.relu6: "relu6"}.get(activation, "relu_n1_to_1")
        add(f"bconv_{label}", (5, 5, 16), lambda x: norm(layers.Activation(activation)(binary_conv(x, 6, 3))))
    # Bits between: thresholds decide; only the last one gives floats.
    add(
        "bconv_packed_output",
        (7, 7, 12),
        lambda x: binary_conv(norm(binary_conv(norm(binary_conv(x, 40, 3)), 33, 3, padding="valid")), 6, 3),
        exact=True,
    )
    add(
        "bconv_packed_output_relu",
        (6, 6, 12),
        lambda x: binary_conv(norm(layers.ReLU()(binary_conv(x, 34, 3))), 6, 3),
        exact=True,
    )
    add("bmaxpool", (6, 6, 40), lambda x: binary_conv(layers.MaxPool2D(2)(larq.quantizers.SteSign()(x)), 5, 3))
    add(
        "bmaxpool_same",
        (7, 6, 9),
        lambda x: binary_conv(layers.MaxPool2D((3, 2), (2, 1), "same")(larq.quantizers.SteSign()(x)), 5, 3),
    )
    add("lce_dequantize", (4, 4, 35), lambda x: larq.quantizers.SteSign()(x), exact=True)
    add(
        "residual",
        (6, 6, 32),
        lambda x: layers.Add()([norm(binary_conv(x, 32, 3)), x]),
    )
    add(
        "binary_dense",
        (3, 4, 6),
        lambda x: larq.layers.QuantDense(5, input_quantizer="ste_sign", kernel_quantizer="ste_sign", use_bias=False)(
            layers.Flatten()(x)
        ),
    )
    add(
        "bits_flattened",
        (5, 5, 34),
        lambda x: larq.layers.QuantDense(5, input_quantizer="ste_sign", kernel_quantizer="ste_sign", use_bias=False)(
            layers.Flatten()(norm(binary_conv(x, 34, 3, padding="valid")))
        ),
    )
    for zero_point, limits in (("low", (-3, 5)), ("none", (-4, 4))):
        add(
            f"int8_around_{zero_point}",
            (5, 6, 32),
            lambda x: layers.MaxPool2D(2)(norm(binary_conv(x, 8, 3))),
            exact=True,
            inference_input_type=tf.int8,
            inference_output_type=tf.int8,
            experimental_default_int8_range=limits,
        )
    for name, scale, zero_point, build in (
        ("int8_output", 0.37, 5, lambda x: norm(binary_conv(x, 8, 3))),
        ("int8_output_relu", 0.53, -20, lambda x: norm(layers.ReLU()(binary_conv(x, 8, 3, padding="valid")))),
    ):
        cases.append(make_case(name, with_int8_output(lce_network((6, 6, 40), build), scale, zero_point), exact=True))
    # Old files.
    base = lce_network((7, 6, 33), lambda x: norm(binary_conv(x, 5, 3, strides=2)))
    valid = lce_network((7, 6, 33), lambda x: norm(binary_conv(x, 5, 3, strides=2, padding="valid")))

    def renumber(options: dict) -> None:
        options["padding"] += 1

    cases.append(make_case("old_padding_same", change_options(base, b"LceBconv2d", renumber), expected_from=base))
    cases.append(make_case("old_padding_valid", change_options(valid, b"LceBconv2d", renumber), expected_from=valid))
    cases.append(make_case("old_float_input", without_quantize(base), expected_from=base))
    return cases


# ---- TensorFlow Lite


def lite_network(build, shapes, int8: bool = False, inputs_int8: bool = False) -> bytes:
    signature = [tf.TensorSpec(shape, tf.float32, name=f"x{i}") for i, shape in enumerate(shapes)]
    function = tf.function(build, input_signature=signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    if int8:
        generator = numpy.random.default_rng(7)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [generator.uniform(-2, 2, shape).astype(numpy.float32) for shape in shapes] for _ in range(20)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        if inputs_int8:
            converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def weights(*shape, seed: int = 3):
    return tf.constant(numpy.random.default_rng(seed).normal(0, 0.7, shape).astype(numpy.float32))


MAP = (1, 6, 5, 4)


def builtin_networks() -> dict:
    """Name -> (function, shapes of its inputs)."""
    relu_n1 = lambda x: tf.maximum(-1.0, tf.minimum(x, 1.0))  # noqa: E731
    networks = {
        "conv_same": (lambda x: tf.nn.conv2d(x, weights(3, 3, 4, 7), 1, "SAME"), [MAP]),
        "conv_same_stride": (lambda x: tf.nn.conv2d(x, weights(3, 2, 4, 7), (2, 3), "SAME"), [MAP]),
        "conv_valid_bias_relu": (
            lambda x: tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, weights(3, 3, 4, 7), 2, "VALID"), weights(7))),
            [MAP],
        ),
        "conv_relu6": (lambda x: tf.nn.relu6(tf.nn.conv2d(x, weights(1, 1, 4, 7), 1, "SAME")), [MAP]),
        "conv_relu_n1_to_1": (lambda x: relu_n1(tf.nn.conv2d(x, weights(1, 1, 4, 7), 1, "SAME")), [MAP]),
        "conv_dilated": (lambda x: tf.nn.conv2d(x, weights(3, 3, 4, 3), 1, "SAME", dilations=2), [(1, 9, 9, 4)]),
        "conv_groups": (lambda x: tf.nn.conv2d(x, weights(3, 3, 2, 6), 1, "SAME"), [MAP]),
        "depthwise": (lambda x: tf.nn.depthwise_conv2d(x, weights(3, 3, 4, 1), (1, 2, 2, 1), "SAME"), [MAP]),
        "depthwise_multiplier": (
            lambda x: tf.nn.relu6(tf.nn.depthwise_conv2d(x, weights(3, 3, 4, 3), (1, 1, 1, 1), "VALID")),
            [MAP],
        ),
        "fully_connected": (
            lambda x: tf.nn.relu(tf.matmul(tf.reshape(x, (1, -1)), weights(120, 5)) + weights(5)),
            [MAP],
        ),
        "fully_connected_keep_dims": (lambda x: tf.matmul(x, weights(6, 5)), [(1, 3, 6)]),
        "max_pool": (lambda x: tf.nn.max_pool2d(x, (3, 2), 2, "SAME"), [MAP]),
        "average_pool": (lambda x: tf.nn.avg_pool2d(x, 3, 2, "SAME"), [MAP]),
        "average_pool_valid": (lambda x: tf.nn.avg_pool2d(x, 2, 1, "VALID"), [MAP]),
        "mean": (lambda x: tf.reduce_mean(x, (1, 2)), [MAP]),
        "mean_keep_dims": (lambda x: tf.reduce_mean(x, (1, 2), keepdims=True), [MAP]),
        "concat_channels": (lambda x, y: tf.concat((x, y), 3), [MAP, (1, 6, 5, 3)]),
        "concat_rows": (lambda x, y: tf.concat((x, y), 1), [MAP, (1, 2, 5, 4)]),
        "split": (lambda x: tf.split(x, 2, 3), [MAP]),
        "split_sizes": (lambda x: tf.split(x, [1, 4, 1], 1), [MAP]),
        "slice": (lambda x: tf.slice(x, (0, 1, 2, 1), (1, 3, 3, 2)), [MAP]),
        "strided_slice": (lambda x: x[:, 1::2, :-1, 1:3], [MAP]),
        "strided_slice_shrink": (lambda x: x[:, 2, :, 1:], [MAP]),
        "pad": (lambda x: tf.pad(x, ((0, 0), (1, 2), (3, 0), (0, 1))), [MAP]),
        "pad_value": (lambda x: tf.pad(x, ((0, 0), (1, 2), (3, 0), (0, 1)), constant_values=0.5), [MAP]),
        "mirror_pad": (lambda x: tf.pad(x, ((0, 0), (1, 2), (3, 0), (0, 0)), "REFLECT"), [MAP]),
        "mirror_pad_symmetric": (lambda x: tf.pad(x, ((0, 0), (1, 2), (3, 0), (0, 0)), "SYMMETRIC"), [MAP]),
        "transpose_conv_same": (
            lambda x: tf.nn.conv2d_transpose(x, weights(3, 3, 5, 4), (1, 12, 10, 5), 2, "SAME"),
            [MAP],
        ),
        "transpose_conv_valid": (
            lambda x: tf.nn.conv2d_transpose(x, weights(2, 3, 5, 4), (1, 13, 11, 5), 2, "VALID"),
            [MAP],
        ),
        **{
            f"resize_{method}_{name}": (lambda x, run=run, options=options: run(x, (9, 8), **options), [MAP])
            for method, run in (
                ("bilinear", tf.compat.v1.image.resize_bilinear),
                ("nearest", tf.compat.v1.image.resize_nearest_neighbor),
            )
            for name, options in (
                ("plain", {}),
                ("corners", {"align_corners": True}),
                ("half_pixels", {"half_pixel_centers": True}),
            )
        },
        "elu": (lambda x: tf.nn.elu(x), [MAP]),
        "reshape": (lambda x: tf.reshape(x, (1, 10, 3, 4)), [MAP]),
        "reshape_flat": (lambda x: tf.reshape(x, (1, 120)) + 1.0, [MAP]),
        "reshape_channels": (lambda x: tf.nn.relu(tf.reshape(x, (1, 15, 8))), [MAP]),
        "squeeze": (lambda x: tf.squeeze(tf.nn.avg_pool2d(x, (6, 5), 1, "VALID"), (1, 2)), [MAP]),
        "expand_dims": (lambda x: tf.nn.relu(tf.expand_dims(x, 1)), [(1, 5, 4)]),
        "transpose": (lambda x: tf.nn.relu(tf.transpose(x, (0, 2, 3, 1))), [MAP]),
        "transpose_3": (lambda x: tf.transpose(x, (0, 2, 1)), [(1, 5, 4)]),
        "add": (lambda x, y: x + y, [MAP, MAP]),
        "add_relu": (lambda x, y: tf.nn.relu(x + y), [MAP, MAP]),
        "sub_channel": (lambda x: weights(4) - x, [MAP]),
        "mul_map": (lambda x: tf.nn.relu6(x * weights(6, 5, 4)), [MAP]),
        "mul_rows": (lambda x: x * weights(6, 1, 1), [MAP]),
        "div": (lambda x: x / (tf.abs(weights(1, 1, 1, 4)) + 0.5), [MAP]),
        "maximum": (lambda x, y: tf.maximum(x, y), [MAP, MAP]),
        "minimum": (lambda x: tf.minimum(x, weights(4)), [MAP]),
        "relu": (lambda x: tf.nn.relu(x), [MAP]),
        "relu6": (lambda x: tf.nn.relu6(x * 4.0), [MAP]),
        "relu_n1_to_1": (lambda x: relu_n1(x), [MAP]),
        "prelu": (lambda x: tf.keras.layers.PReLU(shared_axes=(1, 2), alpha_initializer="glorot_uniform"), [MAP]),
        "leaky_relu": (lambda x: tf.nn.leaky_relu(x, 0.3), [MAP]),
        "hard_swish": (lambda x: x * tf.nn.relu6(x + 3.0) * (1.0 / 6.0), [MAP]),
        "logistic": (lambda x: tf.sigmoid(x), [MAP]),
        "tanh": (lambda x: tf.tanh(x), [MAP]),
        "softmax": (lambda x: tf.nn.softmax(x), [(1, 9)]),
        "softmax_map": (lambda x: tf.nn.softmax(x), [MAP]),
        "space_to_depth": (lambda x: tf.nn.space_to_depth(x, 2), [(1, 6, 4, 3)]),
        "depth_to_space": (lambda x: tf.nn.depth_to_space(x, 2), [(1, 3, 2, 12)]),
        "vector_input": (lambda x: tf.matmul(x, weights(7, 5)), [(1, 7)]),
    }
    return networks


# Those that have an int8 form of their own in TensorFlow Lite.
INT8_NETWORKS = (
    "conv_same", "conv_valid_bias_relu", "conv_relu6", "depthwise", "depthwise_multiplier", "fully_connected",
    "max_pool", "average_pool", "mean", "concat_channels", "split", "strided_slice", "pad", "reshape_flat", "squeeze",
    "transpose", "add", "add_relu", "sub_channel", "mul_map", "maximum", "relu", "relu6", "leaky_relu", "hard_swish",
    "logistic", "tanh", "softmax",
)  # fmt: skip


def prelu_network(x):
    return tf.nn.relu(x) - weights(1, 1, 4) * tf.nn.relu(-x)


def builtin_cases() -> list[Case]:
    networks = builtin_networks()
    networks["prelu"] = (prelu_network, [MAP])
    cases = [make_case(name, lite_network(*network)) for name, network in networks.items()]
    for name in INT8_NETWORKS:
        cases.append(make_case(f"{name}_int8", lite_network(*networks[name], int8=True)))
    cases.append(make_case("int8_ends", lite_network(*networks["conv_valid_bias_relu"], int8=True, inputs_int8=True)))
    return cases


def main() -> None:
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    write_cases(folder / "tflite_lce.cases", lce_cases())
    write_cases(folder / "tflite_builtin.cases", builtin_cases())


if __name__ == "__main__":
    main()
