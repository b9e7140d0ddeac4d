"""Whole archives: many logs, found wherever STORE points, each with its own verdict."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from shipper.config import StoreOptions
from shipper.seal import layout, note
from shipper.seal.keys import VerifierKey
from shipper.seal.sealer import sign_note
from shipper.store.directory import DirectoryStore
from shipper.store.memory import MemoryStore
from shipper.store.open import open_store
from shipper.verify.archive import verify_archive
from shipper.verify.report import LogReport, Report, Verdicts, exit_code, overall
from shipper.verify.request import Request
from tests.verify.archive import (
    BEGIN,
    NODE,
    ORIGIN,
    PREFIX,
    Log,
    Source,
    codes,
    dump,
    fill_small,
    keys_of,
    line,
    objects,
    report,
    signer,
    small,
    tall,
)
from tests.verify.stores import Broken, Failing, Growing, Vanishing, open_deadly

NEXT = f"{NODE}/00000000000000bb"
OTHER_NODE = "audit.example.com/prod/cp-2/00000000000000cc"


def several() -> MemoryStore:
    """Three logs: two of one node, the later one going on from the earlier, and another node's."""
    store = MemoryStore()
    first = fill_small(Log(store))
    second = Log(
        store, NEXT, begin=first.wall, boot="2", supersedes=first.last(), source=first.source
    )
    fill_small(second)
    fill_small(Log(store, OTHER_NODE))
    return store


def of(found: Report, origin: str) -> LogReport:
    """The report of one log."""
    return next(log for log in found.logs if log.origin == origin)


def test_a_good_log_is_described() -> None:
    """The report of a good log says whose it is, how much it holds, and what its daemon noticed."""
    log = small()
    found = report(log.store)
    (one,) = found.logs
    assert (found.exit_code, one.problems) == (0, [])
    assert one.verdicts == Verdicts("holds", "holds", "not asked", "not asked", "not asked")
    assert (one.origin, one.path, one.key) == (ORIGIN, PREFIX, signer().key.base64)
    assert (one.manifests, one.data_batches, one.lines) == (8, 3, 12)
    assert one.raw_bytes == len(log.raw)
    assert one.head is not None
    assert (one.head.seq, one.head.sha256) == (7, log.head.prev)
    assert [notice.reason for notice in one.notices] == ["spool-full", "config-changed"]


@pytest.mark.parametrize("depth", ["full", "chain"])
def test_a_tall_log_is_good(depth: str) -> None:
    """Bundles and tiles are checked in either depth; only the full one reads data."""
    (one,) = report(tall().store, depth=depth).logs
    assert (one.problems, one.manifests) == ([], 600)
    assert (one.raw_bytes > 0) == (depth == "full")


def test_logs_are_reported_in_succession_order() -> None:
    """A node's logs follow each other as they took over, and name each other."""
    found = report(several())
    assert found.exit_code == 0
    assert [log.origin for log in found.logs] == [ORIGIN, NEXT, OTHER_NODE]
    assert of(found, ORIGIN).superseded_by == NEXT
    supersedes = of(found, NEXT).supersedes
    assert supersedes is not None
    assert (supersedes.log, supersedes.seq) == (ORIGIN, 7)


def test_a_successor_may_explain_where_it_begins() -> None:
    """The file lost its end while the node lost its state, and a notice says so."""
    log = small()
    source = Source(inode=70)
    source.take(b"x" * 99)
    new = Log(log.store, NEXT, begin=log.wall, boot="2", supersedes=log.last(), source=source)
    new.notice("source-truncated")
    new.batch(line(1))
    assert report(log.store).exit_code == 0


def test_freshness_is_not_asked_of_a_log_that_was_taken_over() -> None:
    """Only the newest log of a node must be fresh."""
    found = report(several(), max_age_seconds=60, now=BEGIN + timedelta(seconds=160))
    assert of(found, ORIGIN).verdicts.freshness == "not asked"
    assert of(found, NEXT).verdicts.freshness == "holds"
    assert of(found, OTHER_NODE).verdicts.freshness == "fails"
    assert found.exit_code == 5


def test_one_log_alone_can_be_asked() -> None:
    """--log verifies that log and says nothing of the others."""
    found = report(several(), origin=NEXT)
    assert [log.origin for log in found.logs] == [NEXT]
    assert found.exit_code == 0


@pytest.mark.parametrize("origin", ["nope", f"{NODE}/00000000000000ff", f"x/{ORIGIN}"])
def test_an_unknown_log_is_never_good(origin: str) -> None:
    """A log that is not there could not be checked."""
    found = report(several(), origin=origin)
    assert (found.exit_code, codes(found)) == (3, {"nothing-found"})


