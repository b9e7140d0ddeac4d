"""Constants in their places: the same answers, with fewer calls of Python."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.cel import CelError, Environment, Program, constant
from shipper.rules.cel.meter import CALL

ENVIRONMENT = Environment()
PARAMS: dict[str, Any] = {
    "words": ["pass", "Key", "a.b", "[0-9]+", ""],
    "numbers": [1, 2, 3],
    "mixed": ["x", 1, None],
    "sub": {"deep": {"on": True, "many": ["w"] * 100}},
    "broken": ["("],
}
OBJECT: dict[str, Any] = {
    "name": "my-Key-1",
    "values": ["pass", "none", "a.b", "7"],
    "number": 7,
}


def _program(text: str, params: Any) -> Program:
    named = {} if params is None else {"params": constant(params)}
    return ENVIRONMENT.program(ENVIRONMENT.part(text), named)


@pytest.mark.parametrize(
    "text",
    [
        "params.words.exists(w, object.name.contains(w))",
        "params.words.all(w, object.name.contains(w))",
        "params.words.exists(w, object.name.matches(w))",
        "object.values.map(v, params.words.exists(w, v.matches(w)))",
        "object.values.filter(v, params.words.all(w, w == '' || !v.contains(w)))",
        "params['words'].exists(w, object.name.contains(w) && object.number == 7)",
        "params.mixed.exists(w, object.name.contains(w))",
        "params.mixed.all(w, object.name.contains(w))",
        "params.numbers.exists(w, object.name.contains(w))",
        "params.broken.exists(w, object.name.matches(w))",
        "params.broken.exists(w, object.name.matches(w)) || true",
        "params.words.exists_one(w, object.name.contains(w))",
        "params.words.exists(params, object.name.contains(params))",
        "object.values.exists(params, params == 'none')",
        "params.words.exists(w, params.words.all(v, object.name.contains(v) || w.contains(v)))",
        "has(params.sub.deep.on) && params.sub.deep.on && !has(params.sub.none)",
        "has(params.none.deep)",
        "params.none == 1",
        "params.sub.deep.many.all(w, !object.name.contains(w))",
        "size(params.sub.deep.many) + size(params.words)",
        "cel.bind(w, params.words, w.exists(x, object.name.contains(x)) ? w : [])",
        "params.?sub.?deep.?on.orValue(false)",
        "params.words.exists(i, w, i > 0 && object.name.contains(w))",
        "object.number.matches('Key') || object.number.contains('Key')",
        "object.name.matches('Key') && !object.name.matches('key') && object.name.matches('')",
        "object.name.matches('K.y') && object.name.matches('^my') && !object.name.matches('y$')",
    ],
)
def test_a_constant_gives_the_answer_of_a_variable(text: str) -> None:
    """Value or kind of error alike."""
    bound = ENVIRONMENT.activation({"object": OBJECT, "params": PARAMS})
    alone = ENVIRONMENT.activation({"object": OBJECT})
    expected = _program(text, None).evaluate(bound)
    found = _program(text, PARAMS).evaluate(alone)
    if isinstance(expected, CelError):
        assert isinstance(found, CelError)
        assert found.kind == expected.kind == "error"
    else:
        assert found == expected


def test_a_loop_over_literal_words_calls_no_python() -> None:
    """The engine searches for literals by itself, which costs a tenth."""
    texts = ["params.words.exists(w, object.name.contains(w))", "object.name.matches('Key')"]
    plain = {"words": ["pass", "key"]}
    activation = ENVIRONMENT.activation({"object": OBJECT})
    for text in texts:
        program = _program(text, plain)
        assert isinstance(program.evaluate(activation), bool)
        bill = program._bill  # noqa: SLF001  # what it pays for calls
        assert bill is None or CALL not in dict(bill.reads)


def test_a_large_constant_stays_in_one_place() -> None:
    """And is still bounded: many words in many values cost what they cost."""
    params = {"words": [f"word-{number}" for number in range(2000)]}
    text = "object.values.all(v, params.words.all(w, object.values.all(x, !x.contains(w + v))))"
    activation = ENVIRONMENT.activation({"object": {"values": ["v"] * 2000}})
    answer = _program(text, params).evaluate(activation)
    assert isinstance(answer, CelError)
    assert answer.kind == "cost"
