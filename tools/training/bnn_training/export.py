"""ONNX. Networks of create_binarized_model as NNCF exported them, with two-level FakeQuantize of domain
org.openvinotoolkit on weights and inputs of binary layers:

    weights      FakeQuantize(W, 0, 0, -scale, +scale)                 levels 2
    activations  FakeQuantize(x, t * s, t * s, 0, s)                   levels 2

Networks of create_quantized_model in operators that every engine executes:

    weights      Where(W >= 0, +scale, -scale)
    activations  Floor(Clip(x, 0, max) / max * (2^bits - 1) + 0.5) / (2^bits - 1) * max, operator by operator

NNCF leaves the computation of the limits (mean |W|, exp, sigmoid) to whoever reads the file. Here they are constants, the
very numbers with which PyTorch evaluates. Batch-norm stays as the model has it.
"""

import contextlib
import inspect

import torch

OPSET = 13


def export_onnx(controller, path, sample_inputs=None, input_names=("input",), output_names=("output",)):
    """Writes the binarized model of `controller` to `path`, with an open first dim. ValueError where a binarizer is
    disabled: such a file would hold a layer in float that was meant to be binary."""
    if not controller.fully_enabled:
        raise ValueError("export_onnx: there are binarizers that are not enabled; train through the stages first")
    inputs = tuple(sample_inputs if sample_inputs is not None else controller.sample_inputs())
    binarizers = [b for layer in controller.layers for b in (layer.weight_binarizer, layer.activation_binarizer)]
    domains = {domain: 1 for binarizer in binarizers for domain in binarizer.exported_domains}
    options = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    with _exporting(controller):
        torch.onnx.export(
            controller.model,
            inputs,
            str(path),
            opset_version=OPSET,
            custom_opsets=domains,
            training=torch.onnx.TrainingMode.PRESERVE,  # or batch-norm would be folded, and the weights renamed
            do_constant_folding=False,
            input_names=list(input_names),
            output_names=list(output_names),
            dynamic_axes={name: {0: "N"} for name in (*input_names, *output_names)},
            **options,
        )


@contextlib.contextmanager
def _exporting(controller):
    was_training = controller.model.training
    controller.model.eval()
    with torch.no_grad():
        for layer in controller.layers:
            layer.weight_binarizer.begin_export(*layer.weight_binarizer.export_constants(layer.latent_weight))
            layer.activation_binarizer.begin_export(*layer.activation_binarizer.export_constants())
    try:
        yield
    finally:
        for layer in controller.layers:
            layer.weight_binarizer.end_export()
            layer.activation_binarizer.end_export()
        controller.model.train(was_training)
