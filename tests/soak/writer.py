"""The API server of a soak: writes and rotates all the time, and remembers what it wrote."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

from bench.corpus import recording
from bench.replay import LiveLog, play, read_lines

EVENTS_PER_SECOND = 500
ROTATE_BYTES = 16_000_000
"""Every half a minute or so."""

_AUDIT_ID = b'"auditID":"'


class Writer(threading.Thread):
    """Plays a recording again and again until `stop`; every line is unlike all others."""

    def __init__(self, log: Path) -> None:
        super().__init__(name="writer", daemon=True)
        self.written = hashlib.sha256()
        self.bytes = self.lines = 0
        self._log = log
        self._stopped = threading.Event()

    def run(self) -> None:
        with LiveLog(self._log) as live:
            play(self._play(), live, rate=EVENTS_PER_SECOND, rotate_bytes=ROTATE_BYTES)

    def stop(self) -> None:
        """End between two lines; what was written is complete then."""
        self._stopped.set()
        self.join()

    def rotations(self) -> int:
        """How often the log was rotated so far."""
        return len(list(self._log.parent.glob(f"{self._log.stem}-*")))

    def _play(self) -> Iterator[bytes]:
        while True:
            for line in read_lines(recording()):
                if self._stopped.is_set():
                    return
                own = self._own(line)
                yield own
                self.written.update(own)
                self.bytes += len(own)
                self.lines += 1

    def _own(self, line: bytes) -> bytes:
        """The line with an audit id of its own: files that begin alike are taken for one."""
        head, mark, rest = line.partition(_AUDIT_ID)
        return head + mark + b"%08x" % self.lines + rest[8:] if mark else line
