"""The four stages: float, activations binarized, weights too, then a falling learning rate without weight decay."""

import torch

POLYNOMIAL_POWER = 2.1


class StagedScheduler:
    """Enables the binarizers and sets learning rate and weight decay, as the configuration's `params` say.

    epoch_begin(epoch) at the start of each epoch from 0, batch_end(fraction) after each batch, with the share of the
    epoch's batches that lie behind it. Everything follows from the epoch, so after a resume it is enough to go on.
    """

    def __init__(self, controller, optimizer, params):
        self.controller, self.optimizer, self.params = controller, optimizer, params
        self.epoch = -1

    def epoch_begin(self, epoch):
        self.epoch = epoch
        self.controller.enable_activations(epoch >= self.params.activations_quant_start_epoch)
        self.controller.enable_weights(epoch >= self.params.weights_quant_start_epoch)
        self.batch_end(0.0)

    def batch_end(self, fraction):
        time = self.epoch + fraction
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(time)
            group["weight_decay"] = self.weight_decay(time)

    def learning_rate(self, time):
        """Constant, then base_lr * ((end - time) / duration)^2.1, which ends at 0."""
        start, duration = self.params.lr_poly_drop_start_epoch, self.params.lr_poly_drop_duration_epochs
        if start is None or time < start:
            return self.params.base_lr
        return self.params.base_lr * max(0.0, (start + duration - time) / duration) ** POLYNOMIAL_POWER

    def weight_decay(self, time):
        start = self.params.disable_wd_start_epoch
        return self.params.base_wd if start is None or time < start else 0.0

    def stage(self, epoch):
        """1 to 4: float, activations, activations and weights, falling learning rate (or without weight decay)."""
        if epoch < min(self.params.activations_quant_start_epoch, self.params.weights_quant_start_epoch):
            return 1
        starts = (self.params.lr_poly_drop_start_epoch, self.params.disable_wd_start_epoch)
        if any(start is not None and epoch >= start for start in starts):
            return 4
        if epoch >= self.params.weights_quant_start_epoch:
            return 3
        return 2 if epoch >= self.params.activations_quant_start_epoch else 1

    def state_dict(self):
        return {"epoch": self.epoch}

    def load_state_dict(self, state):
        """Switches to the stage of that epoch."""
        if state["epoch"] >= 0:
            self.epoch_begin(state["epoch"])


def create_optimizer(model, params):
    """Adam with base_lr and base_wd on all parameters, which is what NNCF's schedule was made for."""
    return torch.optim.Adam(model.parameters(), lr=params.base_lr, weight_decay=params.base_wd)
