"""NNCF's configuration: JSON with comments, of which binarization is one algorithm.

Every key that NNCF documents is accepted; those that mean nothing here are listed in `unused_keys`. A key that nobody
documents, or a value of the wrong type, is an error that names it.
"""

import dataclasses
import json
import math
import pathlib
import typing

MODES = ("xnor", "dorefa")

# What each key may hold; None: anything. NNCF's own keys, then those of the training scripts that came with it and read
# the same file.
_TOP_KEYS = {
    "input_info": None, "compression": None, "target_device": str, "accuracy_aware_training": dict,
    "compression_lr_multiplier": float, "disable_shape_matching": bool, "log_dir": str,
    "model": str, "model_params": None, "pretrained": bool, "weights": None, "num_classes": float, "dataset": None,
    "dataset_dir": None, "batch_size": float, "batch_size_per_gpu": float, "epochs": float, "workers": float,
    "optimizer": None, "seed": float, "print_freq": float, "save_freq": float, "test_every_n_epochs": float,
    "checkpoint_save_dir": None, "multiprocessing_distributed": bool, "no_strip_on_export": bool, "criterion": None,
    "criterion_params": None,
}  # fmt: skip
_COMPRESSION_KEYS = {
    "algorithm": str, "mode": str, "params": dict, "initializer": dict, "ignored_scopes": list, "target_scopes": list,
    "validate_scopes": bool, "compression_lr_multiplier": float,
}  # fmt: skip
_INITIALIZER_KEYS = {"batchnorm_adaptation": dict, "range": None, "precision": dict}
_INPUT_KEYS = {"sample_size": None, "type": str, "filler": str, "keyword": str}


class ConfigError(ValueError):
    """The configuration is wrong; the message names the key."""


@dataclasses.dataclass
class StageParams:
    """When what begins, in epochs from 0. None: never."""

    batch_multiplier: int = 1  # batches whose gradients make one step of the optimizer
    activations_quant_start_epoch: int = 1
    weights_quant_start_epoch: int = 1
    lr_poly_drop_start_epoch: typing.Optional[float] = None
    lr_poly_drop_duration_epochs: float = 30
    disable_wd_start_epoch: typing.Optional[float] = None
    base_lr: float = 1e-3
    base_wd: float = 1e-5


@dataclasses.dataclass
class BinarizationConfig:
    mode: str = "xnor"
    params: StageParams = dataclasses.field(default_factory=StageParams)
    ignored_scopes: typing.List[str] = dataclasses.field(default_factory=list)
    target_scopes: typing.Optional[typing.List[str]] = None  # None: all
    validate_scopes: bool = True  # a scope that matches nothing is an error
    compression_lr_multiplier: typing.Optional[float] = None  # of the gradients of scales and thresholds
    input_shapes: typing.List[typing.List[int]] = dataclasses.field(default_factory=list)
    unused_keys: typing.List[str] = dataclasses.field(default_factory=list)