def test_an_empty_archive_is_never_good(tmp_path: Path) -> None:
    """Where nothing is found nothing is proved, be the store empty or not there."""
    assert report(MemoryStore()).exit_code == 3
    assert report(DirectoryStore(tmp_path)).exit_code == 3
    assert report(DirectoryStore(tmp_path / "nowhere")).exit_code == 3


@pytest.mark.parametrize(
    ("below", "found"), [("", 3), ("prod", 3), ("prod/cp-1", 2), (PREFIX, 1)], ids=str
)
def test_store_may_point_at_a_part(below: str, found: int, tmp_path: Path) -> None:
    """STORE may be the archive, a cluster, a node or a log; names come from what is signed."""
    root = dump(several(), tmp_path)
    part = report(DirectoryStore(root / below))
    assert (part.exit_code, len(part.logs)) == (0, found)
    assert ORIGIN in {log.origin for log in part.logs}


def test_a_log_is_found_without_its_note(tmp_path: Path) -> None:
    """Where log.note is gone the manifests say which log it is, at whatever level."""
    log = small()
    del objects(log)[PREFIX + "log.note"]
    root = dump(MemoryStore(), tmp_path)
    assert isinstance(log.store, MemoryStore)
    dump(log.store, root)
    for below in ("", PREFIX):
        (one,) = report(DirectoryStore(root / below)).logs
        assert (one.origin, codes(one)) == (ORIGIN, {"identity-missing"})


def test_an_archive_of_a_later_version_could_not_be_checked() -> None:
    """Where all is signed, but of a version that this program does not know, nothing is proved."""
    log = small()
    for key, body in list(objects(log).items()):
        if key.endswith(".note"):
            text = note.parse(body).text.replace(b"/v1\n", b"/v2\n")
            objects(log)[key] = sign_note(ORIGIN, text, log.signer)
    found = report(log.store)
    assert found.exit_code == 1  # the names are still those of version 1
    for key in keys_of(log, "manifest/"):
        body = objects(log).pop(key)
        name = layout.manifest(int(key[-34:-22]), sha256(body).hexdigest())
        objects(log)[PREFIX + name] = body
    for key in keys_of(log, "checkpoint/"):
        del objects(log)[key]
    found = report(log.store)
    assert (found.exit_code, codes(found)) == (3, {"version-newer"})


def test_a_wrong_key_is_one_clear_problem() -> None:
    """With another key nothing can be trusted: that is said, not thousandfold."""
    (one,) = report(tall().store, keys=[signer(5)]).logs
    assert codes(one) == {"note-unsigned", "log-untrusted"}
    assert len(one.problems) == 2


def test_several_keys_may_be_trusted() -> None:
    """Each log needs one of them."""
    store = MemoryStore()
    fill_small(Log(store))
    fill_small(Log(store, OTHER_NODE, key=signer(2)))
    assert report(store, keys=[signer(1), signer(2)]).exit_code == 0
    assert report(store, keys=[signer(1)]).exit_code == 1


def test_the_same_object_twice_is_interference() -> None:
    """A copy under a second, well-formed name is noticed, though nothing in it is wrong."""
    log = small()
    key = keys_of(log, "manifest/")[3]
    objects(log)[key[:-6] + "0.note"] = objects(log)[key]
    key = keys_of(log, "checkpoint/")[1]
    objects(log)[key[:-6] + "0.note"] = objects(log)[key]
    found = report(log.store)
    assert {"manifest-copy", "checkpoint-copy"} <= codes(found)
    assert found.exit_code == 1


def test_a_store_that_fails_midway_leaves_the_other_logs_verified() -> None:
    """The log that could not be read is unknown; the others have their verdicts."""
    found = report(Failing(several(), "00000000000000bb/events"))
    assert of(found, NEXT).verdicts.integrity == "unknown"
    assert of(found, OTHER_NODE).verdicts.integrity == "holds"
    assert (found.exit_code, codes(found)) == (3, {"store-failed"})


def test_a_store_that_cannot_be_listed_could_not_be_checked() -> None:
    """Exit code 3, whatever is asked."""
    found = report(Failing(several(), ""), max_age_seconds=60)
    assert (found.exit_code, found.verdicts.freshness) == (3, "unknown")


def test_what_was_found_wrong_weighs_more_than_what_is_unknown() -> None:
    """A log with a broken link and a store that fails after it is a failure of integrity."""
    log = small()
    key = keys_of(log, "manifest/")[3]
    objects(log)[key] = objects(log)[key][:-1]
    found = report(Failing(log.store, "tile/"))
    assert {"store-failed", "note-malformed"} <= codes(found)
    assert found.exit_code == 1


