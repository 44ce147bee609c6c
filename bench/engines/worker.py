"""A process that holds one engine with one network, and runs it when it is told to.

Reads one JSON request a line from standard input, answers one JSON line each:

    {"do": "load", "engine", "model", "threads", "cpus", "options"}  -> {"version", "detail", "input_floats"}
    {"do": "input", "file"}        takes the input                  -> {}
    {"do": "output", "file"}       runs once, writes all outputs    -> {}
    {"do": "measure", "seconds"}   runs for that long               -> {"ns": [time of each run]}

or {"error": text}. Files hold raw float32 values; the input's are in the order of the network's source.

Each engine lives in a process of its own: its threads, its allocator and the versions of its packages are its own
business. Between its turns the process is stopped by the comparing program, so no spinning thread pool of one engine
slows another.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

MIN_RUNS = 3
WARM_UP_RUNS = 2  # of a turn: other engines have used the caches and the branch predictors since the last one


def time_runs(run: Callable[[], None], seconds: float) -> list[int]:
    """Nanoseconds of each run."""
    for _ in range(WARM_UP_RUNS):
        run()
    times: list[int] = []
    clock = time.perf_counter_ns
    end = clock() + int(seconds * 1e9)
    gc.disable()
    now = 0
    while now < end or len(times) < MIN_RUNS:
        start = clock()
        run()
        now = clock()
        times.append(now - start)
    gc.enable()
    return times


def load(request: dict[str, Any]) -> Any:
    os.sched_setaffinity(0, request["cpus"])  # before any engine makes threads, which inherit it
    os.environ["OMP_NUM_THREADS"] = str(request["threads"])
    module = importlib.import_module(f"engines.{request['engine']}_engine")
    return module.Engine(request["model"], request["threads"], request["options"])


def serve(replies: Any) -> None:
    engine: Any = None
    for line in sys.stdin:
        request = json.loads(line)
        reply: dict[str, Any] = {}
        try:
            if request["do"] == "load":
                engine = load(request)
                reply = {"version": engine.version, "detail": engine.detail, "input_floats": engine.input_floats}
            elif request["do"] == "input":
                with open(request["file"], "rb") as file:
                    engine.set_input(file.read())
            elif request["do"] == "output":
                engine.run()
                with open(request["file"], "wb") as file:
                    file.write(engine.output())
            elif request["do"] == "measure":
                reply = {"ns": time_runs(engine.run, request["seconds"])}
        except Exception as error:  # whatever an engine throws is its answer
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def die_with_parent() -> None:
    """Linux: a stopped process would outlive a comparing program that was killed, and never notice."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


if __name__ == "__main__":
    die_with_parent()
    # Engines print what they like to standard output; the answers go through a descriptor of their own.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(answers)
