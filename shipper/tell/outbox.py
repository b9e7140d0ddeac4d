"""The durable queue of alerts, beside the records of the spool, and how far each receiver has come.

    alerts/000000000123.alerts     what record 123 gives cause to tell
    alerts/<receiver>.cursor       the next alert that it is to be told of, and its counts
    alerts/<receiver>.trouble      what is wrong with it, for `audit-shipper status`
    alerts/dead-letters.ndjson     the newest alerts that were given up

What is true when the process, or the power, stops:

    before or inside `put`     the record is not committed; its lines are read, and it is put, again
    after `put`                the same: what lies beyond the spool's newest record is removed, and
                               durably so, at the next start, for its record never came to be
    after the commit           the alerts are there and are told at the next start
    after the receiver's yes,  the receiver is told once more: at least once; the alert's id tells
    before or inside `advance` it that it knows it already
    after `advance`            nothing is told twice; a file that all have passed may come back, and
                               is removed at the next start

Reads no network and decides nothing about receivers. Its size is bounded: beyond that the oldest
alerts are dropped, with a count and an error in the log; sealing never waits for it.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct, structs

from shipper.disk import Disk
from shipper.errors import SpoolError
from shipper.logs import Logger
from shipper.model import Alerts, Count
from shipper.tell.dead import DeadLetters
from shipper.tell.limit import Held

DIRECTORY = "alerts"

MOST_BYTES = 64 * 2**20
"""Some 50,000 alerts: hours of an attack with every receiver away."""

_ALERTS = re.compile(r"(\d{12})\.alerts")
_OF_RECEIVER = re.compile(r"([a-z0-9-]+)\.(?:cursor|trouble)")
_PRIVATE_DIRECTORY, _PRIVATE_FILE = 0o700, 0o600


class Cursor(Struct, frozen=True, forbid_unknown_fields=True):
    """How far one receiver has come: the next alert is number `index` of record `seq`.

    `told`, `dead` and `held_back` count alerts since the receiver was first configured; `held` are
    those that were held back and not spoken of yet.
    """

    seq: Count
    index: Count = 0
    told: Count = 0
    dead: Count = 0
    held_back: Count = 0
    held: Held = Held()


_encode = msgspec.json.Encoder().encode
_decode_alerts = msgspec.json.Decoder(Alerts).decode
_decode_cursor = msgspec.json.Decoder(Cursor).decode


class Outbox:
    """An open queue. `put` belongs to the collect thread, all else to the receivers' tasks."""

    def __init__(
        self,
        spool: Path,
        receivers: Iterable[str],
        *,
        newest: int | None,
        logger: Logger,
        disk: Disk | None = None,
    ) -> None:
        """Open the queue below `spool`, whose newest record is `newest`; `SpoolError` if it cannot.

        A receiver that was not configured before begins with the next record.
        """
        self._path = spool / DIRECTORY
        self._disk = disk or Disk()
        self._logger = logger
        self._changing = threading.Lock()
        self._unwritten: dict[int, bytes] = {}
        self.dropped = 0
        self.dead_letters = DeadLetters(self._path, disk=self._disk)
        names = list(receivers)
        committed = -1 if newest is None else newest
        with _outbox_errors(self._path):
            self._disk.make_directory(self._path, mode=_PRIVATE_DIRECTORY)
            self._sizes = self._recover(committed, names)
            self._numbers = sorted(self._sizes)
            self._cursors = {name: self._cursor(name, first=committed + 1) for name in names}
            self._disk.sync_directory(self._path)
            self._prune()

    def put(self, alerts: Alerts, *, number: int | None = None) -> None:
        """Make what a record gives cause to tell durable, just before the record is committed.

        `number` is its place in the queue, beyond all before; by default the record's.

        `OSError`: it is in memory alone, and will be told unless the process ends before. The same
        record may be put again.
        """
        seq, body = alerts.evidence.seq if number is None else number, _encode(alerts)
        with self._changing:
            if seq in self._sizes:
                self._remove(seq)
            self._make_room(len(body))
            self._numbers.append(seq)
            self._sizes[seq] = len(body)
            self._unwritten[seq] = body
        self._disk.write(self._file(seq), body, mode=_PRIVATE_FILE)
        self._disk.sync_directory(self._path)
        with self._changing:
            self._unwritten.pop(seq, None)

    def next(self, seq: int, *, until: int) -> int | None:
        """The first record from number `seq` to `until` that has alerts."""
        with self._changing:
            place = bisect_left(self._numbers, seq)
            found = self._numbers[place] if place < len(self._numbers) else None
        return found if found is not None and found <= until else None

    def load(self, seq: int) -> Alerts | None:
        """The alerts of record `seq`; None if they were dropped or are damaged."""
        with self._changing:
            body = self._unwritten.get(seq)
        try:
            return _decode_alerts(self._file(seq).read_bytes() if body is None else body)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError as error:
            self._logger.error("alerts_damaged", seq=seq, error=str(error))  # noqa: TRY400 it says all
            return None

    def cursor(self, name: str) -> Cursor:
        """How far the receiver `name` has durably come."""
        return self._cursors[name]

    def pending(self, name: str) -> int:
        """Records with alerts that the receiver `name` has not passed yet."""
        with self._changing:
            return len(self._numbers) - bisect_left(self._numbers, self._cursors[name].seq)

    def advance(self, name: str, cursor: Cursor) -> None:
        """The receiver `name` has done with all alerts before `cursor`; drop what all have done.

        After an `OSError` it is told again at the next start, unless a later call succeeds.
        """
        final = self._path / f"{name}.cursor"
        self._disk.replace(final, _encode(cursor), mode=_PRIVATE_FILE)
        self._cursors[name] = cursor
        self._prune()

    def trouble(self, name: str, trouble: str) -> None:
        """Leave word for `status` of what is wrong with a receiver; nothing, once it is not."""
        path = self._path / f"{name}.trouble"
        with suppress(OSError):  # the daemon's log says it too
            if trouble:
                path.write_text(trouble + "\n", encoding="utf-8")
            else:
                path.unlink(missing_ok=True)

    def _file(self, seq: int) -> Path:
        return self._path / f"{seq:012d}.alerts"

    def _make_room(self, size: int) -> None:
        excess = sum(self._sizes.values()) + size - MOST_BYTES
        while excess > 0 and self._numbers:
            oldest = self._numbers[0]
            excess -= self._sizes[oldest]
            self._remove(oldest)
            self.dropped += 1
            self._logger.error("alerts_dropped", seq=oldest, records=self.dropped, limit=MOST_BYTES)

    def _prune(self) -> None:
        passed = min((cursor.seq for cursor in self._cursors.values()), default=0)
        with self._changing:
            while self._numbers and self._numbers[0] < passed:
                self._remove(self._numbers[0])

    def _remove(self, seq: int) -> None:
        self._disk.unlink(self._file(seq))
        self._numbers.remove(seq)
        del self._sizes[seq]
        self._unwritten.pop(seq, None)

    def _recover(self, newest: int, names: list[str]) -> dict[int, int]:
        """Read the directory; remove what was never committed, and what belongs to nobody."""
        sizes = {}
        for path in list(self._path.iterdir()):
            if match := _ALERTS.fullmatch(path.name):
                if int(match[1]) <= newest:
                    sizes[int(match[1])] = path.stat().st_size
                    continue
            elif match := _OF_RECEIVER.fullmatch(path.name):
                if match[1] in names:
                    continue
            elif not path.name.endswith(".tmp"):
                continue
            self._disk.unlink(path)
        return sizes

    def _cursor(self, name: str, *, first: int) -> Cursor:
        """Where `name` goes on; a new receiver's place is durable before anything is put."""
        cursor = Cursor(seq=first)
        try:
            found = _decode_cursor((self._path / f"{name}.cursor").read_bytes())
            if found.seq <= first:
                return found
            # Somebody has removed the records and left the cursors: the numbers begin anew.
            cursor = structs.replace(found, seq=first, index=0)
        except FileNotFoundError:
            pass
        except msgspec.MsgspecError as error:
            self._logger.error("alerts_damaged", receiver=name, error=str(error))  # noqa: TRY400 it says all
            cursor = Cursor(seq=0)  # rather twice than never
        self._disk.write(self._path / f".{name}.cursor.tmp", _encode(cursor), mode=_PRIVATE_FILE)
        self._disk.rename(self._path / f".{name}.cursor.tmp", self._path / f"{name}.cursor")
        return cursor


class Waiting(NamedTuple):
    """How one receiver stands; `records` with alerts that it has not passed yet."""

    name: str
    records: int
    cursor: Cursor
    trouble: str


def inspect(spool: Path) -> list[Waiting]:
    """How each receiver stands, by its name, without lock or change."""
    path = spool / DIRECTORY
    if not path.is_dir():
        return []
    numbers = [int(match[1]) for one in path.iterdir() if (match := _ALERTS.fullmatch(one.name))]
    found = []
    for cursor_path in sorted(path.glob("*.cursor")):
        with suppress(FileNotFoundError, msgspec.MsgspecError):
            cursor = _decode_cursor(cursor_path.read_bytes())
            trouble = cursor_path.with_suffix(".trouble")
            said = trouble.read_text(encoding="utf-8").strip() if trouble.exists() else ""
            records = sum(number >= cursor.seq for number in numbers)
            found.append(Waiting(cursor_path.stem, records, cursor, said))
    return found


@contextmanager
def _outbox_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SpoolError(
            f"the alerts in {path} cannot be used: {error.strerror or error}",
            remedy="it must be a directory on a local disk that the daemon may write",
        ) from error
