#!/usr/bin/env python3
"""Runs this engine and others on the same networks, interleaved, and prints how many times faster it is.

    bench/compare_engines.py --setup DIR                      # once: other engines, from the Python index into DIR
    bench/compare_engines.py --engines DIR                    # ResNet-18, Bi-Real-Net-18, QuickNet; one thread
    bench/compare_engines.py --engines DIR --onnx net.onnx    # a binary network of yours

What the numbers mean: every engine has a process of its own with its network loaded. A round goes through all of them
in random order; in its turn an engine runs twice to warm up and then for --seconds, one image at a time, while the
others are stopped. Time is that of the call which runs the network, some microseconds of Python included: input and
output stay in the engine's own memory (Larq Compute Engine's interface copies them, which is part of its time). The
table has the median and the quartiles of all runs; a ratio is the median of the rounds' ratios, with quartiles. Before
that, all engines run on the same input, and those that have the same network must give the same outputs: a ratio of
different functions says nothing. On a machine that is not idle, `chrt --fifo 1` before the command keeps other
programs away from an engine's turn.

Engines that are not installed, or do not take the network, are listed with the reason. Exit codes: 0; 1 if outputs
disagree or this engine itself could not run; 2 for a wrong command line.
"""

import argparse
import array
import contextlib
import dataclasses
import datetime
import fcntl
import json
import os
import pathlib
import platform
import random
import sys
import tempfile
from collections.abc import Iterator

from engines import environments, figures, networks
from engines.figures import Row
from engines.prepare import NotPrepared, Workshop
from engines.process import EngineError, EngineProcess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--setup", type=pathlib.Path, metavar="DIR", help="install the other engines below DIR, and end")
    add("--python", default=sys.executable, help="with --setup: the interpreter that the environments are made of")
    add("--engines", type=pathlib.Path, metavar="DIR", help="where --setup installed the other engines")
    add("--build", type=pathlib.Path, default=ROOT / "build" / "release", metavar="DIR", help="build folder of bnn")
    add("--onnx", type=pathlib.Path, metavar="FILE", help="compare on this binary network instead")
    add("--networks", metavar="A,B", help="of " + ",".join(network.name for network in networks.NETWORKS))
    add("--threads", type=int, default=1, metavar="N")
    add("--cpus", metavar="A,B", help="processors that the engines run on; else the first N allowed ones")
    add("--rounds", type=int, default=20, metavar="N")
    add("--seconds", type=float, default=0.1, help="of one engine's turn in a round (at least 3 runs)")
    add("--seed", type=int, default=1, help="of the input and of the order in a round")
    add("--work", type=pathlib.Path, metavar="DIR", help="keep the networks there; else in a temporary folder")
    add("--lock", type=pathlib.Path, metavar="FILE", help="hold this lock in each round, so that programs take turns")
    add("--json", type=pathlib.Path, metavar="FILE", help="also write the results as JSON")
    arguments = parser.parse_args()
    if arguments.threads < 1 or arguments.rounds < 1 or arguments.seconds <= 0:
        parser.error("--threads, --rounds and --seconds must be positive")
    try:
        arguments.cpus = choose_cpus(arguments.cpus, arguments.threads)
        arguments.chosen = choose_networks(arguments)
    except ValueError as error:
        parser.error(str(error))
    return arguments


def choose_cpus(text: str | None, threads: int) -> list[int]:
    if text is None:
        return sorted(os.sched_getaffinity(0))[:threads]
    cpus = [int(cpu) for cpu in text.split(",")]
    if not set(cpus) <= set(range(os.cpu_count() or 1)):
        raise ValueError(f"--cpus {text}: this machine has {os.cpu_count()} processors, counted from 0")
    return cpus


def choose_networks(arguments: argparse.Namespace) -> list[networks.Network]:
    if arguments.onnx is not None:
        if not arguments.onnx.is_file():
            raise ValueError(f"--onnx {arguments.onnx}: no such file")
        return [networks.network_of_file(arguments.onnx)]
    if arguments.networks is None:
        return networks.NETWORKS
    known = {network.name: network for network in networks.NETWORKS}
    names = arguments.networks.split(",")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"--networks: no network is called '{unknown[0]}'; known are {', '.join(known)}")
    return [known[name] for name in names]


