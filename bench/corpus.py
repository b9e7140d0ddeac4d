"""The input of the benchmarks: a recording of a real API server, repeated to the size asked for.

`../shared/corpora/load/audit.log.zst` (134 MB of log, beside the repository) if it is there, else
the largest recording in `tests/data`. The copy is fsynced and left in the page cache, so that no
benchmark pays for the disk's read or for somebody else's write-back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import zstandard

ROOT = Path(__file__).resolve().parent.parent
LOAD = ROOT.parent / "shared" / "corpora" / "load" / "audit.log.zst"

_BLOCK_BYTES = 1024 * 1024


class NoCorpusError(Exception):
    """There is no recording to measure with."""


def recording() -> Path:
    """The recording that the input is made of."""
    if LOAD.exists():
        return LOAD
    found = sorted(
        (ROOT / "tests" / "data").rglob("*.log.zst"), key=lambda path: path.stat().st_size
    )
    if not found:
        raise NoCorpusError(f"no recording: neither {LOAD} nor tests/data/**/*.log.zst")
    return found[-1]


def write(target: Path, size: int) -> int:
    """Write the recording to `target`, again and again, up to `size` bytes, cut after a line.

    Returns the number of bytes written.
    """
    written = 0
    with target.open("wb") as file:
        for block in blocks(size):
            file.write(block)
            written += len(block)
        file.flush()
        os.fsync(file.fileno())
    return written


def blocks(size: int) -> Iterator[bytes]:
    """Whole lines in pieces of about 1 MiB, `size` bytes of them or a little less."""
    source = recording()
    left = size
    while left > 0:
        with zstandard.open(source, "rb") as stream:
            rest = b""
            while left > 0 and (data := stream.read(_BLOCK_BYTES)):
                lines, rest = _whole(rest + data)
                if len(lines) > left:
                    lines = _whole(lines[:left])[0]
                    left = 0
                left -= len(lines)
                if lines:
                    yield lines


def _whole(data: bytes) -> tuple[bytes, bytes]:
    cut = data.rfind(b"\n") + 1
    return data[:cut], data[cut:]
