"""Regular expressions in expressions."""

from __future__ import annotations

import pytest

from shipper.rules.cel.program import COST
from tests.rules.cel.asking import ask, refused

TRUE = [
    "'nginx:latest'.matches('^nginx')",
    "'nginx:latest'.matches('latest$')",
    "!'nginx'.matches('^ginx')",
    "matches('nginx', 'i.x')",
    "'é'.matches('^.$')",
    "'a\\nb'.matches('a.b') == false && 'a\\nb'.matches('(?s)a.b')",
    "'PASSWORD'.matches('(?i)password')",
    "event.image.matches(params.pattern)",
    "'abc 123'.find('[0-9]+') == '123'",
    "'abc 123'.find('xyz') == ''",
    "'é1'.find('[0-9]') == '1'",
    "'123 abc 456'.findAll('[0-9]+') == ['123', '456']",
    "'123 abc 456'.findAll('[0-9]+', 1) == ['123']",
    "'123 abc 456'.findAll('[0-9]+', 0) == []",
    "'123 abc 456'.findAll('[0-9]+', -1) == ['123', '456']",
    "'123 abc 456'.findAll('xyz') == []",
    "'baac'.findAll('a*') == ['', 'aa', '']",
    "'éé'.findAll('') == ['', '', '']",
    "'é'.find('\\\\C') != ''",
]

INVALID = ["(", "[a", "a{1001}", "(?=a)", "\\1", "a" * 5000, "(a{500}){10}b"]


@pytest.mark.parametrize("text", TRUE)
def test_patterns_are_re2s(text: str) -> None:
    """RE2's syntax, found anywhere in the text, empty matches as in Go."""
    given = {"event": {"image": "docker.io/nginx:1"}, "params": {"pattern": "^docker[.]io/"}}
    assert ask(text, **given) is True


@pytest.mark.parametrize("pattern", INVALID)
@pytest.mark.parametrize("call", ["matches", "find", "findAll"])
def test_an_invalid_pattern_is_an_error(pattern: str, call: str) -> None:
    """Whether it comes from an event or a parameter: look-around, back-references, size."""
    assert refused(f"'text'.{call}(params)", params=pattern)


def test_a_pattern_that_makes_other_engines_explode_is_answered() -> None:
    """Nested repetition takes linear time."""
    assert ask("event.matches('^(a+)+$')", event="a" * 50_000 + "!") is False


def test_a_large_pattern_on_a_large_text_is_not_tried() -> None:
    """The worst case is paid for before the search, so that no search lasts for seconds."""
    assert ask("event.matches('(a?){900}z')", event="a" * 200_000) == COST
    assert ask("event.findAll('a*?').size()", event="a" * 1_000_000) == COST


@pytest.mark.parametrize("value", [5, None, [], {}])
def test_what_is_no_text_is_an_error(value: object) -> None:
    """A wrong type in an event is an error, not a mismatch."""
    assert refused("event.matches('a')", event=value)
    assert refused("'a'.matches(event)", event=value)
