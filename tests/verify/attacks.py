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
    "checkpoint": "note-unsigned",
    "tile": "tile-wrong",
    "bundle": "bundle-wrong",
}
CUT = FLIPPED | {"log.note": "note-malformed", "manifest": "note-malformed"} | {
    "checkpoint": "note-malformed"
}  # fmt: skip
DELETED = {
    "log.note": "identity-missing",
    "manifest": "manifest-missing",
    "events": "data-missing",
    "tile": "tile-missing",
    "bundle": "bundle-missing",
}
DELETION_THREATS = {"manifest": "T02", "events": "T05"}
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
                {"events": "data-unreadable", "tile": "object-unreadable"}.get(
                    kind, CUT[kind]
                ), 1, base,
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


def _in_the_log() -> list[Attack]:
    manifest, events = "manifest/", "events/"
    return [
        Attack("T02", "manifest: first deleted", lambda log: objects(log).pop(
            keys_of(log, manifest)[0]), "manifest-missing", 4),
        Attack("T02", "manifests 20 to 300 deleted", lambda log: [
            objects(log).pop(key) for key in keys_of(log, manifest)[20:301]
        ], "manifest-missing", 4, "tall"),
        Attack("T02", "manifests deleted where no bundle has them", lambda log: [
            objects(log).pop(key) for key in keys_of(log, manifest)[530:540]
        ], "manifest-missing", 4, "tall"),
        Attack("T03", "newest manifest deleted", delete_all(manifest, last=1),
               "checkpoint-beyond", 4),
        Attack("T03", "newest 100 manifests deleted", delete_all(manifest, last=100),
               "checkpoint-beyond", 4, "tall"),
        Attack("T03", "all manifests deleted", delete_all(manifest), "log-empty", 4),
        Attack("T03", "newest manifests deleted, chain alone", delete_all(manifest, last=100),
               "checkpoint-beyond", 4, "tall", asked={"depth": "chain"}),
        Attack("T04", "newest manifest and checkpoint deleted",
               delete_all(manifest, "checkpoint/", last=1), "head-shorter", 4, remember=True),
        Attack("T04", "newest records deleted, all again",
               delete_all(manifest, "checkpoint/", last=1), "head-shorter", 4, remember=True,
               asked={"again": True}),
        Attack("T04", "newest records deleted, chain alone",
               delete_all(manifest, "checkpoint/", last=1), "head-shorter", 4, remember=True,
               asked={"depth": "chain"}),
        Attack("T05", "all data deleted", delete_all(events), "data-missing", 4),
        Attack("T06", "all checkpoints deleted", delete_all("checkpoint/"),
               "checkpoint-missing", 4, "tall"),
        Attack("T06", "all checkpoints deleted, chain alone", delete_all("checkpoint/"),
               "checkpoint-missing", 4, "tall", asked={"depth": "chain"}),
        Attack("T06", "all tiles deleted", delete_all("tile/"), "tile-missing", 4, "tall"),
        Attack("T09", "manifest: under another number", rename("/000000000003-", "/000000000009-"),
               "manifest-number", 1),
        Attack("T09", "manifest: in place of a deleted one", lambda log: (
            rename("manifest/000000000003-", "manifest/000000000004-")(log),
            objects(log).pop(keys_of(log, "manifest/000000000004-")[1]),
        ), "manifest-number", 1),
        Attack("T09", "manifest: under another hash", lambda log: objects(log).update({
            PREFIX + "manifest/000000000003-" + "0" * 16 + ".note":
                objects(log).pop(keys_of(log, manifest)[3])}), "manifest-name", 1),
        Attack("T09", "manifest: as a checkpoint", lambda log: objects(log).update({
            keys_of(log, manifest)[3].replace(manifest, "checkpoint/"):
                objects(log)[keys_of(log, manifest)[3]]}), "checkpoint-malformed", 1),
        Attack("T09", "checkpoint: as a manifest", lambda log: objects(log).update({
            keys_of(log, "checkpoint/")[1].replace("checkpoint/", manifest):
                objects(log)[keys_of(log, "checkpoint/")[1]]}), "manifest-malformed", 1),
        Attack("T09", "checkpoint: under another size", rename(
            "checkpoint/000000000003-", "checkpoint/000000000005-"), "checkpoint-name", 1),
        Attack("T09", "events: under another number", rename("/000000000001-", "/000000000002-"),
               "object-stray", 1),
        Attack("T09", "events: in another hour", rename("hour=14", "hour=15"), "object-stray", 1),
        Attack("T09", "tile: as the next one", rename("tile/0/001", "tile/0/002"),
               "object-stray", 1, "tall"),
        Attack("T09", "log.note: as a manifest", lambda log: objects(log).update({
            PREFIX + "manifest/000000000003-" + "0" * 16 + ".note":
                objects(log)[PREFIX + "log.note"]}), "manifest-malformed", 1),
        *(
            Attack("T10", f"a stray {key}", put(key), "object-stray", 1)
            for key in (
                "README", "log.note.bak", "manifest", "zzz/x", "manifest/notes.txt",
                "manifest/000000000003.note", "manifest/0000000000003-" + "0" * 16 + ".note",
                "manifest/sub/000000000003-" + "0" * 16 + ".note", "checkpoint/latest",
                "events/x.ndjson.zst", "events/date=2026-11-23/hour=14/x",
                "events/date=2026-11-23/hour=14/000000000002-" + "0" * 16 + ".ndjson.zst",
                "events/date=2026-11-23/hour=14/000000000099-" + "0" * 16 + ".ndjson.zst",
                "findings/date=2026-11-23/hour=14/000000000001-" + "0" * 16 + ".ndjson.zst",
                "tile/0/000", "tile/0/000.p/8", "tile/entries/000", "tile/1/000", "tile/x",
                "tile/0/x000/000", "tile/99/000",
            )
        ),
        Attack("T10", "a junk manifest beside the real one",
               put("manifest/000000000003-" + "0" * 16 + ".note"), "note-malformed", 1),
        Attack("T10", "a junk manifest far beyond the end",
               put("manifest/999999999999-" + "0" * 16 + ".note"), "note-malformed", 1),
        Attack("T10", "a junk checkpoint far beyond the end",
               put("checkpoint/999999999999-" + "0" * 16 + ".note"), "note-malformed", 1),
        Attack("T10", "a thousand junk manifests under one number", lambda log: [
            put(f"manifest/000000000003-{n:016x}.note")(log) for n in range(1500)
        ], "note-malformed", 1),
        *(
            Attack("T11", f"another log's {kind}", bring_in(kind, instead=False), code, 1)
            for kind, code in (
                ("log.note", "identity-misplaced"), (manifest, "note-unsigned"),
                ("checkpoint/", "note-unsigned"), (events, "object-stray"),
            )
        ),
        Attack("T11", "another log's manifests instead", bring_in(manifest, instead=True),
               "note-unsigned", 1),
        Attack("T11", "another log's data instead", bring_in(events, instead=True),
               "object-stray", 1),
        Attack("T24", "moved to another instance", rename(
            "00000000000000aa", "00000000000000ff", keep=False), "identity-misplaced", 1),
        Attack("T24", "moved to another node", rename("/cp-1/", "/cp-9/", keep=False),
               "identity-misplaced", 1),
        Attack("T24", "copied to another node", rename("/cp-1/", "/cp-9/"),
               "identity-misplaced", 1),
        Attack("T24", "moved, without its log.note", lambda log: (
            delete("log.note")(log),
            rename("00000000000000aa", "00000000000000ff", keep=False)(log),
        ), "log-untrusted", 1),
    ]  # fmt: skip


