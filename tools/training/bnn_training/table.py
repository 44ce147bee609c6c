"""The table of layers: multiply-adds (MACs), their share, binarized or not."""

import dataclasses

import torch
from torch import nn


@dataclasses.dataclass
class LayerRow:
    address: str
    kind: str
    macs: int  # for one sample
    binarized: bool


class LayerTable:
    """Rows in the order in which the layers run on `sample_inputs`; a layer that runs twice counts twice."""

    def __init__(self, model, addresses, binarized, sample_inputs):
        self.rows = []
        handles = []
        for name, module in model.named_modules():
            if name in addresses and isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
                kind = addresses[name].rpartition("/")[2].rpartition("_")[0]
                handles.append(module.register_forward_hook(self._counter(addresses[name], kind, name in binarized)))
        was_training = model.training
        try:
            with torch.no_grad():
                model.eval()(*sample_inputs)
        finally:
            model.train(was_training)
            for handle in handles:
                handle.remove()

    def _counter(self, address, kind, binarized):
        def count(module, inputs, output):
            if isinstance(module, nn.Linear):
                macs = module.in_features * output[0].numel()
            else:
                # Each weight is used once for each position of the output, or of the input when transposed.
                positions = (inputs[0] if isinstance(module, nn.ConvTranspose2d) else output).shape[2:].numel()
                macs = module.weight.numel() * positions
            self.rows.append(LayerRow(address, kind, macs, binarized))

        return count

    @property
    def total_macs(self):
        return sum(row.macs for row in self.rows)

    @property
    def binarized_share(self):
        return sum(row.macs for row in self.rows if row.binarized) / max(1, self.total_macs)

    def __str__(self):
        lines = [("layer", "kind", "binarized", "MACs", "share")]
        for row in self.rows:
            share = f"{100 * row.macs / max(1, self.total_macs):.1f} %"
            lines.append((row.address, row.kind, "yes" if row.binarized else "no", f"{row.macs / 1e6:.3f} M", share))
        widths = [max(len(line[i]) for line in lines) for i in range(5)]
        text = ""
        for line in lines:
            left = "  ".join(line[i].ljust(widths[i]) for i in range(3))
            text += f"{left}  {line[3].rjust(widths[3])}  {line[4].rjust(widths[4])}\n"
        return text + f"total {self.total_macs / 1e6:.3f} M MACs, {100 * self.binarized_share:.1f} % of them binarized"
