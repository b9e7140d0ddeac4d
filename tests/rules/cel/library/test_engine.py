"""What the engine itself brings: macros, optionals, maps, numbers, times."""

from __future__ import annotations

import pytest

from tests.rules.cel.asking import ask, refused

TRUE = [
    "event.list.all(x, x > 0) && event.list.exists(x, x == 2) && event.list.exists_one(x, x == 3)",
    "event.list.map(x, x * 2) == [2, 4, 6] && event.list.filter(x, x > 1) == [2, 3]",
    "event.list.map(x, x > 1, x * 2) == [4, 6]",
    "event.map.all(k, event.map[k] > 0) && event.map.exists(k, k == 'a')",
    "event.list.all(i, v, v == i + 1) && event.map.exists(k, v, k == 'b' && v == 2)",
    "event.map.existsOne(k, v, v == 1)",
    "event.list.transformList(i, v, i * v) == [0, 2, 6]",
    "event.list.transformList(i, v, i > 0, v) == [2, 3]",
    "event.map.transformMap(k, v, v + 1) == {'a': 2, 'b': 3}",
    "event.map.transformMap(k, v, v > 1, v) == {'b': 2}",
    "event.map.transformMapEntry(k, v, {v: k}) == {1: 'a', 2: 'b'}",
    "has(event.map.a) && !has(event.map.c)",
    "event.?map.?c.orValue(5) == 5 && event.?map.?a.orValue(5) == 1",
    "event.map[?'a'].hasValue() && event[?'x'] == optional.none()",
    "event.?map.optMap(m, size(m)).orValue(0) == 2",
    "event.?list.optFlatMap(l, l[?7]).orValue(9) == 9",
    "event.?none.or(optional.of(3)).value() == 3",
    "optional.ofNonZeroValue('') == optional.none()",
    "[?event.?none, 1] == [1] && {?'x': event.?none} == {}",
    "cel.bind(m, event.map, m.a + m.b) == 3",
    "math.greatest(1, 3, 2) == 3 && math.least(1.5, 2) == 1.5 && math.abs(-1) == 1",
    "2 > 1.5 && 1u <= 2 && 0.5 < 1u && event.list[0] == 1.0 && dyn(1u) == 1",
    "timestamp('2026-01-02T03:04:05Z').getHours() == 3",
    "timestamp(event.time) - timestamp('2026-01-01T00:00:00Z') == duration('1h30m')",
    "string(1.5) == '1.5' && int('7') == 7 && double('1.5') == 1.5 && string(true) == 'true'",
    "base64.decode('aGk=') == b'hi' && base64.encode(b'hi') == 'aGk='",
    "type(event.list) == list && type(1) == int",
    "event.nothing == null && event.list != null",
    "'a' in event.map && 2 in event.list && !('c' in event.map)",
]

REFUSED = [
    "event.map.c",
    "event.list[9]",
    "event.list.c",
    "1 / event.zero == 1",
    "9223372036854775807 + event.list[0]",
    "int('seven')",
    "timestamp('yesterday')",
    "event.?none.value()",
    "event.map.transformMapEntry(k, v, {'same': v})",
    "event.list + 1",
    "event.map.a && true",
]

EVENT = {
    "list": [1, 2, 3],
    "map": {"a": 1, "b": 2},
    "zero": 0,
    "nothing": None,
    "time": "2026-01-01T01:30:00Z",
}


@pytest.mark.parametrize("text", TRUE)
def test_the_language_is_kubernetes(text: str) -> None:
    """Macros, two variables, optionals, bindings, comparisons across number types."""
    assert ask(text, event=EVENT) is True


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_data_does_not_have_is_an_error(text: str) -> None:
    """An error is a value with a reason, never an exception."""
    assert refused(text, event=EVENT)
