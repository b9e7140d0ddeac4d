"""Lists in expressions: what Kubernetes adds, and what the engine's own functions do."""

from __future__ import annotations

import pytest

from shipper.rules.cel import CompileError
from tests.rules.cel.asking import ENVIRONMENT, ask, refused

TRUE = [
    "[1, 2, 3].isSorted()",
    "['a', 'b', 'b', 'c'].isSorted()",
    "![2.0, 1.0].isSorted()",
    "[1].isSorted() && [].isSorted()",
    "[duration('1s'), duration('1m')].isSorted()",
    "[timestamp('2026-01-01T00:00:00Z'), timestamp('2026-01-02T00:00:00Z')].isSorted()",
    "[1, 3].sum() == 4",
    "[1.0, 3.0].sum() == 4.0",
    "[1u, 3u].sum() == 4u",
    "[duration('1m'), duration('1s')].sum() == duration('1m1s')",
    "[].sum() == 0",
    "event.numbers.sum() == 6",
    "[1, 3].min() == 1 && [1, 3].max() == 3",
    "['b', 'a'].min() == 'a' && ['b', 'a'].max() == 'b'",
    "[duration('1s'), duration('2s')].max() == duration('2s')",
    "[timestamp(event.time)].min() == timestamp('2026-01-01T00:00:00Z')",
    "event.numbers.max() == 3",
    "[1, 2, 2, 3].indexOf(2) == 1",
    "['a', 'b', 'b', 'c'].lastIndexOf('b') == 2",
    "[1.0].indexOf(1.1) == -1 && [1.0].lastIndexOf(1.1) == -1",
    "[dyn(1)].indexOf(dyn(1.0)) == 0",
    "[dyn(true)].indexOf(dyn(1)) == -1",
    "[{'a': [1]}].indexOf({'a': [1]}) == 0",
    "[[1]].indexOf([1, 2]) == -1",
    "[].indexOf('string') == -1",
    "event.groups.indexOf('b') == 1 && event.groups.lastIndexOf('b') == 1",
    "[1, 2, 3].includes(2) && ![1, 2, 3].includes(4)",
    "'model-a'.includes('model-a') && !'model-a'.includes('model')",
    "[1, 2, 3, 4].slice(1, 3) == [2, 3]",
    "[1, [2, [3]]].flatten() == [1, 2, [3]]",
    "[1, 1.0, 2, 'a', 'a', true].distinct() == [1, 2, 'a', true]",
    "[{'a': 1}, {'a': 1}, {'a': 2}].distinct() == [{'a': 1}, {'a': 2}]",
    "lists.range(3) == [0, 1, 2] && lists.range(0) == []",
    "[3, 1, 2].sort() == [1, 2, 3]",
    "['bb', 'a'].sortBy(x, size(x)) == ['a', 'bb']",
    "[1, 2].reverse() == [2, 1]",
    "[1, 2].first().value() == 1 && [1, 2].last().value() == 2",
    "!event.none.first().hasValue()",
]

REFUSED = [
    "event.none.min()",
    "event.none.max()",
    "event.mixed.max()",
    "event.mixed.isSorted()",
    "event.mixed.sum()",
    "event.groups.sum()",
    "event.maps.max()",
    "event.numbers.map(n, n + 9223372036854775800).sum()",
    "event.user.sum()",
]

EVENT = {
    "numbers": [1, 2, 3],
    "groups": ["a", "b", "c"],
    "none": [],
    "mixed": [1, "a"],
    "maps": [{}],
    "time": "2026-01-01T00:00:00Z",
    "user": "bob",
}


@pytest.mark.parametrize("text", TRUE)
def test_lists_answer_as_in_kubernetes(text: str) -> None:
    """What Kubernetes' documentation says of a list holds."""
    assert ask(text, event=EVENT) is True


@pytest.mark.parametrize("text", REFUSED)
def test_what_a_list_can_not_answer_is_an_error(text: str) -> None:
    """Empty lists, lists of several types and sums beyond 64 bits have no answer."""
    assert refused(text, event=EVENT)


@pytest.mark.parametrize(
    "text", ["['a'].sum()", "[1].indexOf('a')", "[[1]].isSorted()", "[1].indexOf(1.0)"]
)
def test_types_that_never_fit_are_refused_at_load(text: str) -> None:
    """The checker knows the types of a list's elements."""
    with pytest.raises(CompileError, match="no matching overload"):
        ENVIRONMENT.compile(text, expect="any")
