"""The head file: what it remembers, what it notices, and that it is never lost or half written."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shipper.disk import Disk
from shipper.errors import ConfigError
from shipper.store.memory import MemoryStore
from shipper.verify import heads
from shipper.verify.heads import SeenLog
from shipper.verify.report import LogReport
from tests.verify.archive import (
    BEGIN,
    NODE,
    ORIGIN,
    Log,
    codes,
    fill_small,
    keys_of,
    line,
    objects,
    small,
    tall,
    verify,
)


def remember(store: Any, tmp_path: Path, **asked: Any) -> dict[str, SeenLog]:
    """Verify, write the head file, and read it again."""
    path = tmp_path / "heads.json"
    heads.save(path, verify(store, **asked).seen)
    return heads.load(path)


def again(log: Log, seen: dict[str, SeenLog], **asked: Any) -> LogReport:
    """The report of the next run."""
    (one,) = verify(log.store, seen=seen, now=BEGIN + timedelta(days=1), **asked).report.logs
    return one


@pytest.mark.parametrize("depth", ["full", "chain"])
@pytest.mark.parametrize("before", [2, 255, 256, 257, 600])
def test_only_what_is_new_is_verified(before: int, depth: str, tmp_path: Path) -> None:
    """The next run goes on behind what the head file knows, wherever in a bundle that is."""
    log = tall(before)
    seen = remember(log.store, tmp_path, depth=depth)
    assert again(log, seen, depth=depth).manifests == 0
    for _ in range(300):
        log.add("heartbeat")
    log.batch(line(1), checkpoint=True)
    log.batch(line(2), checkpoint=True)
    one = again(log, seen, depth=depth)
    assert (one.problems, one.resumed, one.first_seq) == ([], True, before)
    assert one.manifests == 302
    assert one.data_batches == (2 if depth == "full" else 0)


@pytest.mark.parametrize("depth", ["full", "chain"])
def test_a_lie_in_a_bundle_that_was_half_seen_is_noticed(depth: str, tmp_path: Path) -> None:
    """The entries that a bundle adds to what was seen are checked, and those that it had before."""
    log = tall(300)
    seen = remember(log.store, tmp_path, depth=depth)
    for _ in range(300):
        log.add("heartbeat", checkpoint=True)
    key = log.prefix + "tile/entries/001"
    objects(log)[key] = objects(log)[key].replace(b'"kind":"shutdown"', b'"kind":"shutdowm"', 1)
    assert "bundle-wrong" in codes(again(log, seen, depth=depth))


def test_everything_is_verified_again_if_asked(tmp_path: Path) -> None:
    """--full verifies what is remembered too, and compares it."""
    log = small()
    seen = remember(log.store, tmp_path)
    one = again(log, seen, again=True)
    assert (one.problems, one.resumed, one.manifests, one.data_batches) == ([], False, 8, 3)


def test_a_chain_that_was_seen_does_not_vouch_for_data(tmp_path: Path) -> None:
    """After --depth chain the next full run reads all data."""
    log = small()
    seen = remember(log.store, tmp_path, depth="chain")
    assert again(log, seen).data_batches == 3


def test_damage_behind_the_head_is_found_by_a_full_run_only(tmp_path: Path) -> None:
    """What was verified before is not read again, which is why --full exists."""
    log = small()
    seen = remember(log.store, tmp_path)
    del objects(log)[keys_of(log, "events/")[0]]
    assert codes(again(log, seen)) == set()
    assert codes(again(log, seen, again=True)) == {"data-missing"}


def test_the_newest_manifest_replaced_by_junk_is_noticed(tmp_path: Path) -> None:
    """The remembered head must still verify."""
    log = small()
    seen = remember(log.store, tmp_path)
    objects(log)[keys_of(log, "manifest/")[7]] = b"junk"
    assert {"note-malformed", "head-shorter"} <= codes(again(log, seen))


def test_the_seen_manifest_missing_below_newer_ones_is_noticed(tmp_path: Path) -> None:
    """A remembered head that is gone, though the log goes on, is a missing manifest."""
    log = small()
    seen = remember(log.store, tmp_path)
    log.add("heartbeat")
    del objects(log)[keys_of(log, "manifest/")[7]]
    assert codes(again(log, seen)) == {"manifest-missing"}


def test_a_log_under_another_trusted_key_is_noticed(tmp_path: Path) -> None:
    """The key that signed a log is remembered too."""
    log = small()
    seen = remember(log.store, tmp_path)
    other = msgspec.structs.replace(seen[ORIGIN], key="x")
    assert "head-rewritten" in codes(again(log, {ORIGIN: other}))


def test_source_ranges_go_on_from_the_head(tmp_path: Path) -> None:
    """Bytes left out between two runs are noticed, and none are suspected that were not."""
    log = small()
    seen = remember(log.store, tmp_path)
    log.source.take(b"the deed\n")
    log.batch(line(1))
    assert codes(again(log, seen)) == {"source-gap"}


def test_what_does_not_hold_is_not_remembered(tmp_path: Path) -> None:
    """A log with a problem keeps its old head; the others move on."""
    store = MemoryStore()
    good = fill_small(Log(store, f"{NODE}/00000000000000bb"))
    bad = fill_small(Log(store, "audit.example.com/prod/cp-2/00000000000000aa"))
    seen = remember(store, tmp_path)
    good.add("heartbeat")
    bad.add("heartbeat")
    del objects(bad)[keys_of(bad, "manifest/")[8]]
    bad.add("heartbeat")
    after = {log.origin: log for log in verify(store, seen=seen).seen}
    assert after[good.origin].size == 9
    assert after[bad.origin] == seen[bad.origin]


def test_succession_is_remembered(tmp_path: Path) -> None:
    """That a log took over from another is known in the next run without reading its genesis."""
    store = MemoryStore()
    old = fill_small(Log(store))
    new = Log(store, f"{NODE}/00000000000000bb", supersedes=old.last(), source=old.source)
    seen = remember(store, tmp_path)
    new.add("heartbeat")
    found = verify(store, seen=seen).report
    assert (found.exit_code, found.logs[0].superseded_by) == (0, new.origin)


def test_nothing_is_remembered_yet_without_a_file(tmp_path: Path) -> None:
    """A head file that is not there yet knows no log."""
    assert heads.load(tmp_path / "heads.json") == {}


def _edit(path: Path, **fields: Any) -> None:
    content = json.loads(path.read_bytes())
    content["logs"][0].update(fields)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.write_bytes(b"[" * 100_000),
        lambda path: path.write_text('{"version":2,"logs":[]}'),
        lambda path: _edit(path, size=99),
        lambda path: _edit(path, size=0),
        lambda path: _edit(path, sha256="x"),
        lambda path: _edit(path, tree=[["0" * 64] * 300]),
        lambda path: _edit(path, tree=[[]] * 99),
        lambda path: _edit(path, surprise=1),
        lambda path: path.unlink() or path.mkdir(),
    ],
)
def test_a_damaged_head_file_is_an_error(damage: Any, tmp_path: Path) -> None:
    """A head file that cannot be believed is refused with what to do, and never replaced."""
    remember(small().store, tmp_path)
    path = tmp_path / "heads.json"
    damage(path)
    with pytest.raises(ConfigError, match=r"head file|heads\.json"):
        heads.load(path)


class _NoRename(Disk):
    def rename(self, source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")


def test_a_head_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """If the new one cannot be put in place the old one stays, and it is said."""
    path = tmp_path / "heads.json"
    remember(small().store, tmp_path)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="No space left"):
        heads.save(path, [], disk=_NoRename())
    assert path.read_bytes() == before
