"""The operators of conditions: `{key, operator, value}`.

Source: kyverno pkg/engine/variables/operator. Key and value are JSON values whose variables are
filled in. Where the types do not fit the answer is a plain no (for NotEquals: yes), not an error.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

from shipper.rules.cel.library import semver
from shipper.rules.cel.library.function import SEMVER, CallError, hold
from shipper.rules.dialects.kyverno.leaf import is_range, text_test
from shipper.rules.dialects.kyverno.meter import Meter
from shipper.rules.dialects.kyverno.scalars import (
    duration,
    is_number,
    number,
    quantity,
    sprint,
)
from shipper.rules.dialects.kyverno.wildcards import matches

Operator = Callable[[Any, Any, Meter], bool]
_Compare = Callable[[Any, Any], bool]

_NANO = 10**9
_ORDER: dict[str, _Compare] = {
    "greaterthan": operator.gt,
    "greaterthanorequals": operator.ge,
    "lessthan": operator.lt,
    "lessthanorequals": operator.le,
}


def _durations(key: Any, value: Any) -> tuple[float, float] | None:
    """Both in nanoseconds, where at least one is a text that is a duration; a number is seconds."""
    spans = [_span(item) for item in (key, value)]
    if not any(spans_text for spans_text, _ in spans):
        return None
    found = [amount for _, amount in spans]
    return None if None in found else (found[0] or 0, found[1] or 0)


def _span(item: Any) -> tuple[bool, float | None]:
    if isinstance(item, str):
        parsed = duration(item) if item != "0" else None
        return parsed is not None, parsed
    return False, int(item) * _NANO if is_number(item) else None


def _equals(key: Any, value: Any) -> bool | None:
    """None: the types do not fit, which is neither Equals nor its opposite's business."""
    if isinstance(key, bool):
        return key is value if isinstance(value, bool) else None
    if is_number(key):
        if isinstance(value, str):
            parsed = number(value)
            return None if parsed is None else parsed == key
        return value == key if is_number(value) else None
    if isinstance(key, str):
        return _text_equals(key, value)
    if isinstance(key, dict | list):
        return _same(key, value) if type(key) is type(value) else None
    return None


def _text_equals(key: str, value: Any) -> bool | None:
    spans = _durations(key, value)
    if spans:
        return spans[0] == spans[1]
    if not isinstance(value, str):
        return None
    mine = quantity(key)
    if mine is not None:
        theirs = quantity(value)
        return mine == theirs if theirs is not None else None
    return matches(value, key)


def _same(one: Any, other: Any) -> bool:
    """Deep equality in which true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_same(mine, theirs) for mine, theirs in pairs)
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def equals(key: Any, value: Any, _meter: Meter) -> bool:
    """Equals: durations, quantities, wildcards in the value; numbers also as text."""
    return _equals(key, value) is True


def not_equals(key: Any, value: Any, _meter: Meter) -> bool:
    """NotEquals: also where the types do not fit. A null key is neither."""
    if key is None:
        return False
    if isinstance(key, str) and value == "" and quantity(key) is not None:
        return not matches("", key)
    return _equals(key, value) is not True


# ---- membership


def _texts(value: Any) -> list[str] | None:
    """The texts that a value stands for: a list's items, a JSON list in a text, or the text."""
    if isinstance(value, list):
        return [sprint(item) for item in value]
    if not isinstance(value, str):
        return None
    parsed = _parsed(value)
    return [value] if parsed is UNSET else parsed if _is_texts(parsed) else None


