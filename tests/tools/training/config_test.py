"""The configuration, and the layers that its scopes name."""

import unittest

import bnn_training
from bnn_training import scopes
from support import Net, documented


class ConfigTest(unittest.TestCase):
    def test_documented(self):
        config = documented()
        self.assertEqual(config.mode, "dorefa")
        self.assertEqual(config.input_shapes, [[1, 1, 8, 8]])
        self.assertEqual(config.params.batch_multiplier, 2)
        self.assertEqual(config.params.base_wd, 0.001)
        self.assertEqual(len(config.ignored_scopes), 3)
        self.assertIsNone(config.target_scopes)
        self.assertEqual(config.unused_keys, ["epochs"])

    def test_defaults(self):
        config = bnn_training.parse_config({"compression": {"algorithm": "binarization"}})
        self.assertEqual(config.mode, "xnor")
        self.assertEqual((config.params.base_lr, config.params.base_wd), (1e-3, 1e-5))
        self.assertEqual(config.params.weights_quant_start_epoch, 1)
        self.assertEqual(config.params.lr_poly_drop_duration_epochs, 30)
        self.assertIsNone(config.params.lr_poly_drop_start_epoch)

    def test_comment_signs_in_strings(self):
        config = bnn_training.parse_config(
            '{"compression": {"algorithm": "binarization", "ignored_scopes": "a//b/*c*/\\",]"}}'
        )
        self.assertEqual(config.ignored_scopes, ['a//b/*c*/",]'])

    def test_errors_name_the_key(self):
        cases = [
            ('{"compresion": {}}', "unknown key 'compresion'"),
            ("{}", "'compression' is missing"),
            ("[]", "expected an object, found"),
            ('{"compression": 3}', "'compression': expected an object or a list of objects, found a number"),
            ('{"compression": []}', "expected one algorithm, found 0"),
            ('{"compression": {"algorithm": "quantization"}}', "'compression.algorithm'"),
            ('{"compression": {"mode": "xnor"}}', "'compression.algorithm'"),
            ('{"compression": {"algorithm": "binarization", "mode": "ternary"}}', "'compression.mode'"),
            ('{"compression": {"algorithm": "binarization", "bits": 1}}', "unknown key 'compression.bits'"),
            ('{"compression": {"algorithm": "binarization", "ignored_scopes": [1]}}', "'compression.ignored_scopes'"),
            ('{"compression": {"algorithm": "binarization", "target_scopes": {}}}', "'compression.target_scopes'"),
            ('{"compression": {"algorithm": "binarization", "params": []}}', "'compression.params'"),
            ('{"compression": {"algorithm": "binarization", "params": {"lr": 1}}}', "unknown key 'compression.params.lr'"),
            (
                '{"compression": {"algorithm": "binarization", "params": {"base_lr": "1e-3"}}}',
                "'compression.params.base_lr': expected a number, found a string",
            ),
            (
                '{"compression": {"algorithm": "binarization", "params": {"base_lr": true}}}',
                "'compression.params.base_lr': expected a number, found a truth value",
            ),
            (
                '{"compression": {"algorithm": "binarization", "params": {"weights_quant_start_epoch": 1.5}}}',
                "'compression.params.weights_quant_start_epoch': expected a whole number",
            ),
            (
                '{"compression": {"algorithm": "binarization", "params": {"batch_multiplier": 0}}}',
                "'compression.params.batch_multiplier'",
            ),
            ('{"compression": {"algorithm": "binarization"}, "input_info": {"sample_size": "8"}}', "input_info.sample_size"),
            ('{"compression": {"algorithm": "binarization"}, "input_info": {"size": [1]}}', "unknown key 'input_info.size'"),
            ('{"compression": {"algorithm": "binarization", "mode": "xnor", "mode": "xnor"}}', "'mode' occurs twice"),
            ('{"compression": {"algorithm": "binarization", "mode": 1}}', "'compression.mode': expected a string, found"),
            ('{"compression": {"algorithm": "binarization", "validate_scopes": 0}}', "'compression.validate_scopes'"),
            (
                '{"compression": {"algorithm": "binarization", "initializer": {"rang": {}}}}',
                "unknown key 'compression.initializer.rang'",
            ),
            (
                '{"compression": {"algorithm": "binarization"}, "epochs": "90"}',
                "'epochs': expected a number, found a string",
            ),
            (
                '{"compression": {"algorithm": "binarization"}, "pretrained": 1}',
                "'pretrained': expected true or false, found a number",
            ),
            ('{\n  "compression": }', "line 2"),
        ]
        for text, message in cases:
            with self.assertRaises(bnn_training.ConfigError, msg=text) as caught:
                bnn_training.parse_config(text)
            self.assertIn(message, str(caught.exception))

    def test_missing_file(self):
        with self.assertRaises(bnn_training.ConfigError) as caught:
            bnn_training.load_config("/nowhere/config.json")
        self.assertIn("/nowhere/config.json", str(caught.exception))


