"""What an attacker on the store does to a log as a whole: objects that go, come, move, or lie.

Each row names the threat of docs/threat-model.md that it carries out.
"""

from __future__ import annotations

from tests.verify.archive import PREFIX, Log, keys_of, objects
from tests.verify.attacks import (
    Attack,
    bring_in,
    change,
    delete,
    delete_all,
    flip,
    put,
    rename,
    swap,
)


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


INTERFERENCE: list[Attack] = [*_in_the_log(), *_in_the_tree()]