def test_a_check_that_breaks_off_is_a_verdict() -> None:
    """Even a bug that a hostile log finds ends in `unknown` for that log, and never in a crash."""
    found = report(Broken(several(), "00000000000000bb/events"))
    assert (found.exit_code, codes(found)) == (3, {"check-failed"})
    assert of(found, ORIGIN).verdicts.integrity == "holds"


def test_an_object_that_vanishes_is_missing() -> None:
    """What is listed and then gone counts against completeness."""
    found = report(Vanishing(small().store, "manifest/000000000003"))
    assert {"object-vanished", "manifest-missing"} <= codes(found)
    assert found.exit_code == 4


@pytest.mark.parametrize("depth", ["full", "chain"])
@pytest.mark.parametrize("calls", [1, 3, 10, 40, 400])
def test_a_log_that_is_written_to_is_good(depth: str, calls: int) -> None:
    """What the daemon ships while the verifier reads looks like no attack."""
    log = small()
    store = Growing(log, calls)
    assert report(store, depth=depth, now=BEGIN + timedelta(days=1)).problems == []
    found = report(Growing(tall(510), calls), depth=depth, now=BEGIN + timedelta(days=1))
    assert codes(found) == set()


def test_data_on_its_way_is_no_stray() -> None:
    """The next number's data may lie there before its manifest does; nothing beyond that may."""
    log = small()
    later = small()
    later.batch(line(70))
    on_its_way = {k: b for k, b in objects(later).items() if "/events/" in k}
    objects(log).update(on_its_way)
    assert report(log.store).exit_code == 0


@pytest.mark.parametrize("manifests", [256, 257, 512])
@pytest.mark.parametrize("depth", ["full", "chain"])
def test_the_newest_tiles_may_be_on_their_way(depth: str, manifests: int) -> None:
    """A manifest is shipped before the tiles that it completes: without those, it is good still."""
    log = tall(manifests)
    newest = manifests // 256
    gone = [k for k in keys_of(log, "tile/") if k.endswith(f"{newest - 1:03d}")]
    assert len(gone) == 2
    for key in [*gone, *keys_of(log, f"checkpoint/{newest * 256:012d}")]:
        del objects(log)[key]
    expected = set() if manifests % 256 == 0 else {"tile-missing", "bundle-missing"}
    if depth == "chain" and manifests == 256:
        expected = set()
    assert codes(report(log.store, depth=depth)) - {"checkpoint-missing"} == expected


def test_problems_are_bounded_and_counted() -> None:
    """A flood of problems does not fill the memory, nor hide one of another kind."""
    log = small()
    objects(log).update({f"{PREFIX}checkpoint/{n}": b"" for n in range(3_000)})
    del objects(log)[keys_of(log, "events/")[0]]
    (one,) = report(log.store).logs
    assert (len(one.problems), one.more_problems) == (101, {"object-stray": 2_900})
    assert "data-missing" in codes(one)


def test_verdicts_add_up() -> None:
    """The lowest failing code wins, `unknown` is 3, and what is not asked counts for nothing."""
    good, incomplete = Verdicts(), Verdicts(completeness="fails", freshness="fails")
    assert exit_code([good]) == 0
    assert exit_code([good, incomplete]) == 4
    assert exit_code([incomplete, Verdicts(integrity="unknown")]) == 3
    assert exit_code([incomplete, Verdicts(integrity="fails")]) == 1
    assert exit_code([Verdicts(anchored="fails"), Verdicts(retention="fails")]) == 6
    assert overall([good, incomplete]).completeness == "fails"
    assert overall([]).integrity == "not asked"


def test_processes_give_the_same_report(tmp_path: Path) -> None:
    """Two workers find what one finds, and progress is told from both."""
    root = dump(several(), tmp_path)
    open_ = partial(open_store, StoreOptions(url=f"file://{root}"))
    told: set[str] = set()
    reports = [
        verify_archive(
            open_, [signer().key], Request(), now=BEGIN, workers=workers,
            progress=lambda log, manifests, raw_bytes: told.add(log),
        ).report
        for workers in (1, 2)
    ]  # fmt: skip
    assert reports[0] == reports[1]
    assert reports[0].exit_code == 0
    assert told
    assert told <= {ORIGIN, NEXT, OTHER_NODE}


def test_a_worker_that_dies_blinds_nobody_to_the_other_logs(tmp_path: Path) -> None:
    """The log that kills its verifier could not be checked; all others are verified."""
    store = several()
    fill_small(Log(store, "audit.example.com/deadly/cp-1/00000000000000dd"))
    root = dump(store, tmp_path)
    key: VerifierKey = signer().key
    found = verify_archive(
        partial(open_deadly, root), [key], Request(origin=None), now=BEGIN, workers=2
    ).report
    assert found.exit_code == 3
    assert [log.verdicts.integrity for log in found.logs].count("holds") == 3
