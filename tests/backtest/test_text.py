"""The result in a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.backtest.result import Result
from shipper.backtest.tally import Place
from shipper.backtest.text import TOP, render
from tests.backtest.support import SUBJECT, hit, judged, labelled, question, tried
from tests.rules.dialects.tiny import demand
from tests.rules.support import pod, rule

pytestmark = pytest.mark.usefixtures("tiny")


def test_it_says_who_would_have_been_denied_what_and_when(tmp_path: Path) -> None:
    """With the record that each sample lies in; what is written to audit alone says so."""
    rules = tried(tmp_path, demand(action="audit"), demand("content", label="app"))
    lines = [labelled(number, {"app": "x"}) for number in range(3)]
    text = render(judged([rules], *lines), question(rules))
    for part in (
        "3 lines in 0 verified batches",
        "events from 2026-11-23T15:00:00Z to 2026-11-23T15:02:00Z",
        "3 requests would have been denied",
        "Demand has-team, label: 3 of 3 would have been denied, 0 undecided (0.0%), 0 exempt;"
        " it is written to audit only",
        "when ███ one for each minute",
        "by   bob 3",
        "of   Pod default/p0 1, Pod default/p1 1, Pod default/p2 1",
        "audit id id-0, line 0 of number 7 in c/n/i",
        "nothing denied, of so many objects: Demand content, label (3)",
    ):
        assert part in text


def test_what_had_nothing_to_say_is_named(tmp_path: Path) -> None:
    """A policy that spoke of nothing, a rule that found nothing, a refusal by somebody else."""
    refused = pod({}, responseStatus={"code": 403, "message": "exceeded quota: q, requested"})
    rules = tried(tmp_path, demand(resources=["nodes"]), rule(match={"verbs": ["delete"]}))
    text = render(judged([rules], refused), question(rules))
    assert "nothing found: Demand has-team, r\n" in text
    assert "refused by admission already:\n  1 by quota q\n" in text


def test_names_are_harmless_and_few(tmp_path: Path) -> None:
    """No escape reaches the terminal; the most frequent names, and how many more there are."""
    rules = tried(tmp_path, demand())
    result = Result()
    for number in range(20):
        result.tally.of(SUBJECT, severity="low").add(Place("\x1b[2J", 1), hit(f"\x1b[31m{number}"))
    text = render(result, question(rules))
    assert "\x1b" not in text
    assert f"and {20 - TOP} more" in text


def test_what_changes_between_two_versions(tmp_path: Path) -> None:
    """Each way, with how many."""
    sets = [tried(tmp_path, demand(), name="old"), tried(tmp_path, demand(label="x"), name="new")]
    text = render(judged(sets, labelled(1, {"team": "a"}), labelled(2)), question(*sets))
    assert "from old.yaml to new.yaml:\n1 new\n" in text
    assert "\n0 gone\n1 both\n" in text
