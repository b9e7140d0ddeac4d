"""The one live line of `run` on a terminal. Shows the progress; log lines are printed above it."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import Self, TextIO

from shipper.pipeline.progress import Progress

_INTERVAL_SECONDS = 0.5
_CLEAR = "\r\x1b[K"


class LiveLine:
    """Redraws itself twice a second until left."""

    def __init__(self, progress: Progress, stream: TextIO = sys.stderr) -> None:
        self._progress = progress
        self._stream = stream
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._text = ""
        self._last = (time.monotonic(), 0)
        self._thread = threading.Thread(target=self._redraw, name="live-line", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._draw(self._line())
        self._stream.write("\n")
        self._stream.flush()

    def print_above(self, message: str) -> None:
        """Write a log line and put the live line back below it."""
        with self._lock:
            self._stream.write(f"{_CLEAR}{message}\n{self._text}")
            self._stream.flush()

    def _redraw(self) -> None:
        while not self._ended.wait(_INTERVAL_SECONDS):
            self._draw(self._line())

    def _draw(self, text: str) -> None:
        with self._lock:
            self._text = text
            self._stream.write(_CLEAR + text)
            self._stream.flush()

    def _line(self) -> str:
        now, progress = time.monotonic(), self._progress
        then, events = self._last
        self._last = (now, progress.events)
        rate = (progress.events - events) / max(now - then, 1e-3)
        trouble = f"  ! {progress.trouble}" if progress.trouble else ""
        line = (
            f"{rate:,.0f} events/s  sealed {progress.sealed_seq + 1}"
            f"  shipped {progress.shipped_seq + 1}  head {progress.head[:12] or '-'}"
            f"  lag {progress.pending}{trouble}"
        )
        return line[: _width()]


def _width() -> int:

    return shutil.get_terminal_size().columns - 1
