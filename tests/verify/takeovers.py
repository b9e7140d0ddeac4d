"""What an attacker does over time: rewrites, successors, clocks, silence, later versions.

Each row names the threat of docs/threat-model.md that it carries out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec

from shipper.model import Supersedes
from shipper.seal.manifest import decode_manifest
from shipper.seal.sealer import sign_note
from tests.verify.archive import (
    BEGIN,
    NODE,
    ORIGIN,
    PREFIX,
    Log,
    Source,
    changed,
    fill_small,
    line,
    objects,
)
from tests.verify.attacks import Attack, delete_all
from tests.verify.lies import append, set_field, with_field

OTHER = f"{NODE}/00000000000000bb"
_HASH = "f" * 64


def rewrite(log: Log, *, lines: int = 12) -> None:
    """The whole log is written anew with the same key, perfectly."""
    objects(log).clear()
    new = Log(log.store)
    for number in range(lines):
        new.batch(line(100 + number))
    new.end()


def rewrite_last(log: Log) -> None:
    """The newest manifest and its checkpoint are replaced."""
    delete_all("checkpoint/", last=1)(log)
    set_field(7, "agent.version", "6.6.6")(log)


def succeed(
    *, old: Callable[[Supersedes], Supersedes] = lambda s: s, instances: str = "b",
    source: Callable[[Log], Source] = lambda log: log.source,
) -> Callable[[Log], None]:  # fmt: skip
    """Another log takes over from this one, or several do."""

    def do(log: Log) -> None:
        for instance in instances:
            new = Log(
                log.store, f"{NODE}/{instance * 16}", begin=log.wall, boot=f"boot-{instance}",
                supersedes=old(log.last()), source=source(log),
            )  # fmt: skip
            new.batch(line(60))
            new.end()

    return do


def unlinked(log: Log) -> None:
    """The node has another log that does not name this one."""
    fill_small(Log(log.store, OTHER, begin=log.wall))


def circle(log: Log) -> None:
    """Two logs that take over from each other."""
    objects(log).clear()
    for own, other in ((ORIGIN, OTHER), (OTHER, ORIGIN)):
        new = Log(log.store, own, supersedes=Supersedes(log=other, seq=1, sha256=_HASH))
        new.end()


def remove_old(log: Log) -> None:
    """A log is deleted from which another one took over."""
    succeed()(log)
    for key in [key for key in objects(log) if key.startswith(PREFIX)]:
        del objects(log)[key]


def elsewhere(_: Log) -> Source:
    """A file that nobody has read from its start."""
    source = Source(inode=70)
    source.take(b"x" * 4_000)
    return source


def back_date(seconds: float) -> Callable[[Log], None]:
    """The next record is sealed with an earlier time."""

    def do(log: Log) -> None:
        log.wall -= timedelta(seconds=seconds)
        log.add("heartbeat", checkpoint=True)

    return do


def restart_boot_clock(log: Log) -> None:
    """The next record is of the same boot, but of an earlier moment of it."""
    log.monotonic = 5
    log.add("heartbeat", checkpoint=True)


def _on_the_node() -> list[Attack]:
    hour = timedelta(hours=1)
    return [
        Attack("T16", "wall clock an hour back", back_date(3_600), "time-backwards", 1),
        Attack("T16", "wall clock 12 seconds back", back_date(21.1), "time-backwards", 1),
        Attack("T16", "boot clock back", restart_boot_clock, "monotonic-backwards", 1),
        Attack("T16", "another time zone", lambda log: log.add("heartbeat", edit=lambda m: changed(
            m, time=msgspec.structs.replace(m.time, wall=m.time.wall.astimezone(
                msgspec.json.decode(b'"2026-01-01T00:00:00+05:00"', type=type(BEGIN)).tzinfo)))),
            "time-zone", 1),
        *(Attack("T17", f"the whole log anew, {name}", do, code, 1, remember=True, asked=asked)
          for asked in ({}, {"again": True}, {"depth": "chain"})
          for name, do, code in (
              (f"as long, {asked}", rewrite, "head-rewritten"),
              (f"only its end, {asked}", rewrite_last, "head-rewritten"),
          )),
        Attack("T25", "no record for two hours", lambda log: None, "stale", 5,
               asked={"max_age_seconds": 60}),
        Attack("T26", "a record of the future", lambda log: None, "future", 5,
               asked={"max_age_seconds": 60, "now": BEGIN - hour}),
        Attack("T27", "an earlier manifest is taken over from", succeed(
            old=lambda s: Supersedes(log=s.log, seq=3, sha256=_HASH)), "successor-hides", 4),
        Attack("T27", "nothing is taken over from", unlinked, "successor-unlinked", 4),
        Attack("T27", "it goes on elsewhere in the source", succeed(source=elsewhere),
               "successor-gap", 4),
        Attack("T27", "another last manifest is taken over from", succeed(
            old=lambda s: Supersedes(log=s.log, seq=s.seq, sha256=_HASH)),
            "successor-mismatch", 1),
        Attack("T27", "logs in a circle", circle, "successor-cycle", 1),
        Attack("T03", "a successor has seen more", succeed(
            old=lambda s: Supersedes(log=s.log, seq=s.seq + 5, sha256=_HASH)),
            "manifest-missing", 4),
        Attack("T28", "two take over from one", succeed(instances="bc"), "successor-fork", 1),
        Attack("T07", "the old log deleted", remove_old, "predecessor-missing", 4),
        Attack("T07", "the log deleted", lambda log: objects(log).clear(), "head-gone", 4,
               remember=True),
        Attack("T07", "one of two logs deleted", lambda log: (
            [objects(log).pop(key) for key in list(objects(log))],
            fill_small(Log(log.store, f"{NODE[:-1]}2/00000000000000cc")),
        ), "head-gone", 4, remember=True),
        Attack("T29", "bytes lost, and said so", lambda log: log.notice("gap", "12 bytes"),
               "bytes-lost", 4),
        Attack("T30", "a later version", append(b"audit-shipper/manifest/v2\n{}\n"),
               "version-newer", 3),
        Attack("T30", "a later log.note", lambda log: objects(log).update({
            PREFIX + "log.note": sign_note(ORIGIN, b"audit-shipper/log/v2\n{}\n", log.signer)}),
            "version-newer", 3),
        *(Attack("T30", f"reserved: {path}", lambda log, p=path, v=value: log.add(  # type: ignore[misc]
            "heartbeat", edit=lambda m: decode_manifest(with_field(m, p, v))),
            "construct-unknown", 3)
          for path, value in (("epoch", 1), ("next_vkey", "x"), ("kind", "rotate-key"))),
    ]  # fmt: skip


TAKEOVERS: list[Attack] = _on_the_node()
