"""What a verification says: verdicts, problems, facts. Values only.

Refuses to decide anything but how verdicts add up to one exit code.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from shipper.model import Supersedes

REPORT_VERSION = 1

Question = Literal["integrity", "completeness", "freshness", "retention", "anchored"]
State = Literal["holds", "fails", "not asked", "unknown"]
Depth = Literal["full", "chain"]

EXIT_CODES: dict[Question, int] = {
    "integrity": 1,
    "completeness": 4,
    "freshness": 5,
    "retention": 6,
    "anchored": 7,
}
COULD_NOT_CHECK = 3

_BY_WEIGHT: tuple[State, ...] = ("fails", "unknown", "holds", "not asked")


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it should be. `state` is what it makes of its verdict."""

    verdict: Question
    state: Literal["fails", "unknown"]
    code: str
    log: str
    seq: int | None
    key: str | None
    says: str


class Noticed(msgspec.Struct, frozen=True):
    """Something remarkable that the daemon itself has sealed: a notice, or a lock not required."""

    seq: int
    reason: str
    detail: str


class Verdicts(msgspec.Struct, frozen=True):
    """The five answers. `not asked` is no answer, and no failure."""

    integrity: State = "holds"
    completeness: State = "holds"
    freshness: State = "not asked"
    retention: State = "not asked"
    anchored: State = "not asked"


class SeenHead(msgspec.Struct, frozen=True):
    """The newest manifest that was verified: `sha256` is that of its text."""

    seq: int
    sha256: str
    wall: datetime | None


class LogReport(msgspec.Struct, frozen=True, kw_only=True):
    """One log: what was read, what it proves, what is wrong with it.

    `first_seq` is the first manifest that this run verified; `resumed` says that those before it
    were verified by an earlier run (head file). `data_batches` counts the batches whose data was
    asked for, from `data_first_seq` to `data_last_seq`; `lines`, `raw_bytes` and `findings` count
    what of it verified. `copies` counts versions beside an object that have its bytes: repeated
    uploads, on services without conditional writes. `locked_versions` were asked for, and have a
    lock; the first lock ends at `first_lock_ends`. `more_problems` counts those not kept, by code.
    """

    origin: str
    path: str
    key: str | None
    verdicts: Verdicts
    depth: Depth
    first_seq: int | None
    resumed: bool
    manifests: int
    data_batches: int
    data_first_seq: int | None
    data_last_seq: int | None
    lines: int
    raw_bytes: int
    findings: int
    copies: int
    locked_versions: int
    first_lock_ends: datetime | None
    head: SeenHead | None
    supersedes: Supersedes | None
    superseded_by: str | None
    problems: list[Problem]
    more_problems: dict[str, int]
    notices: list[Noticed]
    more_notices: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The archive. `problems` are those that belong to no log."""

    version: int
    store: str
    verified_at: datetime
    since: datetime | None
    until: datetime | None
    verdicts: Verdicts
    exit_code: int
    logs: list[LogReport]
    problems: list[Problem]


def together(states: Iterable[State]) -> State:
    """One answer out of many: the worst, and `not asked` only where nothing else is there."""
    return min(states, key=_BY_WEIGHT.index, default="not asked")


def overall(verdicts: Iterable[Verdicts]) -> Verdicts:
    """The archive's verdicts from those of its logs."""
    known = list(verdicts)
    return Verdicts(*(together(getattr(one, name) for one in known) for name in EXIT_CODES))


def exit_code(verdicts: Iterable[Verdicts]) -> int:
    """0 if all that was asked holds; else the lowest code of all that fails or is unknown."""
    codes = {0}
    for one in verdicts:
        for name, code in EXIT_CODES.items():
            state: State = getattr(one, name)
            if state in ("fails", "unknown"):
                codes.add(code if state == "fails" else COULD_NOT_CHECK)
    return min(codes - {0}, default=0)
