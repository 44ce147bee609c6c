"""What is compared with what."""

import dataclasses
import pathlib

# How far outputs may differ, as |a - b| / |a| over all outputs. Engines add floats in another order. In a float network
# that is all; in a binary one a value next to its threshold may, in one engine or the other, become the other bit.
FLOAT_TOLERANCE = 1e-4
BINARY_TOLERANCE = 0.05


@dataclasses.dataclass(frozen=True)
class Competitor:
    """An engine with a file."""

    name: str
    engine: str  # the module <engine>_engine.py, and the environment that it runs in
    file: str  # in the work folder; prepare.py says how it is made
    options: dict[str, str] = dataclasses.field(default_factory=dict)
    # Whether it computes what the others of its network do. Quantized to int8 it is another function.
    same_function: bool = True


@dataclasses.dataclass(frozen=True)
class Network:
    """Competitors that run the same layers with the same weights."""

    name: str
    tolerance: float
    competitors: list[Competitor]


@dataclasses.dataclass(frozen=True)
class Target:
    """`ours` shall be `factor` times as fast as `theirs`. Both are (network, competitor)."""

    ours: tuple[str, str]
    theirs: tuple[str, str]
    factor: float


BNN = "bnn"
BNN_TFLITE = "bnn, .tflite"  # converted from the very file that Larq Compute Engine runs
BNN_INT8 = "bnn int8"  # its float layers, quantized after training
OPENVINO_BINARY = "OpenVINO BinaryConvolution"


def binary_network(name: str) -> Network:
    """A binary network that exists as NAME.onnx and NAME.bnn."""
    return Network(
        name,
        BINARY_TOLERANCE,
        [
            Competitor(BNN, "bnn", f"{name}.bnn"),
            Competitor(OPENVINO_BINARY, "openvino", f"{name}.binary.xml"),
            Competitor("OpenVINO f32", "openvino", f"{name}.onnx"),
            Competitor("ONNX Runtime f32", "onnxruntime", f"{name}.onnx"),
        ],
    )


def _with(network: Network, *competitors: Competitor) -> Network:
    return dataclasses.replace(network, competitors=[*network.competitors, *competitors])


RESNET18 = Network(
    "resnet18",
    FLOAT_TOLERANCE,
    [
        Competitor("OpenVINO f32", "openvino", "resnet18.onnx"),
        Competitor("OpenVINO bf16", "openvino", "resnet18.onnx", {"precision": "bf16"}, same_function=False),
        Competitor("OpenVINO int8", "openvino", "resnet18.int8.xml", same_function=False),
        Competitor("ONNX Runtime f32", "onnxruntime", "resnet18.onnx"),
    ],
)
BI_REAL_NET = _with(
    binary_network("bi-real-net-18"),
    Competitor(BNN_INT8, "bnn", "bi-real-net-18.int8.bnn", same_function=False),
    Competitor("OpenVINO BinaryConvolution, int8", "openvino", "bi-real-net-18.binary.int8.xml", same_function=False),
)
QUICKNET = _with(
    binary_network("quicknet"),
    Competitor(BNN_TFLITE, "bnn", "quicknet.tflite.bnn"),
    Competitor("Larq CE default", "larq", "quicknet.tflite"),
    Competitor("Larq CE indirect", "larq", "quicknet.tflite", {"kernels": "indirect"}),
)
NETWORKS = [RESNET18, BI_REAL_NET, QUICKNET]

TARGETS = [
    Target(("bi-real-net-18", BNN_INT8), ("resnet18", "OpenVINO f32"), 8),
    Target(("bi-real-net-18", BNN_INT8), ("resnet18", "OpenVINO int8"), 2.5),
    Target(("bi-real-net-18", BNN_INT8), ("bi-real-net-18", OPENVINO_BINARY), 2),
    Target(("bi-real-net-18", BNN), ("resnet18", "OpenVINO f32"), 8),
    Target(("bi-real-net-18", BNN), ("resnet18", "OpenVINO int8"), 2.5),
    Target(("bi-real-net-18", BNN), ("bi-real-net-18", OPENVINO_BINARY), 2),
    Target(("quicknet", BNN_TFLITE), ("quicknet", "Larq CE default"), 20),
    Target(("quicknet", BNN_TFLITE), ("quicknet", "Larq CE indirect"), 20),
]


def network_of_file(source: pathlib.Path) -> Network:
    """The comparison on somebody's own binary network, an ONNX file."""
    return binary_network(source.stem)
