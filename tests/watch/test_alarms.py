"""What a verification finds wrong becomes alarms that a receiver can choose by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from shipper.store.memory import MemoryStore
from shipper.tell.alert import Alert
from shipper.verify.archive import Verified
from shipper.verify.heads import SeenLog
from shipper.verify.report import EXIT_CODES
from shipper.watch.alarms import FAILS, UNKNOWN, Alarm, alarms, as_alert
from tests.health.samples import HOSTILE
from tests.verify.archive import ORIGIN, Log, keys_of, objects, small, verify
from tests.verify.stores import Failing

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def seen(verified: Verified) -> dict[str, SeenLog]:
    return {log.origin: log for log in verified.seen}


def found(log: Log, **asked: object) -> list[Alarm]:
    return alarms(verify(log.store, **asked).report)  # type: ignore[arg-type]


def names(log: Log, **asked: object) -> list[str]:
    return [one.kind.rule.removeprefix("audit-shipper.") for one in found(log, **asked)]


def shrink(log: Log) -> None:
    for kind in ("manifest/", "checkpoint/"):
        del objects(log)[keys_of(log, kind)[-1]]


def fork(log: Log) -> None:
    other = small()
    other.batch(b"another history\n")
    log.add("heartbeat")
    for key in keys_of(other, "manifest/")[-1:]:
        objects(log)[key] = objects(other)[key]


def change(log: Log) -> None:
    objects(log)[keys_of(log, "events/")[0]] = b"nothing happened here"


def test_a_good_archive_is_no_alarm() -> None:
    """Neither with a head file nor without."""
    log = small()
    assert names(log) == []
    assert names(log, seen=seen(verify(log.store))) == []


@pytest.mark.parametrize(
    ("spoil", "name"),
    [(shrink, "archive-shrunk"), (fork, "archive-changed"), (change, "archive-changed")],
)
def test_what_was_done_to_an_archive_has_a_name(spoil: Callable[[Log], None], name: str) -> None:
    """Seen by who has seen the log before."""
    log = small()
    known = seen(verify(log.store))
    spoil(log)
    asked = {} if spoil is change else {"seen": known}
    assert name in names(log, **asked)


def test_silence_has_a_name() -> None:
    """With the age, and the record that came last."""
    (one,) = found(small(), max_age_seconds=300.0)
    assert (one.kind.rule, one.log, one.seq) == ("audit-shipper.log-silent", ORIGIN, 7)
    assert "stale: " in one.says


def test_a_log_that_was_retired_may_be_silent() -> None:
    """Its node is no more; what else is wrong with it still counts."""
    log = small()
    assert names(log, max_age_seconds=300.0, retired=frozenset({ORIGIN})) == []
    change(log)
    asked = {"max_age_seconds": 300.0, "retired": frozenset({ORIGIN})}
    assert names(log, **asked) == ["archive-changed"]


def test_a_store_that_does_not_answer_is_told_from_one_that_lies() -> None:
    """Nothing is proved, and nothing is claimed; the store is named where no log is known."""
    log = small()
    broken = Failing(log.store, "manifest")
    assert {one.kind for one in alarms(verify(broken).report)} == {UNKNOWN}
    (empty,) = alarms(verify(MemoryStore()).report)
    assert (empty.kind, empty.log) == (UNKNOWN, MemoryStore().url)


def test_every_verdict_has_an_alarm() -> None:
    """But the witness's, which nobody asks for yet."""
    assert set(FAILS) == set(EXIT_CODES) - {"anchored"}


def test_an_alarm_is_an_alert_with_an_id_of_its_own() -> None:
    """What an archive says is harmless and has an end; two calls for one alarm are told apart."""
    alarm = Alarm(ORIGIN, FAILS["integrity"], HOSTILE * 100, 7, "a" * 64, "manifest/x")
    first, second = (as_alert(alarm, number=number, now=NOW) for number in (1, 2))
    (finding,) = first.findings
    assert "\x1b" not in finding.message
    assert len(finding.message) <= 2000
    ids = {Alert(one.evidence, one.findings[0]).id for one in (first, second)}
    assert ids == {f"{ORIGIN}/7/{n}/audit-shipper.archive-changed" for n in (1, 2)}
