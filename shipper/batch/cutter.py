"""When a batch ends. Pure decisions over bytes and ages; reads no clock."""

from __future__ import annotations

MAX_LINES = 65_536
"""Lines in a batch, so that a log of empty lines cannot fill the memory with leaf hashes."""

MAX_SOURCES = 8
"""Source files in a batch: each takes up to 2 KiB of a manifest that must stay under 64 KiB."""


def split(data: bytes, *, room_bytes: int, room_lines: int, empty: bool) -> int:
    """How many of `data`'s bytes still belong to this batch: whole lines that fit.

    `data` is whole lines, or one piece of a line. A batch that is `empty` takes at least one line,
    however long, so that the log moves on. 0: the batch is full.
    """
    if room_lines <= 0:
        return 0
    if len(data) <= room_bytes:
        end = len(data)
    else:
        end = data.rfind(b"\n", 0, max(0, room_bytes)) + 1
        if not end and empty:
            end = data.find(b"\n") + 1 or len(data)
    return _first_lines(data, end, room_lines)


def _first_lines(data: bytes, end: int, room_lines: int) -> int:
    # Counting costs time on every byte; a line has at least its newline.
    if end <= room_lines or data.count(b"\n", 0, end) <= room_lines:
        return end
    position = 0
    for _ in range(room_lines):
        position = data.index(b"\n", position) + 1
    return position


def due(*, now_ns: int, opened_ns: int, max_age_seconds: float) -> bool:
    """Whether a batch that was opened at `opened_ns` has waited long enough."""
    return now_ns - opened_ns >= max_age_seconds * 1e9
