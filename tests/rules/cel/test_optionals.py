"""Where an optional may stand: the engine ends the process when Python is given one in a map."""

from __future__ import annotations

import pytest

from shipper.rules.cel import CompileError
from tests.rules.cel.asking import ENVIRONMENT, ask

REFUSED = [
    ("[optional.of(1)]", 13),
    ("{'a': optional.none()}", 20),
    ("{'a': event.?b}", 12),
    ("{'a': event[?'b']}", 12),
    ("{'a': event.?b.c}", 15),
    ("{'a': event.?b[0]}", 15),
    ("{'a': true ? event.?b : dyn(1)}", 12),
    ("{'a': cel.bind(x, event.?b, x)}", 15),
    ("cel.bind(x, event.?b, {'a': x})", 29),
    ("dyn(event.?b)", 10),
    ("[event].includes(event.?b)", 23),
    ("event.?b.orValue(optional.of(1))", 29),
    ("optional.of(true ? event.?b : dyn(1))", 18),
    ("optional.of(optional.of(1)).value().value()", 24),
    ("[?optional.ofNonZeroValue(event.?b)]", 32),
    ("event.?b.optMap(x, x.?c).orValue(1)", 33),
    ("event.map(x, x.?b)", 15),
    ("event.transformMap(k, v, v.?b)", 27),
    ("[[1].first()]", 11),
    ("{'a': format.uuid().validate('')}", 29),
]

TAKEN = [
    ("{?'a': event.?b}", {"a": [7]}),
    ("[?event.?b]", [[7]]),
    ("cel.bind(x, event.?b, {?'a': x})", {"a": [7]}),
    ("(true ? event.?b : dyn(1)).orValue(2)", [7]),
    ("event.?b.optFlatMap(b, b[?0]).orValue(0)", 7),
    ("event.?b[0].orValue(0)", 7),
    ("event.?b == optional.none()", False),
    ("event.?c.or(event.?b).value()", [7]),
]


@pytest.mark.parametrize(("text", "column"), REFUSED)
def test_an_optional_is_refused_where_its_type_is_lost(text: str, column: int) -> None:
    """At load, with the place; however it has come there."""
    with pytest.raises(CompileError, match="orValue") as refusal:
        ENVIRONMENT.compile(text, expect="any")
    assert (refusal.value.line, refusal.value.column) == (1, column)


@pytest.mark.parametrize(("text", "value"), TAKEN)
def test_an_optional_is_taken_where_it_is_meant(text: str, value: object) -> None:
    """In `?` entries, as a target, in comparisons, choices and bindings."""
    assert ask(text, event={"b": [7]}) == value