def _in_the_tree() -> list[Attack]:
    chain = {"depth": "chain"}
    rows = [
        Attack("T23", f"{kind}: {what}, chain alone", change(kind, edit), code, 1, "tall",
               asked=chain)
        for kind, what, edit, code in (
            ("bundle", "one bit", flip, "bundle-wrong"),
            ("bundle", "a well-formed lie",
             lambda body: body.replace(b'"malformed_lines":0', b'"malformed_lines":1', 1),
             "link-broken"),
            ("bundle", "its last manifest is a lie",
             lambda body: b'"malformed_lines":1'.join(body.rsplit(b'"malformed_lines":0', 1)),
             "link-broken"),
            ("bundle", "cut", lambda body: body[:-7], "bundle-wrong"),
            ("bundle", "one entry less",
             lambda body: body[2 + int.from_bytes(body[:2], "big"):], "bundle-wrong"),
            ("bundle", "emptied", lambda _: b"", "bundle-wrong"),
            ("bundle", "endless", lambda body: body + bytes(20_000_000), "object-unreadable"),
            ("tile", "one bit", flip, "tile-wrong"),
        )
    ]  # fmt: skip
    return [
        *rows,
        Attack("T23", "bundles swapped, chain alone", swap("bundle"), "manifest-number", 1,
               "tall", asked=chain),
        Attack("T23", "bundle deleted, chain alone", delete("bundle"), "bundle-missing", 4,
               "tall", asked=chain),
        Attack("T23", "bundle and a manifest in it deleted, chain alone", lambda log: (
            delete("bundle")(log), objects(log).pop(keys_of(log, "manifest/")[7])
        ), "manifest-missing", 4, "tall", asked=chain),
        Attack("T23", "the newest bundle is a lie, and no manifest after it is left",
               _lie_in_last_bundle, "checkpoint-root", 1, "tall", asked=chain),
    ]  # fmt: skip


def _lie_in_last_bundle(log: Log) -> None:
    for key in keys_of(log, "manifest/")[512:] + keys_of(log, "checkpoint/00000000058"):
        del objects(log)[key]
    for key in keys_of(log, "checkpoint/"):
        if key > f"{PREFIX}checkpoint/000000000513":
            del objects(log)[key]
    lied = objects(log)[PREFIX + "tile/entries/001"]
    parts = lied.rsplit(b'"malformed_lines":0', 1)
    objects(log)[PREFIX + "tile/entries/001"] = b'"malformed_lines":1'.join(parts)


ATTACKS: list[Attack] = [*_each_kind(), *_each_note(), *_in_the_log(), *_in_the_tree()]
