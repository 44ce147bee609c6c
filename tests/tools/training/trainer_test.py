"""Stages, accumulated gradients, logs, and checkpoints that resume."""

import copy
import io
import pathlib
import re
import tempfile
import unittest

import numpy
import torch
from torch import nn

import bnn_training
from bnn_training import plot
from bnn_training.progress import ProgressBar
from support import Batches, documented, loss, make_trainer


class ScheduleTest(unittest.TestCase):
    def test_stages(self):
        trainer = make_trainer()
        scheduler, layer = trainer.scheduler, trainer.controller.layers[0]
        seen = []
        for epoch in range(5):
            scheduler.epoch_begin(epoch)
            enabled = (layer.activation_binarizer.enabled.item(), layer.weight_binarizer.enabled.item())
            seen.append((scheduler.stage(epoch), *enabled))
        self.assertEqual(seen, [(1, 0, 0), (2, 1, 0), (3, 1, 1), (4, 1, 1), (4, 1, 1)])

    def test_a_falling_learning_rate_alone_is_no_stage_of_binarization(self):
        params = bnn_training.StageParams(
            activations_quant_start_epoch=5, weights_quant_start_epoch=7, lr_poly_drop_start_epoch=0
        )
        scheduler = bnn_training.StagedScheduler(None, None, params)
        self.assertEqual([scheduler.stage(epoch) for epoch in (0, 4, 5, 7)], [1, 1, 4, 4])

    def test_learning_rate_and_weight_decay(self):
        scheduler = make_trainer().scheduler
        self.assertEqual(scheduler.learning_rate(2.99), 0.01)
        self.assertEqual(scheduler.learning_rate(3), 0.01)
        self.assertAlmostEqual(scheduler.learning_rate(4), 0.01 * 0.5**2.1, places=12)
        self.assertEqual(scheduler.learning_rate(5), 0)
        self.assertEqual(scheduler.learning_rate(9), 0)
        self.assertEqual((scheduler.weight_decay(2.99), scheduler.weight_decay(3)), (0.001, 0))
        scheduler.epoch_begin(3)
        scheduler.batch_end(0.5)
        group = scheduler.optimizer.param_groups[0]
        self.assertAlmostEqual(group["lr"], 0.01 * 0.75**2.1, places=12)
        self.assertEqual(group["weight_decay"], 0)

    def test_batch_multiplier(self):
        """Two batches of 16 make the step that one of 32 makes; a lone last batch makes one by itself."""
        for count, steps in ((4, 2), (5, 3)):
            trainer = make_trainer(optimizer=None)
            trainer._batches = lambda epoch, count=count: Batches(epoch, count)
            calls = []
            step = trainer.optimizer.step
            trainer.optimizer.step = lambda: (calls.append(1), step())
            trainer.train(1)
            self.assertEqual(len(calls), steps)
        grads = []
        for size, multiplier in ((16, 2), (32, 1)):
            model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
            torch.manual_seed(5)
            nn.init.normal_(model[1].weight), nn.init.zeros_(model[1].bias)
            images, labels = next(iter(Batches(0, 1, 32)))
            parts = list(zip(images.split(size), labels.split(size)))
            config = bnn_training.BinarizationConfig(params=bnn_training.StageParams(batch_multiplier=multiplier))
            controller, _ = bnn_training.create_binarized_model(model, config)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            trainer = bnn_training.Trainer(
                controller, lambda epoch: parts, loss, lambda m: 0, optimizer=optimizer, show=lambda line: None
            )
            trainer.train(1)
            grads.append(model[1].weight.detach())
        torch.testing.assert_close(grads[0], grads[1])


class TrainerTest(unittest.TestCase):
    def test_learns_through_all_stages(self):
        with tempfile.TemporaryDirectory() as folder:
            trainer = make_trainer(pathlib.Path(folder))
            trainer.train(5)
            self.assertEqual([row["stage"] for row in trainer.history], [1, 2, 3, 4, 4])
            self.assertGreater(trainer.history[-1]["accuracy"], 0.9)
            rows = plot.read_log(pathlib.Path(folder) / "run.csv")
            self.assertEqual([row["stage"] for row in rows], [1, 2, 3, 4, 4])
            svg = plot.draw_logs("a < b", [("run", rows)], 0.95)
            self.assertIn("a &lt; b", svg)
            self.assertEqual(svg.count("<polyline"), 2)

    def test_labels_of_equal_lines_stand_below_one_another(self):
        rows = [{"stage": 1, "learning_rate": 0.1, "accuracy": accuracy} for accuracy in (0.5, 0.9)]
        svg = plot.draw_logs("", [("first", rows), ("second", rows)], 0.9)
        labels = re.findall(r'y="([0-9.]+)"[^>]*>(?:first|second|float baseline) 90.00<', svg)
        heights = sorted(float(height) for height in labels)
        self.assertEqual(len(heights), 3)
        self.assertTrue(heights[1] - heights[0] >= 12 and heights[2] - heights[1] >= 12, heights)

    def test_resumes_in_any_stage(self):
        """Interrupted after any epoch and continued by a new process' trainer: the same weights to the bit."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            whole = make_trainer(folder, "whole")
            whole.train(5)
            for stop in range(1, 5):
                name = f"stopped{stop}"
                make_trainer(folder, name).train(5, stop_after=stop)
                torch.manual_seed(99)
                again = make_trainer(folder, name)
                self.assertTrue(again.resume())
                self.assertEqual(again.next_epoch, stop)
                again.train(5)
                for (key, a), b in zip(whole.model.state_dict().items(), again.model.state_dict().values()):
                    self.assertTrue(torch.equal(a, b), f"after epoch {stop}: {key}")
                same = [{**row, "seconds": 0} for row in again.history]
                self.assertEqual(same, [{**row, "seconds": 0} for row in whole.history])

    def test_random_state_resumes(self):
        trainer = make_trainer()
        state = copy.deepcopy(trainer.state_dict())
        drawn = (torch.rand(1).item(), numpy.random.rand())
        trainer.load_state_dict(state)
        self.assertEqual((torch.rand(1).item(), numpy.random.rand()), drawn)

    def test_nothing_to_resume(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertFalse(make_trainer(pathlib.Path(folder)).resume())

    def test_progress_bar(self):
        stream = io.StringIO()
        bar = ProgressBar([1, 2, 3], "epoch 1", stream, enabled=True)
        for _ in bar:
            bar.set("loss 0.5")
        self.assertIn("3/3", stream.getvalue())
        self.assertIn("loss 0.5", stream.getvalue())
        stream = io.StringIO()
        list(ProgressBar([1], "epoch 1", stream))  # no terminal
        self.assertEqual(stream.getvalue(), "")
