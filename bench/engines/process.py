"""The comparing program's handle of a worker process (see worker.py)."""

import json
import os
import pathlib
import signal
import subprocess
from typing import Any

BENCH = pathlib.Path(__file__).resolve().parent.parent


class EngineError(Exception):
    """What an engine answered instead of a result."""


class EngineProcess:
    """One engine with one network, loaded. Stopped (SIGSTOP) whenever it has nothing to do."""

    def __init__(self, python: str, log: pathlib.Path, request: dict[str, Any]) -> None:
        self._log = log
        with open(log, "w", encoding="utf-8") as log_file:
            self._process = subprocess.Popen(
                [python, "-B", "-m", "engines.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_file,
                text=True,
                env={**os.environ, "PYTHONPATH": str(BENCH)},
            )
        try:
            reply = self._ask({"do": "load", **request})
        except EngineError:
            self.close()
            raise
        self.version: str = reply["version"]
        self.detail: str = reply["detail"]
        self.input_floats: int = reply["input_floats"]

    def set_input(self, file: pathlib.Path) -> None:
        self._ask({"do": "input", "file": str(file)})

    def output(self, file: pathlib.Path) -> None:
        self._ask({"do": "output", "file": str(file)})

    def measure(self, seconds: float) -> list[int]:
        return self._ask({"do": "measure", "seconds": seconds})["ns"]

    def close(self) -> None:
        self._process.kill()  # nothing to lose: it only computes
        self._process.communicate()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        line = ""
        try:
            self._process.send_signal(signal.SIGCONT)
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            self._process.send_signal(signal.SIGSTOP)
        except BrokenPipeError:
            pass
        if not line:
            raise EngineError(f"the process ended with code {self._process.wait()}: {self._last_words()}")
        reply = json.loads(line)
        if "error" in reply:
            raise EngineError(reply["error"])
        return reply

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "no message"
