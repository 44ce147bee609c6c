"""A progress bar in plain text: one line that is rewritten on a terminal, and nothing in a log file."""

import sys
import time


class ProgressBar:
    """Iterates over `batches`, showing how far it is. `set(text)` changes what stands behind the bar."""

    WIDTH = 30
    INTERVAL = 0.2  # seconds between two drawings

    def __init__(self, batches, title, stream=None, enabled=None):
        self._batches, self._title = batches, title
        self._stream = stream or sys.stderr
        self._enabled = self._stream.isatty() if enabled is None else enabled
        self._text, self._drawn, self._start = "", 0.0, time.monotonic()

    def set(self, text):
        self._text = text

    def __iter__(self):
        total, done = len(self._batches), 0
        self._start = time.monotonic()
        for batch in self._batches:
            yield batch
            done += 1
            if self._enabled and (done == total or time.monotonic() - self._drawn > self.INTERVAL):
                self._draw(done, total)
        if self._enabled:
            self._stream.write("\n")

    def _draw(self, done, total):
        self._drawn = time.monotonic()
        left = (self._drawn - self._start) / done * (total - done)
        bar = "#" * (self.WIDTH * done // total)
        self._stream.write(f"\r{self._title} [{bar:<{self.WIDTH}}] {done}/{total} {left:4.0f} s left  {self._text} ")
        self._stream.flush()