def taken(ignored=(), targets=None):
    config = bnn_training.BinarizationConfig(ignored_scopes=list(ignored), target_scopes=targets)
    return [layer.name for layer in bnn_training.create_binarized_model(Net(), config)[0].layers]


ALL = ["conv1", "layer1.0.conv1", "layer1.1.conv1", "layer1.1.downsample.0"]


class ScopesTest(unittest.TestCase):
    def test_addresses(self):
        matcher = scopes.ScopeMatcher(Net())
        self.assertEqual(
            matcher.address("layer1.1.downsample.0"),
            "Net/Sequential[layer1]/Block[1]/Sequential[downsample]/NNCFConv2d[0]/conv2d_0",
        )
        self.assertEqual(matcher.address("fc"), "Net/NNCFLinear[fc]/linear_0")

    def test_all_without_scopes(self):
        self.assertEqual(taken(), ALL)

    def test_ignored(self):
        self.assertEqual(taken(["Net/NNCFConv2d[conv1]/conv2d_0"]), ALL[1:])
        self.assertEqual(taken(["Net/Conv2d[conv1]", "Net/NNCFLinear[fc]/linear_0"]), ALL[1:])
        self.assertEqual(taken(["Net/Sequential[layer1]/Block[1]/Sequential[downsample]"]), ALL[:3])
        self.assertEqual(taken(["{re}downsample"]), ALL[:3])
        self.assertEqual(taken([r"{re}Net/NNCFConv2d\[conv1\]"]), ALL[1:])
        self.assertEqual(taken([r"{re}Net/Conv2d\[conv1\]/.*"]), ALL[1:])

    def test_a_prefix_is_a_whole_segment(self):
        with self.assertRaises(bnn_training.ScopeError):
            taken(["Net/Sequential[layer1]/Block[1]/Seq"])

    def test_an_operator_that_is_no_layer_takes_none_away(self):
        self.assertEqual(taken(["Net/ReLU[relu]/relu__0", "Net/Sequential[layer1]/Block[0]/__add___0"]), ALL)

    def test_targets(self):
        self.assertEqual(taken(targets=["{re}layer1"]), ALL[1:])
        self.assertEqual(taken(["{re}downsample"], ["{re}layer1"]), ALL[1:3])
        self.assertEqual(taken(targets=[]), [])

    def test_nothing_matched(self):
        for key, ignored, targets in (("ignored", ["Net/NNCFConv2d[conv2]/conv2d_0"], None), ("target", [], ["{re}convv1"])):
            with self.assertRaises(bnn_training.ScopeError) as caught:
                taken(ignored, targets)
            self.assertIn(f"'{key}_scopes'", str(caught.exception))
            self.assertIn("nearest: Net/", str(caught.exception))

    def test_nothing_matched_without_validation(self):
        config = bnn_training.BinarizationConfig(ignored_scopes=["{re}convv1", "Net/Conv2d[conv1]"], validate_scopes=False)
        layers = bnn_training.create_binarized_model(Net(), config)[0].layers
        self.assertEqual([layer.name for layer in layers], ALL[1:])

    def test_bad_regex(self):
        with self.assertRaises(bnn_training.ScopeError) as caught:
            taken(["{re}[conv1"])
        self.assertIn("no regular expression", str(caught.exception))
