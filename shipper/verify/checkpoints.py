"""The checkpoints of a log, met in order of their size as the tree grows to it.

Reads each when its size is reached; holds none but the last. Roots come from the caller.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

from shipper.errors import FormatError
from shipper.seal import layout, note
from shipper.seal.checkpoint import Checkpoint, decode_checkpoint
from shipper.verify.manifests import from_number, number_in, numbered
from shipper.verify.reader import Reader

PLACE = "checkpoint/"

_TRIED = 64
"""How many of the newest names are tried for one that verifies."""


class Checkpoints:
    """Those of at least `from_size` manifests."""

    def __init__(self, reader: Reader, *, from_size: int) -> None:
        self._reader = reader
        self._listed = numbered(reader, PLACE, after=from_number(PLACE, from_size))
        # The first page is read here, before any manifest is listed: what a daemon ships
        # meanwhile must not look like a checkpoint without its manifests.
        self._next = next(self._listed, None)
        self._last: Checkpoint | None = None

    @property
    def newest_size(self) -> int | None:
        """The size of the last one that verified."""
        return self._last.size if self._last else None

    @property
    def waiting(self) -> bool:
        """Whether some are listed that the tree has not reached."""
        return self._next is not None

    def reach(self, size: int, root: Callable[[], bytes | None]) -> None:
        """The tree has `size` leaves and this root (None: not known): judge those of this size."""
        while self._next is not None and self._next[0] <= size:
            named_size, key = self._next
            self._next = next(self._listed, None)
            found = read_checkpoint(self._reader, key)
            if found is not None:
                self._judge(found, key, root() if named_size == size == found.size else None)

    def finish(self, size: int) -> int:
        """The log ends at `size`: whatever is left promises more than is there.

        Returns the size that was promised, at least `size`.
        """
        promised = size
        while self._next is not None:
            _, key = self._next
            self._next = next(self._listed, None)
            found = read_checkpoint(self._reader, key)
            if found is not None and found.size > size:
                detail = f"it counts {found.size}, there are {size}"
                full = self._reader.full(key)
                self._reader.ledger.add("checkpoint-beyond", detail, seq=found.size - 1, key=full)
                promised = max(promised, found.size)
        return promised

    def _judge(self, found: Checkpoint, key: str, root: bytes | None) -> None:
        ledger, full = self._reader.ledger, self._reader.full(key)
        last, self._last = self._last, found
        if last is not None and last.size == found.size:
            code = "checkpoint-copy" if last.root == found.root else "checkpoint-fork"
            ledger.add(code, seq=found.size - 1, key=full)
        if root is not None and found.root != root:
            ledger.add("checkpoint-root", seq=found.size - 1, key=full)


def read_checkpoint(reader: Reader, key: str) -> Checkpoint | None:
    """The checkpoint at `key` if this log's key signed it; else None, and a problem."""
    signed = reader.signed(key, at=partial(_is_at, key), missing="object-vanished")
    if signed is None:
        return None
    full = reader.full(key)
    try:
        found = decode_checkpoint(signed.text)
    except FormatError as error:
        reader.ledger.add("checkpoint-malformed", error.message, key=full)
        return None
    if found.origin != reader.name:
        reader.ledger.add("checkpoint-malformed", f"it is of the log {found.origin}", key=full)
        return None
    if key != layout.checkpoint(found.size, found.root):
        reader.ledger.add("checkpoint-name", seq=found.size - 1, key=full)
    return found


def _is_at(key: str, body: bytes) -> bool:
    """Whether these are the bytes of a checkpoint of that name."""
    try:
        found = decode_checkpoint(note.parse(body).text)
    except FormatError:
        return False
    return key == layout.checkpoint(found.size, found.root)


def newest_checkpoint(reader: Reader) -> Checkpoint | None:
    """The checkpoint of the largest size that verifies."""
    last = reader.store.last(reader.full(PLACE))
    if last is None:
        return None
    name = last.key[len(reader.full(PLACE)) :]
    if number_in(name) is not None:
        found = read_checkpoint(reader, PLACE + name)
        if found is not None:
            return found
    return _newest_of_many(reader, numbered(reader, PLACE))


def _newest_of_many(reader: Reader, listed: Iterator[tuple[int, str]]) -> Checkpoint | None:
    for _, key in reversed(deque(listed, _TRIED)):
        found = read_checkpoint(reader, key)
        if found is not None:
            return found
    return None
