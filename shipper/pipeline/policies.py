"""The replayed policies on disk: what they were at the end of a record, beside the spool's records.

    policies/000000000123.json     the policies after the last event of record 123

A file is written only when the log has changed something, and just before its record is committed,
so that what is resumed is exactly what was in force where reading goes on:

    stops before `keep`, or inside    the record is not committed: the file before it is there still
    after `keep`                      the same: a file beyond the newest record is removed at the
                                      next start, its lines are read again, and it is written again
    after the commit                  the file is the newest that counts; the one before it goes
    inside or after `forget`          a file too many, which the next start removes

The newest manifest has the hash of what counts, signed: a file that is damaged, gone, old or
somebody else's is never taken for it. Knows no policy language, and judges nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from shipper.disk import Disk
from shipper.envelope import UNDECODABLE
from shipper.errors import SpoolError
from shipper.logs import Logger
from shipper.model import Manifest
from shipper.pipeline.guard import Guard

if TYPE_CHECKING:
    from shipper.rules.guardrails.replay import Replay

DIRECTORY = "policies"
VERSION = "audit-shipper/policies/v1"

_NAME = re.compile(r"(\d{12})\.json")
_PRIVATE_DIRECTORY, _PRIVATE_FILE = 0o700, 0o600


class PolicyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`snapshot_sha256`: what stood in the rule files that the replay began with."""

    version: str
    snapshot_sha256: str
    objects: Sequence[Mapping[str, Any]]
    doubts: Mapping[str, str]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(PolicyFile).decode


class Policies:
    """For the collect thread alone."""

    def __init__(
        self, spool: Path, guard: Guard, *, logger: Logger, disk: Disk | None = None
    ) -> None:
        self._path = spool / DIRECTORY
        self._guard = guard
        self._logger = logger
        self._disk = disk or Disk()
        self._on_disk: set[int] = set()
        self._saved = self.sha256
        """The hash of what a restart would find, if it looked now."""

    @property
    def sha256(self) -> str | None:
        """The hash of the policies at this point of the log; None where the log changes none."""
        replay = self._guard.replay
        return replay.sha256 if replay else None

    def resume(self, newest: Manifest | None) -> None:
        """Go on where the record `newest` stopped, or from the rule files.

        `SpoolError` if the directory can not be read or changed.
        """
        replay = self._guard.replay
        if replay is None and not self._path.is_dir():
            return
        try:
            self._on_disk = self._found(-1 if newest is None else newest.seq)
        except OSError as error:
            raise SpoolError(
                f"{self._path} cannot be used: {error.strerror}", remedy="mend its owner and mode"
            ) from error
        if replay is None or newest is None or newest.agent.policies_sha256 in (UNSET, self.sha256):
            return
        fresh = replay.state
        for seq in sorted(self._on_disk, reverse=True):
            why = self._restored(replay, seq, newest.agent.policies_sha256)
            if not why:
                self._saved = self.sha256
                return
            self._logger.warning("policies_not_resumed", file=self._name(seq).name, reason=why)
        replay.restore(*fresh)  # a notice in the record tells that it begins anew
        self._logger.error("policies_begin_anew", sha256=self.sha256)

    def keep(self, seq: int) -> None:
        """Make the policies durable as those at the end of record `seq`, if they have changed.

        `OSError`: they are not; the same may be tried again.
        """
        replay = self._guard.replay
        if replay is None or self.sha256 == self._saved:
            return
        objects, doubts = replay.state
        page = PolicyFile(
            version=VERSION, snapshot_sha256=replay.snapshot_sha256, objects=objects, doubts=doubts
        )
        name = self._name(seq)
        self._disk.make_directory(self._path, mode=_PRIVATE_DIRECTORY)
        self._disk.replace(name, _encode(page), mode=_PRIVATE_FILE)
        self._on_disk.add(seq)
        self._saved = self.sha256

    def forget(self, seq: int) -> None:
        """Record `seq` is committed: of the files up to it only the newest counts."""
        counted = [one for one in self._on_disk if one <= seq]
        for old in sorted(counted)[:-1]:
            with suppress(OSError):  # the next start tries again
                self._disk.unlink(self._name(old))
                self._on_disk.discard(old)

    def _restored(self, replay: Replay, seq: int, expected: object) -> str:
        """Take over the file of record `seq`; why that can not be, if so."""
        try:
            page = _decode(self._name(seq).read_bytes())
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        except UNDECODABLE as error:
            return f"damaged: {error}"
        if page.version != VERSION:
            return f"of version {page.version!r}"
        if page.snapshot_sha256 != replay.snapshot_sha256:
            return "began with other rule files"
        replay.restore(page.objects, page.doubts)
        return "" if replay.sha256 == expected else "not what the newest record says"

    def _found(self, newest: int) -> set[int]:
        """The files of committed records; what a crash left beyond them is removed."""
        if not self._path.is_dir():
            return set()
        found = set()
        for path in self._path.iterdir():
            match = _NAME.fullmatch(path.name)
            if match and int(match[1]) <= newest:
                found.add(int(match[1]))
            elif match or path.suffix == ".tmp":
                self._disk.unlink(path)
        return found

    def _name(self, seq: int) -> Path:
        return self._path / f"{seq:012d}.json"
