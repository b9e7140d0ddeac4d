"""The report as people read it."""

from __future__ import annotations

from datetime import timedelta

from shipper.verify.report import State
from shipper.verify.request import Window
from shipper.verify.text import render
from tests.verify.archive import BEGIN, keys_of, line, objects, report, small, tall, verify


def test_every_problem_is_a_line() -> None:
    """Verdict, number, code, what it means, and the object."""
    log = small()
    key = keys_of(log, "events/")[0]
    del objects(log)[key]
    (found,) = [row for row in render(report(log.store)).splitlines() if "data-missing" in row]
    assert found == (
        "  completeness fails at number 1: data-missing: The batch's data is gone: its events"
        f" cannot be shown any more [{key}]"
    )


def test_what_was_not_read_is_said() -> None:
    """A window, a chain alone and an earlier run are named for what they are."""
    window = Window(BEGIN + timedelta(seconds=3_000), BEGIN + timedelta(seconds=4_500))
    shown = render(report(tall().store, window=window))
    assert "asked: from 2026-11-23T14:50:00Z to 2026-11-23T15:15:00Z" in shown
    assert "344 manifests from number 256 to 599 (not those before)" in shown
    assert "batches from 303 to 403" in shown
    assert "no data was read" in render(report(tall().store, depth="chain"))
    log = small()
    seen = {known.origin: known for known in verify(log.store).seen}
    assert "nothing new" in render(report(log.store, seen=seen))
    log.batch(line(1))
    assert "1 manifests from number 8 to 8 (those before in an earlier run)" in render(
        report(log.store, seen=seen)
    )


def test_states_can_be_coloured() -> None:
    """A terminal may style the words of a state, and nothing else changes."""

    def shout(word: str, state: State) -> str:
        return word.upper() if state == "holds" else word

    plain = render(report(small().store))
    assert render(report(small().store), shout) == plain.replace("holds", "HOLDS")


def test_nothing_found_is_said() -> None:
    """An unknown log is one line under the verdicts."""
    shown = render(report(small().store, origin="nope"))
    assert "integrity     unknown" in shown
    assert "nothing-found" in shown


def test_floods_are_summed_up() -> None:
    """Problems that were not kept are counted by code, and so are notices."""
    log = small()
    objects(log).update({f"{log.prefix}junk/{n}": b"" for n in range(300)})
    for _ in range(1_100):
        log.notice("config-changed")
    shown = render(report(log.store))
    assert "and 200 more of object-stray" in shown
    assert "and 102 more" in shown
