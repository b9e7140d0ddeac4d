"""Falco's conditions: what they mean, and what is none."""

from __future__ import annotations

import pytest

from shipper.rules.dialects.falco.condition import (
    Check,
    ConditionError,
    Junction,
    Macro,
    Not,
    parse,
)
from shipper.rules.dialects.falco.fields import Field

A, B, C = Macro(0, "a"), Macro(5, "b"), Macro(11, "c")


def test_and_binds_closer_than_or() -> None:
    """As in every other language, though parentheses would say it better."""
    node = parse("a or b and c")
    assert isinstance(node, Junction)
    assert node.word == "or"
    assert isinstance(node.parts[1], Junction)
    assert node.parts[1].word == "and"


def test_not_binds_closest_and_twice_is_nothing() -> None:
    """`not a and b` is not `not (a and b)`."""
    node = parse("not a and b")
    assert isinstance(node, Junction)
    assert isinstance(node.parts[0], Not)
    assert isinstance(parse("not not a"), Macro)
    assert isinstance(parse("not(a or b)"), Not)


@pytest.mark.parametrize(
    ("text", "operator", "values"),
    [
        ("ka.verb=create", "=", ("create",)),
        ("ka.verb = 'a b'", "=", ("a b",)),
        ("ka.uri startswith /healthz?", "startswith", ("/healthz?",)),
        ("ka.verb in (create,update , patch)", "in", ("create", "update", "patch")),
        ("ka.verb in ()", "in", ()),
        ("ka.verb in some_list", "in", ("some_list",)),
        ("ka.verb in\n(a)", "in", ("a",)),
        ("ka.user.groups intersects (system:masters)", "intersects", ("system:masters",)),
        ("ka.response.code >= 400", ">=", ("400",)),
        ("ka.target.subresource exists", "exists", ()),
        (r'ka.uri contains "a\"b\\c\x41"', "contains", ('a"b\\cA',)),
    ],
)
def test_a_check_has_a_field_an_operator_and_values(
    text: str, operator: str, values: tuple[str, ...]
) -> None:
    """Bare, quoted, in lists, with blanks or without."""
    node = parse(text)
    assert isinstance(node, Check)
    assert (node.operator, node.values) == (operator, values)


def test_a_field_may_have_an_argument() -> None:
    """Bare or quoted; a JSON pointer is one."""
    for text in ("jevt.value[/a/b~1c] exists", 'jevt.value["/a/b~1c"] exists'):
        node = parse(text)
        assert isinstance(node, Check)
        assert node.field == Field("jevt.value", "/a/b~1c")


def test_text_may_be_compared_in_one_case_and_with_several_values() -> None:
    """`tolower()`, and `startswith anyof (…)`."""
    node = parse("tolower(ka.user.name) startswith anyof (adm, root)")
    assert isinstance(node, Check)
    assert (node.case, node.of, node.values) == ("lower", "any", ("adm", "root"))


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("", 0),
        ("ka.verb", 7),
        ("ka.verb = ", 10),
        ("(a or b", 7),
        ("a b", 2),
        ("a and", 5),
        ("ka.verb in (a", 13),
        ("ka.verb in (a b)", 14),
        ("ka.verb like x", 8),
        ("b64(ka.verb) = x", 0),
        ("ka.verb = val(ka.uri)", 10),
        ("(" * 100 + "a" + ")" * 100, 65),
    ],
)
def test_what_is_no_condition_is_refused_where_it_stops_being_one(text: str, offset: int) -> None:
    """Also what is nested without end, and what is not supported."""
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert caught.value.offset == offset


def test_what_is_not_supported_is_named() -> None:
    """By itself: nothing else was expected in its place."""
    with pytest.raises(ConditionError, match=r"^b64\(\) is not supported$"):
        parse("b64(ka.verb) = x")
