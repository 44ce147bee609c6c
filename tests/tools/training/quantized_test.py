"""Blueoil's quantizers: as functions against their formulas in double precision, on a model, and as ONNX files."""

import math
import pathlib
import tempfile
import unittest
import warnings

import torch
from torch import nn

import bnn_training
from bnn_training import functions
from support import PROGRAMS, Batches, Net, convert_and_run, evaluate, loss, seen_by_layers

SHAPES = ((3, 2, 3, 3), (4, 1, 1, 1), (5, 7))  # of Conv2d and Linear


def config(**fields):
    """Convolutions behind the first one and the classifier."""
    params = bnn_training.StageParams(activations_quant_start_epoch=1, weights_quant_start_epoch=2, base_lr=0.01)
    return bnn_training.QuantizationConfig(
        params=params, ignored_scopes=["Net/Conv2d[conv1]"], input_shapes=[[1, 1, 8, 8]], **fields
    )


class FunctionsTest(unittest.TestCase):
    """The formulas are computed number by number, in Python's own double precision."""

    def check_weights(self, function, scale_of):
        """scale_of(all filters, one of them) -> the factor of that one's signs."""
        for shape in SHAPES:
            torch.manual_seed(len(shape))
            weight = torch.randn(shape, dtype=torch.float64)
            weight.view(-1)[0] = 0.0
            filters = weight.flatten(1).tolist()
            expected = [[scale_of(filters, one) * (1 if w >= 0 else -1) for w in one] for one in filters]
            for dtype in (torch.float64, torch.float32):
                leaf = weight.to(dtype).clone().requires_grad_()
                grad = torch.randn(shape, dtype=dtype)
                out = function(leaf)
                out.backward(grad)
                self.assertEqual(out.dtype, dtype)
                actual = out.detach().double().flatten(1)
                torch.testing.assert_close(actual, torch.tensor(expected, dtype=torch.float64), rtol=1e-6, atol=1e-6)
                self.assertTrue(torch.equal(leaf.grad, grad))

    def test_mean_scaling(self):
        def scale(filters, one):
            return math.fsum(abs(w) for row in filters for w in row) / sum(len(row) for row in filters)

        self.check_weights(functions.binary_mean_scaling, scale)

    def test_channel_wise_mean_scaling(self):
        self.check_weights(
            functions.binary_channel_wise_mean_scaling, lambda filters, one: math.fsum(map(abs, one)) / len(one)
        )

    def test_weight_of_zero_is_positive(self):
        weight = torch.tensor([[0.0, -0.0, 1.0, -1.0]])
        for function in (functions.binary_mean_scaling, functions.binary_channel_wise_mean_scaling):
            self.assertEqual(function(weight).tolist(), [[0.5, 0.5, 0.5, -0.5]])

    def test_backward_of_the_user(self):
        for function in (functions.binary_mean_scaling, functions.binary_channel_wise_mean_scaling):
            weight = torch.tensor([[0.5, -2.0, 1.0]], requires_grad=True)
            function(weight, lambda w, grad: grad * (w.abs() <= 1)).backward(torch.tensor([[3.0, 4.0, 5.0]]))
            self.assertEqual(weight.grad.tolist(), [[3.0, 0.0, 5.0]])

    def test_mid_tread_half(self):
        """Equal, not only near: the file that is exported has these operators, and a level must not hang on roundings."""
        for bits in (1, 2, 3, 4):
            for largest in (2.0, 1.0, 0.7):
                steps = 2**bits - 1
                x = torch.linspace(-0.5 * largest, 1.5 * largest, 997, dtype=torch.float64)
                edges = [0.0, -0.0, largest] + [largest * (i + 0.5) / steps for i in range(steps)]
                x = torch.cat([x, torch.tensor(edges, dtype=torch.float64)]).requires_grad_()
                out = functions.linear_mid_tread_half(x, bits, largest)
                expected = [
                    math.floor(min(max(v, 0.0), largest) / largest * steps + 0.5) / steps * largest for v in x.tolist()
                ]
                self.assertEqual(out.tolist(), expected)
                self.assertEqual(len(set(expected)), 2**bits)
                grad = torch.randn(x.shape, dtype=torch.float64)
                out.backward(grad)
                slopes = [g if 0 < v < largest else 0.0 for v, g in zip(x.tolist(), grad.tolist())]
                self.assertEqual(x.grad.tolist(), slopes)

    def test_halves_go_up(self):
        x = torch.tensor([0.25, 1 / 3, 0.999, 1.0, 1.7, 9.0], dtype=torch.float64)
        out = functions.linear_mid_tread_half(x, 2, 2.0) * 1.5
        torch.testing.assert_close(out, torch.tensor([0.0, 1, 1, 2, 3, 3], dtype=torch.float64))


