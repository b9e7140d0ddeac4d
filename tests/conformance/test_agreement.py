"""The targets of agreement, dialect by dialect; `make conformance` lists what disagrees."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.case import Case, Group, grouped
from tests.conformance.suites import SUITES


@pytest.mark.parametrize("dialect", SUITES)
def test_a_dialect_agrees_with_the_cases_of_its_project(dialect: str, shared: Path) -> None:
    """As often as was promised, and each disagreement has a reason."""
    suite = SUITES[dialect]
    cases = list(suite.cases(shared / "conformance"))
    missed = [group for group in grouped(suite, cases) if not group.is_met]
    assert not missed
    differ = [case for case in cases if not case.agrees]
    assert not [case for case in differ if not (suite.EXPLAINED.get(case.name) or case.note)]


def test_a_group_without_a_case_has_met_no_target() -> None:
    """A corpus that could not be read must not look like agreement."""
    assert not Group("cel", 0, 0, 0.0).is_met
    assert Group("cel", 1, 1, 100.0).is_met


def test_a_case_agrees_if_we_say_what_is_expected() -> None:
    """An indeterminate verdict is never counted as the pass that was expected."""
    assert Case("cel", "one", "pass", "pass").agrees
    assert not Case("cel", "one", "pass", "indeterminate").agrees
