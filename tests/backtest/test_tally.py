"""What rules would have found, counted within bounds."""

from __future__ import annotations

from shipper.backtest import tally
from shipper.backtest.tally import OTHERS, Place, Tally
from shipper.model import Finding, What, Who
from tests.verify.archive import changed_finding, finding

PLACE = Place("c/n/i", 7)


def by(user: str, time: str = "", namespace: str = "") -> Finding:
    """A match."""
    return changed_finding(
        finding(0), who=Who(user=user), what=What(namespace=namespace), time=time
    )


def test_findings_are_counted_by_user_and_namespace() -> None:
    """With the first and the last moment, whatever the order in which they come."""
    counted = Tally()
    counted.add(
        PLACE, [by("a", "2026-01-02", "x"), by("b", "2026-01-01", "x")], lines=9, raw_bytes=1
    )
    counted.add(PLACE, [by("a", "2026-01-03", "y")], lines=1, raw_bytes=2)
    found = counted.rules["a-rule"]
    assert (found.matches, found.users, found.namespaces) == (3, {"a": 2, "b": 1}, {"x": 2, "y": 1})
    assert (found.first, found.last) == ("2026-01-01", "2026-01-03")
    assert (counted.batches, counted.lines, counted.raw_bytes) == (2, 10, 3)


def test_what_could_not_be_answered_is_no_match() -> None:
    """It is counted apart, by its reason."""
    counted = Tally()
    undecided = changed_finding(finding(0), verdict="indeterminate", message="no body")
    counted.add(PLACE, [undecided, undecided], lines=2, raw_bytes=2)
    found = counted.rules["a-rule"]
    assert (found.matches, found.undecided, found.reasons) == (0, 2, {"no body": 2})
    assert not found.samples


def test_names_are_bounded() -> None:
    """Who invents users fills no memory: beyond the limit they are counted together."""
    counted = Tally()
    many = [by(f"u{n}") for n in range(tally.MOST_NAMES + 50)]
    counted.add(PLACE, many, lines=1, raw_bytes=1)
    found = counted.rules["a-rule"]
    assert len(found.users) == tally.MOST_NAMES + 1
    assert found.users[OTHERS] == 50
    assert len(found.samples) == tally.SAMPLES
