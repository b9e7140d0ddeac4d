"""What an attacker on the store does: to each kind of object, each way to tamper with it.

Each row names the threat of docs/threat-model.md that it carries out.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from shipper.seal import note
from shipper.seal.keys import VerifierKey
from shipper.seal.note import Signature
from shipper.store.memory import MemoryStore
from tests.verify.archive import (
    NODE,
    ORIGIN,
    PREFIX,
    Log,
    fill_small,
    keys_of,
    line,
    objects,
    signer,
    small,
    tall,
)

Base = Literal["small", "tall"]


@dataclass(frozen=True)
class Attack:
    """`do` changes a good log; `verify` must then find `code` and end with `exit_code`.

    `remember`: the log was seen before, by a head file. `asked`: of the verification.
    """

    threat: str
    name: str
    do: Callable[[Log], object]
    code: str
    exit_code: int
    base: Base = "small"
    remember: bool = False
    asked: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.threat} {self.name}"


@cache
def _good_tall() -> Log:
    return tall()


def fresh(base: Base) -> Log:
    """A good log of one's own."""
    if base == "small":
        return small()
    log = copy.copy(_good_tall())
    log.store = MemoryStore()
    objects(log).update(objects(_good_tall()))
    return log


# ---- the objects of each kind that are attacked: one in the middle, and another one

KINDS: dict[str, tuple[Base, Callable[[Log], tuple[str, str]]]] = {
    "log.note": ("small", lambda log: (PREFIX + "log.note", keys_of(log, "manifest/")[0])),
    "manifest": ("small", lambda log: (keys_of(log, "manifest/")[3], keys_of(log, "manifest/")[5])),
    "events": ("small", lambda log: (keys_of(log, "events/")[1], keys_of(log, "events/")[2])),
    "findings": ("small", lambda log: (keys_of(log, "findings/")[0], keys_of(log, "findings/")[1])),
    "checkpoint": (
        "small",
        lambda log: (keys_of(log, "checkpoint/")[1], keys_of(log, "checkpoint/")[2]),
    ),
    "tile": ("tall", lambda log: (PREFIX + "tile/0/000", PREFIX + "tile/0/001")),
    "bundle": ("tall", lambda log: (PREFIX + "tile/entries/000", PREFIX + "tile/entries/001")),
}


def one_of(kind: str, log: Log) -> str:
    """The object of this kind that is attacked."""
    return KINDS[kind][1](log)[0]


def change(kind: str, edit: Callable[[bytes], bytes]) -> Callable[[Log], None]:
    """An attack that gives one object other bytes."""

    def do(log: Log) -> None:
        key = one_of(kind, log)
        objects(log)[key] = edit(objects(log)[key])

    return do


def flip(body: bytes, at: int | None = None) -> bytes:
    """One bit in the middle."""
    at = len(body) // 2 if at is None else at
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def swap(kind: str) -> Callable[[Log], None]:
    """Two objects exchange their bytes."""

    def do(log: Log) -> None:
        one, other = KINDS[kind][1](log)
        held = objects(log)
        held[one], held[other] = held[other], held[one]

    return do


def delete(kind: str) -> Callable[[Log], None]:
    """One object is gone."""

    def do(log: Log) -> None:
        del objects(log)[one_of(kind, log)]

    return do


def delete_all(*kinds: str, last: int | None = None) -> Callable[[Log], None]:
    """All objects of these kinds are gone (or the `last` so many)."""

    def do(log: Log) -> None:
        for kind in kinds:
            keys = keys_of(log, kind)
            for key in keys if last is None else keys[-last:]:
                del objects(log)[key]

    return do


def rename(old: str, new: str, *, keep: bool = True) -> Callable[[Log], None]:
    """The objects whose key holds `old` are there under `new` too (or instead)."""

    def do(log: Log) -> None:
        for key in [key for key in objects(log) if old in key]:
            objects(log)[key.replace(old, new)] = objects(log)[key]
            if not keep:
                del objects(log)[key]

    return do


def put(key: str, body: bytes = b"junk") -> Callable[[Log], None]:
    """A foreign object lies in the log's place."""
    return lambda log: objects(log).update({PREFIX + key: body})


def bring_in(kind: str, *, instead: bool) -> Callable[[Log], None]:
    """Another log's objects of this kind are there too, or instead."""

    def do(log: Log) -> None:
        other = Log(MemoryStore(), f"{NODE}/00000000000000bb")
        other.batch(line(77))
        fill_small(other)
        if instead:
            delete_all(kind)(log)
        for key in keys_of(other, kind):
            objects(log)[key.replace(other.prefix, log.prefix)] = objects(other)[key]

    return do


def resign(kind: str, seed: int) -> Callable[[Log], None]:
    """One note is signed by another key under this log's name."""

    def do(log: Log) -> None:
        key = one_of(kind, log)
        text = note.parse(objects(log)[key]).text
        objects(log)[key] = note.encode(text, signature(text, seed))

    return do


def signature(text: bytes, seed: int = 1, name: str = ORIGIN) -> Signature:
    """A signature line of the key `seed`."""
    own = signer(seed)
    return Signature(name, own.key.key_id(name), own.sign(text))


