"""Binarizes PyTorch networks as NNCF or Blueoil do, trains them in stages, and writes ONNX. See README.md."""

from bnn_training.config import BinarizationConfig, ConfigError, StageParams, load_config, parse_config
from bnn_training.export import export_onnx
from bnn_training.model import BinarizationController, create_binarized_model
from bnn_training.quantized import QuantizationConfig, create_quantized_model
from bnn_training.schedule import StagedScheduler, create_optimizer
from bnn_training.scopes import ScopeError
from bnn_training.trainer import Trainer

__all__ = [
    "BinarizationConfig",
    "BinarizationController",
    "ConfigError",
    "QuantizationConfig",
    "ScopeError",
    "StageParams",
    "StagedScheduler",
    "Trainer",
    "create_binarized_model",
    "create_optimizer",
    "create_quantized_model",
    "export_onnx",
    "load_config",
    "parse_config",
]
