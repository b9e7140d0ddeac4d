"""The daemon with policies that the log keeps current: they survive whatever it survives."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest
import zstandard

from shipper.config import Config, Size
from shipper.errors import SpoolError
from shipper.model import Finding
from shipper.seal.findings import decode_findings
from shipper.store.memory import MemoryStore
from tests.daemon import Place, with_batch
from tests.faults import Crash, Fault, FaultyDisk
from tests.rules.dialects.tiny import demand
from tests.rules.guardrails.test_bypass import create
from tests.rules.guardrails.test_replay import wrote
from tests.rules.support import written
from tests.test_guardrails import findings, manifests

pytestmark = pytest.mark.usefixtures("tiny")


def configured(place: Place, *documents: dict[str, Any]) -> Config:
    path = str(written(place.root, *documents))
    return place.config(rules={"catalog": "none", "paths": [path], "policies": "from-log"})


def append(place: Place, *lines: bytes) -> None:
    with place.log.open("ab") as file:
        file.write(b"".join(one + b"\n" for one in lines))


def named(place: Place) -> list[str]:
    """The policies of what was found, in the order of the log."""
    return [one.guardrail.name for one in findings(place) if one.guardrail]


def hashes(place: Place) -> list[object]:
    """Of the policies, one of each in a row."""
    found: list[object] = []
    for one in manifests(place):
        if found[-1:] != [one.agent.policies_sha256]:
            found.append(one.agent.policies_sha256)
    return found


def notices(place: Place) -> list[str]:
    return [one.notice.detail for one in manifests(place) if one.notice]


def stored(store: MemoryStore) -> list[Finding]:
    """What was found, from the objects themselves."""
    bodies = [body for key, body in sorted(store.objects.items()) if "/findings/" in key]
    inflate = zstandard.ZstdDecompressor().decompressobj
    return [one for body in bodies for one in decode_findings(inflate().decompress(body))]


def files(place: Place) -> list[str]:
    return sorted(path.name for path in (place.spool / "policies").glob("*"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_the_log_has_said_survives_a_restart(place: Place) -> None:
    """The policy was made in the first run; the second judges by it. Each manifest has the hash."""
    config = configured(place)
    append(place, wrote("create", demand()))
    assert place.once(config=config) == 0
    append(place, create(), wrote("delete", demand()), create())
    assert place.once(config=config) == 0
    assert named(place) == ["has-team"]
    empty, with_it, again = hashes(place)
    assert empty == again != with_it
    assert notices(place) == []
    assert len(files(place)) == 1
    assert (place.spool / "policies" / files(place)[0]).stat().st_mode & 0o777 == 0o600
    assert place.verify() == 0


def test_nothing_is_written_while_nothing_changes(place: Place) -> None:
    """What stands in the files needs no copy; without from-log no manifest has a hash."""
    append(place, create())
    assert place.once(config=configured(place, demand())) == 0
    assert not (place.spool / "policies").exists()
    other = Place(place.root / "fixed")
    append(other, create())
    path = str(written(other.root, demand()))
    assert other.once(config=other.config(rules={"catalog": "none", "paths": [path]})) == 0
    assert named(other) == ["has-team"]
    assert not isinstance(manifests(other)[0].agent.policies_sha256, str)


@pytest.mark.parametrize("fault", get_args(Fault))
def test_policies_are_never_older_or_newer_than_the_place_in_the_log(
    tmp_path: Path, fault: Fault
) -> None:
    """Stopped at any durable step and started again, each event was judged by the policies of its
    own moment."""
    steps = [
        wrote("create", demand("a")), create(), wrote("update", demand("a", label="x")), create(),
        wrote("delete", demand("a")), create(),
    ]  # fmt: skip
    past = [
        f"bob's CREATE of Pod prod/web came past Demand a, rule label: needs the label {label}"
        for label in ("team", "x")
    ]
    step = get_args(Fault).index(fault)
    while True:
        place, store = Place(tmp_path / str(step)), MemoryStore()
        config = with_batch(configured(place), max_bytes=Size(700))
        append(place, *steps)
        disk = FaultyDisk(step, fault)
        with suppress(Crash, SpoolError):
            place.once(config=config, disk=disk, store=store)
        if not disk.reached:
            break
        assert place.once(config=config, store=store) == 0, step
        assert [one.message.partition(";")[0] for one in stored(store)] == past, step
        assert "begin_anew" not in place.said.getvalue(), step
        step += 6  # each step meets one of the faults: the quick suite has other things to do
    assert step > 30


@pytest.mark.parametrize("body", [b"", b"{", b'{"version":"9"}', None])
def test_a_file_that_is_not_what_was_sealed_is_not_believed(
    place: Place, body: bytes | None
) -> None:
    """Damaged, gone or another's: it begins anew with the rule files, and the record says so."""
    config = configured(place)
    append(place, wrote("create", demand()))
    assert place.once(config=config) == 0
    (path,) = (place.spool / "policies").glob("*.json")
    if body is None:
        path.unlink()
    else:
        path.write_bytes(body)
    append(place, create())
    assert place.once(config=config) == 0
    assert named(place) == []
    (notice,) = notices(place)
    assert notice.startswith("policies ")
    assert "policies_begin_anew" in place.said.getvalue()
    assert place.verify() == 0


