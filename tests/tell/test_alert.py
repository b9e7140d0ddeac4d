"""What is told: ids that never change, texts that harm nobody, the worst of too many."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json, structs

from shipper.model import Where, Who
from shipper.tell.alert import MOST_PER_RECORD, Alert, alerts_of, facts
from tests.tell.support import LOG, SEALED, evidence, finding, message


def test_an_alert_has_one_id_for_ever() -> None:
    """It is made of the log, the record, the line and the rule."""
    assert Alert(evidence(), finding()).id == f"{LOG}/7/3/pod-exec"
    assert message(finding(), finding(line=9)).id == f"{LOG}/7/3/pod-exec+1"


def test_only_matches_that_are_to_be_told_are_told() -> None:
    """Shadow rules and findings without a verdict are sealed and stay silent."""
    silent = [finding(mode="shadow"), finding(verdict="indeterminate")]
    assert alerts_of(evidence(), silent) is None
    told = alerts_of(evidence(), [*silent, finding()])
    assert told is not None
    assert told.findings == (finding(),)


def test_of_too_many_the_worst_are_kept_in_order() -> None:
    """What is left out is counted by rule."""
    many = [finding("noise", severity="low", line=n) for n in range(MOST_PER_RECORD + 5)]
    told = alerts_of(evidence(), [*many, finding("real", severity="critical", line=9999)])
    assert told is not None
    assert len(told.findings) == MOST_PER_RECORD
    assert [one.line for one in told.findings] == [*range(MOST_PER_RECORD - 1), 9999]
    assert told.omitted == {"noise": 6}


def test_a_message_is_as_severe_as_its_worst_alert() -> None:
    """The title is the first alert's, and says how many follow."""
    two = message(finding(severity="low"), finding(severity="critical"))
    assert two.severity == "critical"
    assert two.title == "Command run in a pod (and 1 more)"


def test_facts_leave_out_what_is_not_known() -> None:
    """Nothing empty is told; who, what, where and the evidence are."""
    known = facts(Alert(evidence(), finding(who=Who(), where=Where())))
    assert "user" not in known
    assert known["resource"] == "pods/exec"
    assert known["manifest_sha256"] == f"{7:064x}"
    assert all(known.values())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-23T14:00:00.250000Z", datetime(2026, 11, 23, 14, 0, 0, 250000, UTC)),
        ("2026-11-23T14:00:00", datetime(2026, 11, 23, 14, tzinfo=UTC)),
        ("yesterday", SEALED),
        ("", SEALED),
        ("0001-01-01T00:00:00+23:59:59.999999", SEALED),
    ],
)
def test_a_time_that_is_none_is_the_seals(written: str, meant: datetime) -> None:
    """Receivers get a time of RFC 3339 whatever stands in the event."""
    assert Alert(evidence(), finding(time=written)).moment == meant


@given(st.text(st.characters(exclude_categories=[]), max_size=60), st.integers(1, 3000))
def test_hostile_text_is_bounded_and_harmless(text: str, times: int) -> None:
    """Whatever a user name holds, lone surrogates too, is stored on one line without controls."""
    long = text * times
    hostile = finding(
        message=long, who=Who(user=long, groups=(long,) * 50), where=Where(user_agent=long)
    )
    told = alerts_of(evidence(), [hostile])
    assert told is not None
    encoded = json.encode(told)
    assert len(encoded) < 300_000
    cleaned = told.findings[0]
    for shown in (cleaned.message, cleaned.who.user, cleaned.where.user_agent):
        assert len(shown) <= 2000
        assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_clean_text_stays_as_it_is() -> None:
    """What was harmless and short already is told unchanged."""
    told = alerts_of(evidence(), [finding(who=Who(user="jürgen@例え.jp"))])
    assert told is not None
    assert told.findings == (structs.replace(finding(), who=Who(user="jürgen@例え.jp")),)
