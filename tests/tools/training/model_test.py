"""The binarizers as functions, against what NNCF computes, and on the layers of a model."""

import json
import unittest

import torch
from torch import nn

import bnn_training
from bnn_training import functions
from support import HERE, Net, documented, seen_by_layers, tensor


class FunctionsTest(unittest.TestCase):
    """Forwards and gradients are NNCF's own, to 1e-6."""

    def setUp(self):
        self.cases = json.loads((HERE / "data" / "nncf_functions.json").read_text())

    def check(self, case, name, actual, dtype):
        torch.testing.assert_close(actual.double(), tensor(case, name).reshape(actual.shape), rtol=1e-6, atol=1e-6)

    def check_weights(self, name, function, dtype):
        case = self.cases[name]
        weight = tensor(case, "weight", dtype).requires_grad_()
        out = function(weight)
        out.backward(tensor(case, "grad", dtype))
        self.check(case, "out", out.detach(), dtype)
        self.check(case, "grad_weight", weight.grad, dtype)

    def test_weights(self):
        for dtype in (torch.float64, torch.float32):
            self.check_weights("xnor", functions.binarize_weight_xnor, dtype)
            self.check_weights("dorefa", functions.binarize_weight_dorefa, dtype)

    def test_activations(self):
        case = self.cases["activation"]
        leaves = {name: tensor(case, name).requires_grad_() for name in ("x", "scale", "threshold")}
        out = functions.binarize_activation(leaves["x"], leaves["scale"], leaves["threshold"])
        out.backward(tensor(case, "grad"))
        self.check(case, "out", out.detach(), torch.float64)
        for name, leaf in leaves.items():
            self.check(case, f"grad_{name}", leaf.grad, torch.float64)

    def test_weight_of_zero_is_negative(self):
        weight = torch.tensor([0.0, -0.0, 1.0, -1.0]).reshape(1, 1, 2, 2)
        self.assertEqual(functions.binarize_weight_xnor(weight).flatten().tolist(), [-0.5, -0.5, 0.5, -0.5])

    def test_scales_differ(self):
        weight = torch.tensor([1.0, 3.0]).reshape(2, 1, 1, 1)
        self.assertEqual(functions.binarize_weight_xnor(weight).flatten().tolist(), [1.0, 3.0])
        self.assertEqual(functions.binarize_weight_dorefa(weight).flatten().tolist(), [2.0, 2.0])


class ModelTest(unittest.TestCase):
    def test_disabled_it_computes_what_it_did(self):
        torch.manual_seed(1)
        model, x = Net().eval(), torch.randn(2, 1, 8, 8)
        before = model(x)
        controller, model = bnn_training.create_binarized_model(model, documented())
        self.assertTrue(torch.equal(model(x), before))
        controller.enable_weights()
        self.assertFalse(torch.equal(model(x), before))

    def test_enabled_layers_see_two_values(self):
        torch.manual_seed(1)
        controller, model = bnn_training.create_binarized_model(Net(), documented())
        controller.enable_activations()
        controller.enable_weights()
        seen = seen_by_layers(controller)
        model.train()(torch.randn(4, 1, 8, 8))
        self.assertEqual(list(seen), ["layer1.0.conv1", "layer1.1.conv1"])
        for layer in controller.layers:
            x, weight = seen[layer.name]
            scale = layer.activation_binarizer.scale.exp()
            self.assertEqual(set(x.unique().tolist()), {0.0, scale.item()})
            self.assertEqual(len(weight.unique()), 2)  # dorefa: one scale for all filters
            self.assertTrue(torch.equal(weight > 0, layer.latent_weight > 0))

    def test_scale_starts_as_the_smallest_of_the_largest_thousandth(self):
        for count in (100, 499, 3000):
            config = bnn_training.BinarizationConfig()
            controller, model = bnn_training.create_binarized_model(nn.Sequential(nn.Conv2d(1, 1, 1)), config)
            controller.enable_activations()
            values = torch.arange(1.0, count + 1)
            model.eval()(values.reshape(1, 1, 1, -1))
            self.assertEqual(controller.layers[0].activation_binarizer.scale.item(), 0)  # not in evaluation
            model.train()(values.reshape(1, 1, 1, -1))
            expected = count - max(1, round(count * 0.001)) + 1
            self.assertAlmostEqual(controller.layers[0].activation_binarizer.scale.exp().item(), expected, delta=1e-2)
            model(10 * values.reshape(1, 1, 1, -1))
            self.assertAlmostEqual(controller.layers[0].activation_binarizer.scale.exp().item(), expected, delta=1e-2)

    def test_inputs_that_are_never_positive(self):
        controller, model = bnn_training.create_binarized_model(
            nn.Sequential(nn.Conv2d(1, 1, 1)), bnn_training.BinarizationConfig()
        )
        controller.enable_activations()
        with self.assertRaises(RuntimeError) as caught:
            model.train()(-torch.ones(1, 1, 4, 4))
        self.assertIn("Sequential/NNCFConv2d[0]/conv2d_0", str(caught.exception))

    def test_twice(self):
        _, model = bnn_training.create_binarized_model(Net(), documented())
        with self.assertRaises(ValueError):
            bnn_training.create_binarized_model(model, documented())

    def test_gradient_multiplier(self):
        grads = []
        for multiplier in (None, 3.0):
            torch.manual_seed(1)
            config = bnn_training.BinarizationConfig(compression_lr_multiplier=multiplier)
            controller, model = bnn_training.create_binarized_model(nn.Sequential(nn.Conv2d(1, 1, 1)), config)
            controller.enable_activations()
            model.train()(torch.rand(1, 1, 4, 4)).sum().backward()
            grads.append(controller.layers[0].activation_binarizer.scale.grad.item())
        self.assertAlmostEqual(grads[1], 3 * grads[0], places=5)

    def test_table(self):
        controller, _ = bnn_training.create_binarized_model(Net(), documented())
        table = controller.layer_table()
        macs = [row.macs for row in table.rows]
        self.assertEqual(macs, [72 * 64, 576 * 64, 128 * 16, 1152 * 16, 48])
        self.assertEqual([row.binarized for row in table.rows], [False, True, False, True, False])
        self.assertAlmostEqual(table.binarized_share, (macs[1] + macs[3]) / sum(macs))
        self.assertIn("% of them binarized", str(table))
