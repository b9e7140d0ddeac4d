"""Lists as sets in expressions."""

from __future__ import annotations

import pytest

from tests.rules.cel.asking import ask, refused

TRUE = [
    "sets.contains([1, 2], [])",
    "sets.contains([1, 2, 3], [2, 3, 3])",
    "sets.contains([dyn(1), 2], [dyn(1.0)])",
    "!sets.contains([1], [1, 2])",
    "!sets.contains([dyn(true)], [dyn(1)])",
    "!sets.contains([dyn('1')], [dyn(1)])",
    "sets.contains([[1], [2]], [[2]])",
    "sets.equivalent([], [])",
    "sets.equivalent([1, 2], [2, 1, 1])",
    "!sets.equivalent([1, 2], [1])",
    "sets.equivalent([{'a': 1}], [{'a': 1}])",
    "sets.intersects([1, 2], [2, 3])",
    "!sets.intersects([1], [])",
    "!sets.intersects(['a'], ['b'])",
    "sets.intersects(event.user.groups, ['system:masters'])",
    "!sets.contains(['a'], event.user.groups)",
]


@pytest.mark.parametrize("text", TRUE)
def test_sets_answer_as_in_cel_go(text: str) -> None:
    """What the extension's documentation says of a set holds."""
    groups = ["system:masters", "system:authenticated"]
    assert ask(text, event={"user": {"groups": groups}}) is True


@pytest.mark.parametrize("value", ["a", None, {}, 5])
def test_what_is_no_list_is_an_error(value: object) -> None:
    """A wrong type in an event is an error, not an empty set."""
    assert refused("sets.intersects(event, ['a'])", event=value)
