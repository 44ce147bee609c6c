"""The ONNX files of this package and of NNCF itself: their form, and what the engine makes of them."""

import inspect
import json
import pathlib
import tempfile
import unittest
import warnings

import numpy
import torch

import bnn_training
from support import DOCUMENTED, HERE, PROGRAMS, Net, convert_and_run, documented, make_trainer, tensor


class ExportTest(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore")
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name) / "net.onnx"

    def trained(self):
        trainer = make_trainer()
        trainer.train(3)
        return trainer.controller, trainer.model.eval()

    def test_refuses_a_stage_before_the_last(self):
        controller, _ = bnn_training.create_binarized_model(Net(), documented())
        controller.enable_activations()
        with self.assertRaises(ValueError):
            bnn_training.export_onnx(controller, self.path)

    def test_form(self):
        try:
            import onnx
        except ImportError as error:
            self.skipTest(str(error))
        controller, model = self.trained()
        x = torch.rand(2, 1, 8, 8)
        before = model(x)
        bnn_training.export_onnx(controller, self.path)
        self.assertTrue(torch.equal(model(x), before))
        graph = onnx.load(str(self.path)).graph
        quantizers = [node for node in graph.node if node.op_type == "FakeQuantize"]
        self.assertEqual(len(quantizers), 4)
        for node in quantizers:
            self.assertEqual(node.domain, "org.openvinotoolkit")
            self.assertEqual([(a.name, a.i) for a in node.attribute], [("levels", 2)])
        self.assertEqual(sum(node.op_type == "BatchNormalization" for node in graph.node), 2)
        produced = {node.output[0]: node for node in graph.node}
        for node in graph.node:
            if node.op_type == "Conv" and node.input[1] in produced:
                self.assertEqual(produced[node.input[0]].op_type, "FakeQuantize", node.name)
                self.assertEqual(produced[node.input[1]].op_type, "FakeQuantize", node.name)

    def test_layers_in_float_keep_weights_and_batch_norm(self):
        try:
            import onnx
        except ImportError as error:
            self.skipTest(str(error))
        config = documented()
        config.target_scopes = []
        controller, _ = bnn_training.create_binarized_model(Net(), config)
        bnn_training.export_onnx(controller, self.path)
        graph = onnx.load(str(self.path)).graph
        self.assertEqual(sum(node.op_type == "BatchNormalization" for node in graph.node), 2)
        self.assertEqual(sum(node.op_type == "FakeQuantize" for node in graph.node), 0)
        self.assertIn("layer1.0.conv1.weight", [tensor.name for tensor in graph.initializer])

    def convert_and_run(self, *arguments):
        return convert_and_run(self, pathlib.Path(self.folder.name), *arguments)[0]

    def test_engine_computes_what_pytorch_does(self):
        if not PROGRAMS:
            self.skipTest("bnn-convert and bnn-run were not given")
        controller, model = self.trained()
        bnn_training.export_onnx(controller, self.path)
        x = torch.rand(5, 1, 8, 8)
        with torch.no_grad():
            expected = model(x)
        actual = self.convert_and_run(self.path, x, 2)
        torch.testing.assert_close(actual.reshape(expected.shape), expected, rtol=1e-4, atol=1e-4)

    def test_files_that_nncf_exported(self):
        if not PROGRAMS:
            self.skipTest("bnn-convert and bnn-run were not given")
        exported = json.loads((HERE / "data" / "nncf_exported.json").read_text())
        for mode in ("xnor", "dorefa"):
            x = tensor(exported[mode], "input", torch.float32)
            expected = tensor(exported[mode], "output", torch.float32)
            actual = self.convert_and_run(HERE / "data" / f"nncf_{mode}.onnx", x, 4)
            torch.testing.assert_close(actual.reshape(expected.shape), expected, rtol=1e-4, atol=1e-4)

    def check_converter_binarizes_as_pytorch(self, config, training):
        """A float ONNX file, a configuration and data give what this package has where training begins."""
        if not PROGRAMS:
            self.skipTest("bnn-convert and bnn-run were not given")
        torch.manual_seed(7)
        model, calibration, x = Net(), torch.rand(16, 1, 8, 8), torch.rand(5, 1, 8, 8)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.normal_(module.weight), torch.nn.init.normal_(module.bias)
        model.train()(torch.rand(64, 1, 8, 8))  # statistics
        model.eval()
        options = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
        options.update(training=training, do_constant_folding=False, dynamic_axes={"input": {0: "N"}})
        torch.onnx.export(
            model, calibration[:1], str(self.path), opset_version=13, input_names=["input"], **options
        )
        folder = pathlib.Path(self.folder.name)
        (folder / "config.json").write_text(config)
        numpy.save(folder / "calibration.npy", calibration.numpy())
        actual = self.convert_and_run(
            self.path, x, 2, "--binarize", str(folder / "config.json"), "--calibrate", str(folder / "calibration.npy")
        )
        controller, model = bnn_training.create_binarized_model(model, bnn_training.parse_config(config))
        controller.enable_activations()
        controller.enable_weights()
        for layer in controller.layers:  # the only part in training mode: batch-norm keeps its statistics
            layer.activation_binarizer.train()
        with torch.no_grad():
            model(calibration)
            expected = model(x)
        torch.testing.assert_close(actual.reshape(expected.shape), expected, rtol=1e-4, atol=1e-4)

    def test_binarized_by_the_converter_or_by_pytorch(self):
        self.check_converter_binarizes_as_pytorch(DOCUMENTED, torch.onnx.TrainingMode.PRESERVE)

    def test_binarized_by_the_converter_with_folded_batch_norm(self):
        """A factor for each filter scales xnor's means as it scales the filter."""
        config = DOCUMENTED.replace('"mode": "dorefa"', '"mode": "xnor"')
        self.check_converter_binarizes_as_pytorch(config, torch.onnx.TrainingMode.EVAL)