def test_a_file_with_another_policy_is_not_believed(place: Place) -> None:
    """Whoever can write to the spool takes no policy out of force: the manifest is signed."""
    config = configured(place)
    append(place, wrote("create", demand()))
    assert place.once(config=config) == 0
    (path,) = (place.spool / "policies").glob("*.json")
    path.write_bytes(path.read_bytes().replace(b'"team"', b'"app"'))
    assert place.once(config=config) == 0
    assert "not what the newest record says" in place.said.getvalue()
    assert len(notices(place)) == 1


def test_other_rule_files_begin_anew(place: Place) -> None:
    """Somebody has given a newer snapshot: it counts, and a notice tells."""
    append(place, wrote("create", demand("old")))
    assert place.once(config=configured(place)) == 0
    append(place, create())
    assert place.once(config=configured(place, demand("new"))) == 0
    assert named(place) == ["new"]
    (notice,) = notices(place)
    assert "policies " in notice
    assert "rules " in notice


def test_rules_that_are_read_again_keep_what_the_log_has_said(tmp_path: Path) -> None:
    """A reload that leaves the policies' files as they are takes over what was replayed."""
    from shipper.config import Rules
    from shipper.pipeline.guard import Guard, InForce, load_engine

    def engine(*documents: dict[str, Any]) -> InForce:
        path = str(written(tmp_path, *documents))
        return InForce(load_engine(Rules("none", [path], policies="from-log")), "")

    guard = Guard(engine())
    guard.look([wrote("create", demand())], first_line=0)
    before = guard.replay
    guard.propose(engine())
    guard.renew()
    assert before is not None
    assert guard.replay is not None
    assert guard.replay is not before
    assert guard.replay.sha256 == before.sha256
    assert len(guard.look([create()], first_line=0).findings) == 1
    guard.propose(engine(demand("other")))
    guard.renew()
    found = guard.look([create()], first_line=0).findings
    assert [one.guardrail.name for one in found if one.guardrail] == ["other"]


def test_a_policy_nested_too_deeply_takes_no_other_with_it(place: Place) -> None:
    """It could be read where the log is and not where the state is: at the next restart the others
    would be gone."""
    config = configured(place)
    deep = wrote("create", demand("deep")).replace(b'"team"', b'"x","y":' + b"[" * 970 + b"]" * 970)
    append(place, wrote("create", demand()), deep)
    assert place.once(config=config) == 0
    append(place, create())
    assert place.once(config=config) == 0
    assert named(place) == ["has-team"]
    assert notices(place) == []
    told = [one.message for one in findings(place) if one.verdict == "indeterminate"]
    assert all("Demand deep is nested deeper than 100 levels" in one for one in told)
    assert told
