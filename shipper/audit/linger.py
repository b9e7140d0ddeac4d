"""Descriptors of files that were left behind although the API server may still write to them.

Never holds more than two, and none that was rotated the API server's own way: it has closed those.

An outside rename or `unlink` does not make the API server open a new file: it goes on writing to
the old one, and nothing in its metrics says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shipper.audit.access import shown
from shipper.audit.plain import State
from shipper.audit.tail import Finished, Step, Tail, notice

LINGER_FILES = 2
LINGER_SECONDS = 600.0
"""How long a file may be silent before it is let go: a deleted file's disk space is free only then.
An API server that is alive writes several events a second."""


@dataclass
class _Entry:
    tail: Tail
    last_grown: float


class Lingering:
    """The files last left behind, oldest first."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._entries: list[_Entry] = []

    def add(self, tail: Tail) -> list[Step]:
        """Keep `tail`; returned is what ends the one that has to make room, if any."""
        self._entries.append(_Entry(tail, self._monotonic()))
        return self._drop(self._entries[0]) if len(self._entries) > LINGER_FILES else []

    def poll(self, size: int) -> list[Step]:
        """What one of them has to say, or nothing. One system call for each that is silent."""
        for entry in self._entries:
            segment = entry.tail.pull(size)
            if segment is not None:
                entry.last_grown = self._monotonic()
                return [segment]
            if entry.tail.source.state is not State.SOUND:
                return self._truncated(entry)
            if self._monotonic() - entry.last_grown > LINGER_SECONDS:
                return self._drop(entry)
        return []

    def close(self) -> None:
        """Close all that are left."""
        for entry in self._entries:
            entry.tail.source.close()
        self._entries.clear()

    def _truncated(self, entry: _Entry) -> list[Step]:
        source = entry.tail.source
        detail = (
            f"{shown(source.path)} (inode {source.inode}), which had been left for its successor, "
            f"was truncated after byte {source.offset}: it is not read any further"
        )
        return [notice("source-truncated", detail), *self._drop(entry, was_live=False)]

    def _drop(self, entry: _Entry, *, was_live: bool = True) -> list[Step]:
        self._entries.remove(entry)
        torn = entry.tail.torn()
        end = Finished(entry.tail.source, was_live)
        return [end] if torn is None else [torn, end]
