"""What an attacker does to a store that keeps versions and locks: hide, overlay, unlock.

Each row names the threat of docs/threat-model.md that it carries out. The store behaves as an S3
bucket does: nothing goes away, the newest version or marker is what a plain GET meets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shipper.errors import FormatError, NotFoundError, UnknownError
from shipper.store.base import Check, Entry, Lock, Stored
from shipper.verify.request import Retention
from tests.verify.archive import BEGIN, Log, keys_of, objects
from tests.verify.attacks import KINDS, Base, flip, one_of

YEAR = BEGIN + timedelta(days=365)


class Bucket:
    """The objects of a log in memory, each as one version with a lock. `None` is a marker."""

    url = "s3://archive"
    parallel = 2

    def __init__(self, log: Log, *, lock: Lock | None = Lock("COMPLIANCE", YEAR)) -> None:  # noqa: B008 a constant
        self.log = log
        self.stored: dict[str, list[bytes | None]] = {k: [b] for k, b in objects(log).items()}
        self.default = lock
        self.locks: dict[tuple[str, int], Lock | None] = {}
        self.silent = False

    # ---- what the attacker does

    def hide(self, key: str) -> None:
        self.stored[key].append(None)

    def overlay(self, key: str, body: bytes) -> None:
        self.stored.setdefault(key, []).append(body)

    def expire(self, key: str) -> None:
        """Delete every version, as is possible once their locks have ended."""
        self.stored[key] = [None]

    # ---- the protocol

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        raise NotImplementedError

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        stored = self.stored.get(key, [None])
        body = stored[int(version) - 1] if version else stored[-1]
        if body is None:
            raise NotFoundError(f"there is no {key}")
        if len(body) > max_bytes:
            raise FormatError(f"{key} has {len(body)} bytes, more than {max_bytes}")
        return body

    def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        for key in sorted(self.stored):
            if key.startswith(prefix) and key > after:
                bodies = [body for body in self.stored[key] if body is not None]
                version = next(iter(self.versions(key)), "")
                size = len(bodies[0]) if bodies else 0
                markers = len(self.stored[key]) - len(bodies)
                yield Entry(key, size, len(bodies), markers, version)

    def last(self, prefix: str) -> Entry | None:
        return max((e for e in self.scan(prefix) if "/" not in e.key[len(prefix) :]), default=None)

    def children(self, prefix: str) -> list[str]:
        below = {key[len(prefix) :] for key in self.stored if key.startswith(prefix)}
        return sorted({path.split("/", 1)[0] for path in below if "/" in path})

    def versions(self, key: str) -> Sequence[str]:
        stored = self.stored.get(key, [])
        return [str(n + 1) for n, body in enumerate(stored) if body is not None]

    def lock(self, key: str, version: str) -> Lock | None:
        if self.silent:
            raise UnknownError("GetObjectRetention: AccessDenied")
        return self.locks.get((key, int(version)), self.default)

    def preflight(self) -> Iterator[Check]:
        raise NotImplementedError


@dataclass(frozen=True)
class Interference:
    """`do` changes a good bucket; `verify` must find `codes`, no other, and this exit code."""

    threat: str
    name: str
    do: Callable[[Bucket], object]
    codes: frozenset[str]
    exit_code: int
    base: Base = "small"
    asked: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.threat} {self.name}"


def _all(act: Callable[[Bucket, str], object]) -> Callable[[Bucket], None]:
    def do(bucket: Bucket) -> None:
        for key in list(bucket.stored):
            act(bucket, key)

    return do


def _one(kind: str, act: Callable[[Bucket, str], object]) -> Callable[[Bucket], None]:
    def do(bucket: Bucket) -> None:
        act(bucket, one_of(kind, bucket.log))

    return do


def _flipped(bucket: Bucket, key: str) -> None:
    bucket.overlay(key, flip(objects(bucket.log)[key]))


def _longer(bucket: Bucket, key: str) -> None:
    bucket.overlay(key, objects(bucket.log)[key] * 3)


def _another(kind: str) -> Callable[[Bucket], None]:
    """The next object's bytes, which are properly signed, over this one's."""

    def do(bucket: Bucket) -> None:
        one, other = KINDS[kind][1](bucket.log)
        bucket.overlay(one, objects(bucket.log)[other])

    return do


def _hidden_and_overlaid(bucket: Bucket, key: str) -> None:
    bucket.hide(key)
    bucket.overlay(key, b"nothing to see here\n")
    bucket.hide(key)


def _flood(bucket: Bucket, key: str) -> None:
    for number in range(40):
        bucket.overlay(key, b"%d\n" % number)


def _locked(lock: Lock | None) -> Callable[[Bucket, str], None]:
    def act(bucket: Bucket, key: str) -> None:
        bucket.locks[key, 1] = lock

    return act


def _silence(bucket: Bucket) -> None:
    bucket.silent = True


def _unlocked_copy(bucket: Bucket, key: str) -> None:
    bucket.overlay(key, objects(bucket.log)[key])
    bucket.locks[key, 2] = None


_CHAIN = {"depth": "chain"}
_HIDDEN, _OVERLAID = frozenset({"object-hidden"}), frozenset({"object-overlaid"})


def _of_a_kind(kind: str, base: Base) -> list[Interference]:
    over = {
        "one bit": _one(kind, _flipped),
        "longer": _one(kind, _longer),
        "another's bytes": _another(kind),
        "forty versions": _one(kind, _flood),
    }
    both = _HIDDEN | _OVERLAID
    return [
        Interference("T31", f"{kind}: hidden", _one(kind, Bucket.hide), _HIDDEN, 1, base),
        Interference("T32", f"{kind}: both", _one(kind, _hidden_and_overlaid), both, 1, base),
        *(Interference("T32", f"{kind}: {n}", do, _OVERLAID, 1, base) for n, do in over.items()),
    ]


def _until(moment: datetime, **more: Any) -> dict[str, Any]:
    return {"retention": Retention(moment, **more)}


VERSIONS: list[Interference] = [
    *(row for kind, (base, _) in KINDS.items() for row in _of_a_kind(kind, base)),
    Interference("T31", "all hidden, small", _all(Bucket.hide), _HIDDEN, 1),
    Interference("T31", "all hidden, tall", _all(Bucket.hide), _HIDDEN, 1, "tall"),
    Interference("T31", "all hidden, chain", _all(Bucket.hide), _HIDDEN, 1, "tall", _CHAIN),
    Interference("T32", "all overlaid", _all(_flipped), _OVERLAID, 1, "tall"),
    Interference("T32", "all overlaid, chain", _all(_flipped), _OVERLAID, 1, "tall", _CHAIN),
    Interference("T32", "bundles swapped, chain", _another("bundle"), _OVERLAID, 1, "tall", _CHAIN),
    Interference("T02", "a manifest deleted once its lock had ended",
                 lambda bucket: bucket.expire(keys_of(bucket.log, "manifest/")[3]),
                 _HIDDEN | {"manifest-missing"}, 1),
    Interference("T33", "an object without a lock", _one("events", _locked(None)),
                 frozenset({"lock-missing"}), 6, asked=_until(BEGIN + timedelta(days=30))),
    Interference("T33", "log.note without a lock", _one("log.note", _locked(None)),
                 frozenset({"lock-missing"}), 6, asked=_until(BEGIN + timedelta(days=30))),
    Interference("T33", "an object with a shorter lock",
                 _one("manifest", _locked(Lock("COMPLIANCE", BEGIN + timedelta(days=3)))),
                 frozenset({"lock-short"}), 6, asked=_until(BEGIN + timedelta(days=30))),
    Interference("T33", "a lock that can be bypassed",
                 _one("tile", _locked(Lock("GOVERNANCE", YEAR))), frozenset({"lock-weak"}), 6,
                 "tall", _until(BEGIN + timedelta(days=30))),
    Interference("T33", "a lock that can be bypassed, chain alone",
                 _one("events", _locked(Lock("GOVERNANCE", YEAR))), frozenset({"lock-weak"}), 6,
                 asked=_until(BEGIN + timedelta(days=30)) | _CHAIN),
    Interference("T33", "a repeated upload without a lock", _one("bundle", _unlocked_copy),
                 frozenset({"lock-missing"}), 6, "tall", _until(BEGIN + timedelta(days=30))),
    Interference("T34", "the store does not say", _silence, frozenset({"lock-unknown"}), 3,
                 asked=_until(BEGIN + timedelta(days=30))),
]  # fmt: skip