def dress(kind: str, edit: Callable[[bytes, bytes], bytes]) -> Callable[[Log], None]:
    """One note is written another way: `edit` gets its text and its one signature line."""

    def encode(body: bytes) -> bytes:
        text = note.parse(body).text
        return edit(text, body[len(text) + 1 :])

    return change(kind, encode)


_STRANGER = VerifierKey(bytes(range(32)))
_OTHERS = [
    Signature(f"witness{n}", _STRANGER.key_id(f"witness{n}"), bytes([n]) * 64) for n in range(17)
]

FLIPPED = {
    "log.note": "note-unsigned",
    "manifest": "note-unsigned",
    "events": "data-hash",
    "findings": "data-hash",
    "checkpoint": "note-unsigned",
    "tile": "tile-wrong",
    "bundle": "bundle-wrong",
}
CUT = FLIPPED | {"log.note": "note-malformed", "manifest": "note-malformed"} | {
    "checkpoint": "note-malformed"
}  # fmt: skip
LENGTHENED = {
    "events": "data-unreadable",
    "findings": "data-unreadable",
    "tile": "object-unreadable",
}
DELETED = {
    "log.note": "identity-missing",
    "manifest": "manifest-missing",
    "events": "data-missing",
    "findings": "data-missing",
    "tile": "tile-missing",
    "bundle": "bundle-missing",
}
DELETION_THREATS = {"manifest": "T02", "events": "T05", "findings": "T05"}
SWAPPED = FLIPPED | {
    "manifest": "manifest-number",
    "checkpoint": "checkpoint-name",
    "log.note": "identity-malformed",
}


def _each_kind() -> list[Attack]:
    rows = []
    for kind, (base, _) in KINDS.items():
        rows += [
            Attack("T01", f"{kind}: one bit", change(kind, flip), FLIPPED[kind], 1, base),
            Attack(
                "T01", f"{kind}: cut in half", change(kind, lambda body: body[: len(body) // 2]),
                CUT[kind], 1, base,
            ),
            Attack(
                "T01", f"{kind}: last byte gone", change(kind, lambda body: body[:-1]),
                CUT[kind], 1, base,
            ),
            Attack("T01", f"{kind}: emptied", change(kind, lambda _: b""), CUT[kind], 1, base),
            Attack(
                "T01", f"{kind}: a byte more", change(kind, lambda body: body + b"\n"),
                LENGTHENED.get(kind, CUT[kind]), 1, base,
            ),
            Attack("T08", f"{kind}: two swapped", swap(kind), SWAPPED[kind], 1, base),
        ]  # fmt: skip
        if kind in DELETED:
            threat = DELETION_THREATS.get(kind, "T06")
            rows.append(Attack(threat, f"{kind}: deleted", delete(kind), DELETED[kind], 4, base))
    return rows


def _each_note() -> list[Attack]:
    rows = []
    for kind in ("log.note", "manifest", "checkpoint"):
        rows += [
            Attack("T12", f"{kind}: by a stranger's key", resign(kind, 9), "note-unsigned", 1),
            Attack(
                "T12", f"{kind}: by another trusted key", resign(kind, 2), "note-other-key", 1,
                asked={"keys": (signer(1), signer(2))},
            ),
            Attack(
                "T13", f"{kind}: 17 signatures",
                dress(kind, lambda text, _: note.encode(text, *_OTHERS)), "note-malformed", 1,
            ),
            Attack(
                "T13", f"{kind}: only strangers have signed",
                dress(kind, lambda text, _: note.encode(text, *_OTHERS[:16])), "note-unsigned", 1,
            ),
            Attack(
                "T13", f"{kind}: a good and a bad signature of one key",
                dress(
                    kind,
                    lambda text, line: text + b"\n" + line
                    + note.encode(b"", signature(b"something else\n"))[1:],
                ), "note-unsigned", 1,
            ),
            Attack(
                "T13", f"{kind}: the signature under another name",
                dress(kind, lambda text, _: note.encode(text, signature(text, name="other"))),
                "note-unsigned", 1,
            ),
            Attack(
                "T13", f"{kind}: another text before the signed one",
                dress(kind, lambda text, line: b"forged\n\n" + text + b"\n" + line),
                "identity-malformed" if kind == "log.note" else "note-unsigned", 1,
            ),
            Attack(
                "T13", f"{kind}: carriage returns",
                dress(kind, lambda text, line: text.replace(b"\n", b"\r\n") + b"\n" + line),
                "note-malformed", 1,
            ),
            Attack(
                "T13", f"{kind}: not UTF-8",
                change(kind, lambda body: body.replace(b"prod", b"pr\xffd", 1)),
                "note-malformed", 1,
            ),
            Attack(
                "T13", f"{kind}: 10 MB long", change(kind, lambda body: body + b"x" * 10**7),
                "object-unreadable", 1,
            ),
        ]  # fmt: skip
    return rows


ATTACKS: list[Attack] = [*_each_kind(), *_each_note()]
