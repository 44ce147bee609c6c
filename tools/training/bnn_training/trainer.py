"""The training loop: stages, accumulated gradients, a log with one row an epoch, checkpoints that resume anywhere."""

import csv
import inspect
import pathlib
import random
import time

import numpy
import torch

from bnn_training.progress import ProgressBar
from bnn_training.schedule import StagedScheduler, create_optimizer

LOG_COLUMNS = ("epoch", "stage", "learning_rate", "weight_decay", "loss", "accuracy", "seconds")


class Trainer:
    """Trains what create_binarized_model returned.

    batches(epoch)   an object with len() that yields the epoch's batches, the same ones whenever it is asked again
    loss(model, b)   the mean loss of a batch, a scalar to differentiate
    evaluate(model)  the accuracy, in [0,1]; called in evaluation mode without gradients after each epoch
    checkpoint       file: written after each epoch, replaced whole; resume() continues from it
    log              CSV file: rewritten after each epoch
    """

    def __init__(self, controller, batches, loss, evaluate, checkpoint=None, log=None, optimizer=None, show=print):
        self.controller, self.model = controller, controller.model
        self.params = controller.config.params
        self.optimizer = optimizer or create_optimizer(self.model, self.params)
        self.scheduler = StagedScheduler(controller, self.optimizer, self.params)
        self.history = []
        self._batches, self._loss, self._evaluate = batches, loss, evaluate
        self._checkpoint = pathlib.Path(checkpoint) if checkpoint else None
        self._log = pathlib.Path(log) if log else None
        self._show = show

    @property
    def next_epoch(self):
        return len(self.history)

    def train(self, epochs, stop_after=None):
        """Trains up to epoch number `epochs`; ends before with `stop_after`, as if it were interrupted."""
        for epoch in range(self.next_epoch, min(epochs, epochs if stop_after is None else stop_after)):
            start = time.monotonic()
            self.scheduler.epoch_begin(epoch)
            row = {"epoch": epoch, "stage": self.scheduler.stage(epoch)}
            row["learning_rate"] = self.optimizer.param_groups[0]["lr"]
            row["weight_decay"] = self.optimizer.param_groups[0]["weight_decay"]
            row["loss"] = self._train_epoch(epoch, f"epoch {epoch + 1}/{epochs} stage {row['stage']}")
            self.model.eval()
            with torch.no_grad():
                row["accuracy"] = float(self._evaluate(self.model))
            row["seconds"] = round(time.monotonic() - start, 1)
            self.history.append(row)
            self._save()
            self._show(
                f"epoch {epoch + 1:3d}/{epochs}  stage {row['stage']}  lr {row['learning_rate']:.2e}  "
                f"loss {row['loss']:.4f}  accuracy {100 * row['accuracy']:.2f} %  {row['seconds']:.0f} s"
            )

    def _train_epoch(self, epoch, title):
        """The mean loss. Gradients of `batch_multiplier` batches are averaged for one step of the optimizer."""
        self.model.train()
        batches = self._batches(epoch)
        total, seen, pending = 0.0, 0, 0
        bar = ProgressBar(batches, title)
        self.optimizer.zero_grad(set_to_none=True)
        for batch in bar:
            group = min(self.params.batch_multiplier, len(batches) - (seen - pending))  # the last one may be smaller
            loss = self._loss(self.model, batch)
            (loss / group).backward()
            total, seen, pending = total + loss.item(), seen + 1, pending + 1
            if pending == group:
                self.optimizer.step()
                self.optimizer.zero_grad(set_to_none=True)
                pending = 0
            self.scheduler.batch_end(seen / len(batches))
            bar.set(f"loss {total / seen:.4f}")
        return total / max(1, seen)

    def state_dict(self):
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "history": self.history,
            "random": {"torch": torch.get_rng_state(), "numpy": numpy.random.get_state(), "python": random.getstate()},
        }
        if torch.cuda.is_available():
            state["random"]["cuda"] = torch.cuda.get_rng_state_all()
        return state

    def load_state_dict(self, state):
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.history = list(state["history"])
        torch.set_rng_state(state["random"]["torch"].cpu())
        numpy.random.set_state(state["random"]["numpy"])
        random.setstate(state["random"]["python"])
        if "cuda" in state["random"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all([part.cpu() for part in state["random"]["cuda"]])

    def resume(self):
        """Continues from the checkpoint where there is one. True if there was."""
        if self._checkpoint is None or not self._checkpoint.exists():
            return False
        # A checkpoint holds Python's and numpy's random states, which torch reads only where it trusts the file.
        trusted = {"weights_only": False} if "weights_only" in inspect.signature(torch.load).parameters else {}
        self.load_state_dict(torch.load(self._checkpoint, map_location="cpu", **trusted))
        return True

    def _save(self):
        if self._checkpoint is not None:
            part = self._checkpoint.with_name(self._checkpoint.name + ".part")
            torch.save(self.state_dict(), part)
            part.replace(self._checkpoint)
        if self._log is not None:
            write_log(self._log, self.history)


def write_log(path, history):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, LOG_COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in history:
            writer.writerow({**row, "learning_rate": f"{row['learning_rate']:.6g}", "loss": f"{row['loss']:.4f}"})