def _parsed(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return UNSET


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _alike(one: str, other: str) -> bool:
    return matches(one, other) or matches(other, one)


def _member(key: str, value: Any, meter: Meter) -> bool | None:
    """Whether a single key is in the value; None: the value is nothing to be in."""
    if isinstance(value, list):
        meter.step(len(value))
        return any(_alike(sprint(item), key) for item in value)
    if not isinstance(value, str):
        return None
    if matches(value, key):
        return True
    if is_range(value):
        return text_test(value)(key)
    texts = _texts(value)
    return None if texts is None else key in texts


def _members(keys: list[str], value: Any, meter: Meter) -> list[bool] | None:
    """Of each key whether it is in the value."""
    if isinstance(value, str):
        if keys == [value]:
            return [True]
        if is_range(value):
            return [text_test(value)(key) for key in keys]
    texts = _texts(value)
    if texts is None:
        return None
    meter.step(len(keys) * len(texts))
    return [any(_alike(key, text) for text in texts) for key in keys]


def _membership(
    many: Callable[[list[bool]], bool], *, single: bool, scalars: bool = False
) -> Operator:
    """`many` decides of a list of keys; of one key the answer must be `single`.

    `scalars`: the value may be a bare number or bool, as if it were a list of that alone.
    """

    def test(key: Any, value: Any, meter: Meter) -> bool:
        if isinstance(key, list):
            bare = scalars and (is_number(value) or isinstance(value, bool))
            given = [sprint(value)] if bare else value
            found = _members([sprint(item) for item in key], given, meter)
            return found is not None and many(found)
        if isinstance(key, dict) or key is None:
            return False
        return _member(sprint(key), value, meter) is single

    return test


def _legacy(*, single: bool) -> Operator:
    """In and NotIn, deprecated: a list of keys is compared text by text, without wildcards."""

    def test(key: Any, value: Any, meter: Meter) -> bool:
        if isinstance(value, str) and key == [value]:
            return True
        texts = _parsed(value) if isinstance(value, str) else value
        if isinstance(key, list):
            fit = _is_texts(key) and _is_texts(texts)
            return fit and set(key).issubset(texts) is single
        if isinstance(key, dict) or key is None:
            return False
        if isinstance(value, str) and not matches(value, sprint(key)) and not _is_texts(texts):
            return False
        return _member(sprint(key), value, meter) is single

    return test


# ---- order


def _ordering(compare: _Compare) -> Operator:
    def test(key: Any, value: Any, _meter: Meter) -> bool:
        if isinstance(key, bool) or not isinstance(key, int | float | str):
            return False
        pair = _durations(key, value) or _amounts(key, value)
        return pair is not None and compare(*pair)

    return test


def _amounts(key: float | str, value: Any) -> tuple[Any, Any] | None:
    if isinstance(key, str) and isinstance(value, str):
        mine, theirs = quantity(key), quantity(value)
        if mine is not None and theirs is not None:
            return mine, theirs
    mine_number = number(key) if isinstance(key, str) else key
    if mine_number is not None:
        other = number(value) if isinstance(value, str) else value if is_number(value) else None
        return None if other is None else (mine_number, other)
    return _versions(key, value)


def _versions(key: Any, value: Any) -> tuple[int, int] | None:
    try:
        texts = [hold(SEMVER, item) for item in (key, value) if isinstance(item, str)]
        return (semver.compare(*texts), 0) if len(texts) == 2 else None
    except CallError:
        return None


def _duration_ordering(compare: _Compare) -> Operator:
    def test(key: Any, value: Any, _meter: Meter) -> bool:
        found = [
            duration(item) if isinstance(item, str) else _span(item)[1] for item in (key, value)
        ]
        return None not in found and compare(*found)

    return test


_OPERATORS: dict[str, Operator] = {
    "equal": equals,
    "equals": equals,
    "notequal": not_equals,
    "notequals": not_equals,
    "in": _legacy(single=True),
    "notin": _legacy(single=False),
    "anyin": _membership(any, single=True, scalars=True),
    "allin": _membership(all, single=True),
    "anynotin": _membership(lambda found: not all(found), single=False, scalars=True),
    "allnotin": _membership(lambda found: not any(found), single=False),
    **{name: _ordering(compare) for name, compare in _ORDER.items()},
    **{f"duration{name}": _duration_ordering(compare) for name, compare in _ORDER.items()},
}


def operator_of(name: str) -> Operator | None:
    """The operator of this name, in whatever case; None: there is none."""
    return _OPERATORS.get(name.lower())