def load_config(path):
    """Reads a file. ConfigError where it is wrong."""
    try:
        return parse_config(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse_config(source):
    """`source` is the text of a configuration, or what json.load would make of it."""
    tree = _parse_json(source) if isinstance(source, str) else source
    _check(isinstance(tree, dict), "the configuration", "an object", tree)
    _check_keys(tree, _TOP_KEYS, "")
    config = BinarizationConfig()
    config.unused_keys = [key for key in tree if key not in ("input_info", "compression", "compression_lr_multiplier")]
    if "input_info" in tree:
        config.input_shapes = _input_shapes(tree["input_info"])
    if "compression_lr_multiplier" in tree:
        config.compression_lr_multiplier = tree["compression_lr_multiplier"]
    _read_compression(_only_algorithm(tree), config)
    return config


def _only_algorithm(tree):
    if "compression" not in tree:
        raise ConfigError("'compression' is missing")
    algorithms = tree["compression"]
    if isinstance(algorithms, dict):
        algorithms = [algorithms]
    _check(isinstance(algorithms, list), "'compression'", "an object or a list of objects", algorithms)
    if len(algorithms) != 1:
        raise ConfigError(f"'compression': expected one algorithm, found {len(algorithms)}")
    _check(isinstance(algorithms[0], dict), "'compression[0]'", "an object", algorithms[0])
    return algorithms[0]


def _read_compression(algorithm, config):
    _check_keys(algorithm, _COMPRESSION_KEYS, "compression.")
    name = algorithm.get("algorithm", "")
    if name != "binarization":
        raise ConfigError(f"'compression.algorithm': expected \"binarization\", found {json.dumps(name)}")
    config.mode = algorithm.get("mode", config.mode)
    if config.mode not in MODES:
        raise ConfigError(f"'compression.mode': expected \"xnor\" or \"dorefa\", found {json.dumps(config.mode)}")
    config.compression_lr_multiplier = algorithm.get("compression_lr_multiplier", config.compression_lr_multiplier)
    if "initializer" in algorithm:
        _check_keys(algorithm["initializer"], _INITIALIZER_KEYS, "compression.initializer.")
        config.unused_keys.append("compression.initializer")
    config.ignored_scopes = _scopes(algorithm.get("ignored_scopes", []))
    if "target_scopes" in algorithm:
        config.target_scopes = _scopes(algorithm["target_scopes"])
    config.validate_scopes = algorithm.get("validate_scopes", True)
    if "params" in algorithm:
        config.params = _read_params(algorithm["params"])


def _read_params(tree):
    prefix = "compression.params."
    _check_keys(tree, {field.name: float for field in dataclasses.fields(StageParams)}, prefix)
    params = StageParams()
    for key, value in tree.items():
        if value < 0:
            raise ConfigError(f"'{prefix}{key}': expected a number from 0, found {value}")
        if key in ("batch_multiplier", "activations_quant_start_epoch", "weights_quant_start_epoch"):
            if value != int(value):
                raise ConfigError(f"'{prefix}{key}': expected a whole number, found {value}")
            value = int(value)
        setattr(params, key, value)
    if params.batch_multiplier < 1:
        raise ConfigError(f"'{prefix}batch_multiplier': expected a number from 1, found {params.batch_multiplier}")
    if params.lr_poly_drop_duration_epochs <= 0:
        raise ConfigError(f"'{prefix}lr_poly_drop_duration_epochs': expected a number above 0, found 0")
    return params


def _scopes(value):
    return [value] if isinstance(value, str) else list(value)


def _input_shapes(tree):
    inputs = [tree] if isinstance(tree, dict) else tree
    _check(isinstance(inputs, list), "'input_info'", "an object or a list of objects", inputs)
    shapes = []
    for info in inputs:
        _check(isinstance(info, dict), "'input_info'", "an object or a list of objects", info)
        _check_keys(info, _INPUT_KEYS, "input_info.")
        shape = info.get("sample_size")
        good = isinstance(shape, list) and all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in shape)
        _check(good, "'input_info.sample_size'", "a list of positive whole numbers", shape)
        shapes.append(shape)
    return shapes


def _check(good, where, expected, found):
    if not good:
        kinds = {dict: "an object", list: "a list", str: "a string", bool: "a truth value", type(None): "nothing"}
        text = kinds.get(type(found), "a number")
        if isinstance(found, list):
            text = json.dumps(found)[:60]
        raise ConfigError(f"{where}: expected {expected}, found {text}")


def _check_keys(tree, known, prefix):
    """Each key of an object is one of `known`, and holds what that says."""
    for key, value in tree.items():
        if key not in known:
            raise ConfigError(f"unknown key '{prefix}{key}'")
        good, expected = _is_kind(value, known[key])
        _check(good, f"'{prefix}{key}'", expected, value)


def _is_kind(value, kind):
    """Whether it is, and what the kind is called. A list is one of strings here, and may be a single one."""
    if kind is float:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and math.isfinite(value), "a number"
    if kind is list:
        strings = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return strings or isinstance(value, str), "a string or a list of strings"
    names = {None: "any value", dict: "an object", str: "a string", bool: "true or false"}
    return kind is None or isinstance(value, kind), names[kind]


def _parse_json(text):
    try:
        return json.loads(_blank_comments(text), object_pairs_hook=_unique_pairs)
    except json.JSONDecodeError as error:
        raise ConfigError(f"line {error.lineno}, column {error.colno}: {error.msg}") from error


def _unique_pairs(pairs):
    tree = dict(pairs)
    if len(tree) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ConfigError(f"the key '{next(key for key in keys if keys.count(key) > 1)}' occurs twice")
    return tree


def _blank_comments(text):
    """Comments (// to the end of the line, and between /* and */) and commas before a closing bracket become spaces,
    so that positions in error messages stay right."""
    out = list(text)
    comma = None  # position of a comma after which only space has come
    at = 0
    while at < len(text):
        if text[at] == '"':
            end = at + 1
            while end < len(text) and text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            at, comma = end + 1, None
            continue
        if text.startswith("//", at) or text.startswith("/*", at):
            line = text.startswith("//", at)
            end = text.find("\n" if line else "*/", at + 2)
            end = len(text) if end < 0 else end + (0 if line else 2)
            out[at:end] = [c if c == "\n" else " " for c in text[at:end]]
            at = end
            continue
        if text[at] in "]}" and comma is not None:
            out[comma] = " "
        if not text[at].isspace():
            comma = at if text[at] == "," else None
        at += 1
    return "".join(out)
