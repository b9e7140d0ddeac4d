"""Where a log goes on, and what it refuses to go on from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shipper.errors import SpoolError
from shipper.pipeline.start import find_old_head, new_instance, resume
from shipper.seal.signer import FileSigner, generate
from shipper.spool.spool import Spool
from shipper.store.directory import DirectoryStore
from tests.daemon import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.log.write_bytes(b"one\n")
    assert place.once() == 0
    return place


def test_a_new_spool_has_nothing_to_resume(tmp_path: Path) -> None:
    """None, so that a new instance is begun."""
    place = Place(tmp_path)
    key = FileSigner.load(place.key).key
    assert resume(Spool(place.spool), place.config(), key) is None


def test_resume_knows_head_tree_and_position(place: Place) -> None:
    """All that sealing needs comes from the newest record and the open bundle."""
    spool = Spool(place.spool)
    start = resume(spool, place.config(), FileSigner.load(place.key).key)
    assert start is not None
    assert (start.head.seq, start.head.tree.size, len(start.head.bundle)) == (3, 3, 3)
    assert [span.end for span in start.sources] == [4]


def test_a_record_with_another_tree_is_refused(place: Place) -> None:
    """A tree that does not give the signed root is damage, not a start."""
    path = place.spool / "000000000002.shipped"
    body = path.read_bytes()
    cut = body.index(b'"tree":[["') + 10
    path.write_bytes(body[:cut] + b"A" * 43 + body[cut + 43 :])
    with pytest.raises(SpoolError, match="another tree"):
        resume(Spool(place.spool), place.config(), FileSigner.load(place.key).key)


def test_a_missing_record_of_the_open_bundle_is_refused(place: Place) -> None:
    """Without it the entry bundle could never be completed."""
    (place.spool / "000000000001.shipped").unlink()
    with pytest.raises(SpoolError, match="lacks record 1"):
        resume(Spool(place.spool), place.config(), FileSigner.load(place.key).key)


def test_the_newest_of_several_old_logs_is_named(place: Place) -> None:
    """A third instance names the second, not the first."""
    config, store = place.config(), DirectoryStore(place.archive)
    key = FileSigner.load(place.key).key
    first = find_old_head(store, config, key)
    shutil.rmtree(place.spool)
    place.once()
    second = find_old_head(store, config, key)
    assert first is not None
    assert second is not None
    assert first.manifest.log != second.manifest.log
    assert second.own
    assert place.verify() == 0


def test_positions_of_another_key_are_not_believed(place: Place) -> None:
    """After a change of key the old head is named, and the log is read from its beginning."""
    place.key.unlink()
    place.public.rename(place.root / "old.pub")
    generate(place.key)
    old = find_old_head(
        DirectoryStore(place.archive), place.config(), FileSigner.load(place.key).key
    )
    assert old is not None
    start = new_instance(place.config(), "f" * 16, old)
    assert start.supersedes
    assert start.sources == ()
    shutil.rmtree(place.spool)
    assert place.once() == 0
    assert place.verify("--key", str(place.root / "old.pub")) == 0
    assert place.archived() == b"one\none\n"


def test_rubbish_in_the_store_is_passed_over(place: Place) -> None:
    """Foreign folders and broken notes neither stop nor mislead a new instance."""
    node = place.archive / "c1" / "n1"
    (node / "not-an-instance" / "manifest").mkdir(parents=True)
    (node / "ffffffffffffffff" / "manifest").mkdir(parents=True)
    (node / "ffffffffffffffff" / "manifest" / "999999999999-x.note").write_bytes(b"rubbish")
    own = next(node.glob("*/log.note")).parent
    (own / "manifest" / "zzz").write_bytes(b"rubbish")
    (own / "manifest" / "999999999999-ffffffffffffffff.note").write_bytes(b"rubbish")
    key = FileSigner.load(place.key).key
    old = find_old_head(DirectoryStore(place.archive), place.config(), key)
    assert old is not None
    assert old.manifest.kind == "shutdown"
    assert old.own
