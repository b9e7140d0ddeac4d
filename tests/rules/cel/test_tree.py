"""The checked tree: what the engine writes is read, and what is written the engine runs."""

from __future__ import annotations

import pytest

from shipper.rules.cel.checker import checker
from shipper.rules.cel.tree import (
    Call,
    Comprehension,
    Const,
    Ident,
    ListOf,
    MapOf,
    Select,
    Tree,
    children,
    decode,
    encode,
    rebuilt,
    walk,
)
from shipper.rules.cel.wire import Message, message, varint, varints

_CHECKER = checker({"event": "dyn"})

TEXTS = [
    "true",
    "-1",
    "18446744073709551615u",
    "1.5",
    "'é'",
    "b'\\xff'",
    "null",
    "event.a.b",
    "has(event.a)",
    "event.?a[?0].orValue('x')",
    "event['key'].startsWith('a') ? size(event) : 0",
    "[1, ?event.?a, 'b']",
    "{'a': 1, ?'b': event.?b}",
    "event.all(x, x.exists(y, y > 1))",
    "event.transformList(i, v, i > 0, v)",
    "cel.bind(x, event.a, x + x)",
]


def _tree(text: str) -> Tree:
    return decode(Message(Message(_CHECKER.compile(text).serialize()).body(2)).body(4))


@pytest.mark.parametrize("text", TEXTS)
def test_a_tree_is_written_as_it_was_read(text: str) -> None:
    """Reading, writing and reading again gives the same tree."""
    tree = _tree(text)
    assert decode(encode(tree)) == tree


@pytest.mark.parametrize("text", TEXTS)
def test_a_tree_is_rebuilt_from_its_children(text: str) -> None:
    """With its own children it is itself; with other children it has those."""
    for node in walk(_tree(text)):
        assert rebuilt(node, children(node)) is node
        others = [Const(1000 + at, at, b"") for at, _ in enumerate(children(node))]
        assert list(children(rebuilt(node, others))) == others


@pytest.mark.parametrize(
    ("text", "value"),
    [("-1", -1), ("18446744073709551615u", 2**64 - 1), ("1.5", 1.5), ("'é'", "é"), ("false", False),
     ("b'\\xff'", b"\xff"), ("null", None), ("0", 0)],
)  # fmt: skip
def test_literals_have_their_value(text: str, value: object) -> None:
    """Signs, sizes and types are kept."""
    tree = _tree(text)
    assert isinstance(tree, Const)
    assert tree.value == value
    assert type(tree.value) is type(value)


def test_the_kinds_of_nodes_are_told_apart() -> None:
    """Fields, calls, lists, maps and folds are what they are."""
    tree = _tree("event.l.all(x, x in [1]) && size({'a': event.b}) == 1")
    kinds = {type(node) for node in walk(tree)}
    assert kinds == {Call, Comprehension, Const, Ident, ListOf, MapOf, Select}


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**63 - 1, -1, -(2**63)])
def test_whole_numbers_survive_the_wire(value: int) -> None:
    """Varints of every length, and negative ones as 64 bits."""
    assert Message(message([(3, value)])).number(3) == value
    assert list(varints(varint(abs(value)) + varint(5))) == [abs(value), 5]


@pytest.mark.parametrize("data", [b"\x08", b"\x80", b"\x0b\x01", b"\x0f"])
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    """Nothing is read beyond the end, and no unknown wire type is guessed."""
    with pytest.raises((IndexError, KeyError)):
        Message(data)