class Comparison:
    """All engines of one run of this program, loaded."""

    def __init__(self, arguments: argparse.Namespace, work: pathlib.Path) -> None:
        self._arguments = arguments
        self._work = work
        self._workshop = Workshop(work, arguments.build / "bin" / "bnn-convert", arguments.engines)
        if arguments.onnx is not None:
            self._workshop.adopt(arguments.onnx.resolve())
        self._random = random.Random(arguments.seed)
        self._running: list[tuple[Row, EngineProcess]] = []
        self.rows: list[Row] = []

    def load(self) -> None:
        """Starts every competitor; a row of one that cannot be started says why."""
        for network in self._arguments.chosen:
            for competitor in network.competitors:
                row = Row(network.name, competitor.name)
                self.rows.append(row)
                try:
                    process = self._start(network, competitor)
                except (NotPrepared, EngineError) as error:
                    row.unavailable = str(error)
                    continue
                row.version, row.detail = process.version, process.detail
                self._running.append((row, process))

    def _start(self, network: networks.Network, competitor: networks.Competitor) -> EngineProcess:
        options = dict(competitor.options)
        if competitor.engine == "bnn":
            python = sys.executable
            options["library"] = str(self._arguments.build / "lib" / "libbnn.so")
        else:
            python, reason = environments.find_python(self._arguments.engines, competitor.engine)
            if not python:
                raise NotPrepared(reason)
        request = {
            "engine": competitor.engine,
            "model": str(self._workshop.make(competitor.file)),
            "threads": self._arguments.threads,
            "cpus": self._arguments.cpus,
            "options": options,
        }
        print(f"loading {network.name}: {competitor.name}", file=sys.stderr, flush=True)
        log = self._work / f"{network.name}.{competitor.name}.log".replace(" ", "_")
        process = EngineProcess(python, log, request)
        try:
            process.set_input(self._input(network, process.input_floats))
        except EngineError:
            process.close()
            raise
        return process

    def _input(self, network: networks.Network, count: int) -> pathlib.Path:
        """A file of `count` normally distributed numbers, the same for all engines of a network."""
        file = self._work / f"{network.name}.{count}.input"
        generator = random.Random(self._arguments.seed)
        file.write_bytes(array.array("f", (generator.gauss(0, 1) for _ in range(count))).tobytes())
        return file

    def check_outputs(self) -> None:
        """Compares outputs within each network with those of its first float engine that runs, or else its first."""
        for network in self._arguments.chosen:
            rows = []
            outputs = []
            for row, process in self._running:
                if row.network == network.name:
                    file = self._work / f"{network.name}.output"
                    process.output(file)
                    rows.append(row)
                    outputs.append(figures.read_floats(file))
            reference = next((i for i, row in enumerate(rows) if row.name.endswith("f32")), 0)
            same = {competitor.name: competitor.same_function for competitor in network.competitors}
            for i, row in enumerate(rows):
                row.reference = rows[reference].name
                if i != reference:
                    row.difference = figures.relative_difference(outputs[reference], outputs[i])
                    row.disagrees = same[row.name] and not row.difference <= network.tolerance

    def measure(self) -> None:
        for _ in range(self._arguments.rounds):
            order = list(self._running)
            self._random.shuffle(order)
            with _locked(self._arguments.lock):
                for row, process in order:
                    row.rounds.append(process.measure(self._arguments.seconds))

    def close(self) -> None:
        for _, process in self._running:
            process.close()


@contextlib.contextmanager
def _locked(path: pathlib.Path | None) -> Iterator[None]:
    if path is None:
        yield
        return
    with open(path, "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cpu_name() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


@dataclasses.dataclass(frozen=True)
class TargetResult:
    ours: str
    theirs: str
    ratio: figures.Spread
    target: float
    met: bool


def target_results(rows: list[Row]) -> list[TargetResult]:
    """Of the targets whose two sides were measured."""
    measured = {(row.network, row.name): row for row in rows if row.rounds}
    results = []
    for target in networks.TARGETS:
        ours, theirs = measured.get(target.ours), measured.get(target.theirs)
        if ours is None or theirs is None:
            continue
        ratio = figures.ratio(ours, theirs)
        sides = " ".join(target.ours), " ".join(target.theirs)
        results.append(TargetResult(*sides, ratio, target.factor, ratio.median >= target.factor))
    return results


def print_results(arguments: argparse.Namespace, rows: list[Row], targets: list[TargetResult]) -> None:
    cpus = ",".join(str(cpu) for cpu in arguments.cpus)
    print(f"{cpu_name()}, {arguments.threads} thread(s) on processor(s) {cpus}, batch 1, {arguments.rounds} rounds")
    for network in arguments.chosen:
        print(f"\n{network.name}")
        print(figures.network_table([row for row in rows if row.network == network.name], networks.BNN))
    if targets:
        print()
        cells = [
            [f"{r.ours} than {r.theirs}", r.ratio.text(2), f"{r.target:g}", "met" if r.met else "missed"]
            for r in targets
        ]
        print(figures.format_table(["times faster", "median [quartiles]", "target", ""], cells))


def write_json(arguments: argparse.Namespace, rows: list[Row], targets: list[TargetResult]) -> None:
    document = {
        "context": {
            "cpu": cpu_name(),
            "threads": arguments.threads,
            "cpus": arguments.cpus,
            "rounds": arguments.rounds,
            "seconds": arguments.seconds,
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "command": sys.argv,
        },
        "results": [figures.row_json(row) for row in rows],
        "targets": [dataclasses.asdict(result) for result in targets],
    }
    arguments.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    arguments = parse_arguments()
    if arguments.setup is not None:
        environments.setup(arguments.setup, arguments.python)
        return 0
    with contextlib.ExitStack() as stack:
        work = arguments.work or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        work.mkdir(parents=True, exist_ok=True)
        comparison = Comparison(arguments, work.resolve())
        stack.callback(comparison.close)
        comparison.load()
        comparison.check_outputs()
        comparison.measure()
        rows = comparison.rows
    targets = target_results(rows)
    print_results(arguments, rows, targets)
    if arguments.json is not None:
        write_json(arguments, rows, targets)
    return 1 if any(row.disagrees or (row.name == networks.BNN and row.unavailable) for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