class ModelTest(unittest.TestCase):
    def test_layers_see_levels_and_two_values(self):
        for bits in (1, 2, 4):
            torch.manual_seed(1)
            controller, model = bnn_training.create_quantized_model(Net(), config(activation_bits=bits))
            x = torch.randn(64, 1, 8, 8)
            torch.manual_seed(1)
            self.assertTrue(torch.equal(Net()(x), model(x)))  # the quantizers begin disabled
            controller.enable_activations()
            controller.enable_weights()
            seen = seen_by_layers(controller)
            model(4 * x)
            names = ["layer1.0.conv1", "layer1.1.downsample.0", "layer1.1.conv1", "fc"]
            self.assertEqual(list(seen), names)
            levels = {torch.tensor(i / (2**bits - 1) * 2.0).item() for i in range(2**bits)}
            for layer in controller.layers:
                values, weight = seen[layer.name]
                self.assertLessEqual({round(v, 5) for v in values.unique().tolist()}, {round(v, 5) for v in levels})
                for one in weight.flatten(1):
                    self.assertEqual(len(one.abs().unique()), 1)
            self.assertEqual(len(seen["layer1.0.conv1"][0].unique()), 2**bits)

    def test_quantizer_and_backward_of_the_configuration(self):
        for quantizer, scales in (("binary_mean_scaling", 1), ("binary_channel_wise_mean_scaling", 8)):
            controller, model = bnn_training.create_quantized_model(
                Net(), config(weight_quantizer=quantizer, weight_backward=lambda w, grad: torch.full_like(w, 7.0))
            )
            controller.enable_weights()
            model(torch.rand(2, 1, 8, 8)).sum().backward()
            self.assertEqual(len(controller.layers[0].module.weight.abs().unique()), scales)
            self.assertEqual(controller.layers[0].latent_weight.grad.unique().tolist(), [7.0])

    def test_configurations_that_are_wrong(self):
        for fields in (
            {"weight_quantizer": "xnor"},
            {"weight_backward": "straight through"},
            {"activation_bits": 0},
            {"activation_bits": 5},
            {"activation_bits": 2.0},
            {"activation_max": 0},
            {"activation_max": float("inf")},
            {"activation_max": float("nan")},
        ):
            with self.assertRaises(bnn_training.ConfigError) as caught:
                config(**fields)
            self.assertIn(next(iter(fields)), str(caught.exception))

    def test_scope_that_names_nothing(self):
        with self.assertRaises(bnn_training.ScopeError):
            bnn_training.create_quantized_model(Net(), bnn_training.QuantizationConfig(target_scopes=["Net/Conv2d[x]"]))

    def test_learns(self):
        torch.manual_seed(3)
        controller, model = bnn_training.create_quantized_model(Net(), config())
        trainer = bnn_training.Trainer(controller, Batches, loss, evaluate, show=lambda line: None)
        trainer.train(4)
        self.assertTrue(controller.fully_enabled)
        self.assertGreater(trainer.history[-1]["accuracy"], 0.9)


class ExportTest(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = self.folder / "net.onnx"

    def exported(self, **fields):
        """A network with all quantizers and statistics of its own, in evaluation mode, and its logits of some images."""
        torch.manual_seed(5)
        controller, model = bnn_training.create_quantized_model(Net(), config(**fields))
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight), nn.init.normal_(module.bias)
        controller.enable_activations()
        controller.enable_weights()
        model.train()(torch.rand(64, 1, 8, 8))  # statistics
        x = torch.rand(6, 1, 8, 8)
        with torch.no_grad():
            logits = model.eval()(x)
        bnn_training.export_onnx(controller, self.path)
        return x, logits

    def test_form(self):
        try:
            import onnx
        except ImportError as error:
            self.skipTest(str(error))
        self.exported()
        model = onnx.load(str(self.path))
        self.assertEqual([opset.domain for opset in model.opset_import], [""])
        produced = {node.output[0]: node for node in model.graph.node}
        layers = [n for n in model.graph.node if n.op_type in ("Conv", "Gemm") and n.input[1] in produced]
        self.assertEqual(len(layers), 4)
        for layer in layers:
            node, operators = produced[layer.input[0]], []
            while len(operators) < 7:
                operators.insert(0, node.op_type)
                node = produced[node.input[0]]
            self.assertEqual(operators, ["Clip", "Div", "Mul", "Add", "Floor", "Div", "Mul"], layer.name)
            self.assertEqual(produced[layer.input[1]].op_type, "Where", layer.name)

    def test_onnxruntime_computes_what_pytorch_does(self):
        try:
            import onnxruntime
        except ImportError as error:
            self.skipTest(str(error))
        for bits in (1, 2, 3, 4):
            for quantizer in ("binary_mean_scaling", "binary_channel_wise_mean_scaling"):
                x, expected = self.exported(activation_bits=bits, weight_quantizer=quantizer)
                session = onnxruntime.InferenceSession(str(self.path), providers=["CPUExecutionProvider"])
                (actual,) = session.run(None, {"input": x.numpy()})
                torch.testing.assert_close(torch.from_numpy(actual), expected, rtol=1e-5, atol=1e-5)

    def test_engine_computes_what_pytorch_does(self):
        if not PROGRAMS:
            self.skipTest("bnn-convert and bnn-run were not given")
        for bits, values in ((1, "{0, 2}"), (2, "{0, 0.666667, 1.33333, 2}"), (4, "16 values from 0 to 2")):
            x, expected = self.exported(activation_bits=bits)
            actual, layers = convert_and_run(self, self.folder, self.path, x, 4)
            torch.testing.assert_close(actual.reshape(expected.shape), expected, rtol=1e-4, atol=1e-4)
            for layer in layers:
                self.assertIn(f"activations {values}", layer["reason"])
