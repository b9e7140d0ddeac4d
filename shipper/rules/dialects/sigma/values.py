"""A text of an event against one value of Sigma's, in CEL.

Wildcards, regular expressions, networks, numbers; without regard to case unless the value is cased.
Raises UnsupportedError for kinds of values that have no counterpart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sigma import types

from shipper.rules.dialects.cel_text import (
    TRUE,
    UnsupportedError,
    literal,
    pattern,
    quoted_regex,
)

COMPARED = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_NUMBER = r"\A-?[0-9]{1,15}(\.[0-9]{1,15})?\z"

ANY, _EACH = types.SpecialChars.WILDCARD_MULTI, types.SpecialChars.WILDCARD_SINGLE
_METHODS = {
    (False, False, 0): "{} == {}",
    (False, False, 1): "{} == {}",
    (False, True, 2): "{}.startsWith({})",
    (True, False, 2): "{}.endsWith({})",
    (True, True, 3): "{}.contains({})",
}


def compared(text: str, value: Any) -> str:
    """Whether `text`, an expression that has a text, is what `value` says."""
    if isinstance(value, types.SigmaString):
        return matched(text, value.s, cased=isinstance(value, types.SigmaCasedString))
    if isinstance(value, types.SigmaTimestampPart | types.SigmaQueryExpression):
        raise UnsupportedError(f"{type(value).__name__} is not supported")
    if isinstance(value, types.SigmaNumber):
        return f"{text} == {literal(str(value.number))}"
    if isinstance(value, types.SigmaBool):
        return f"{text}.lowerAscii() == {literal(str(value.boolean).lower())}"
    if isinstance(value, types.SigmaRegularExpression):
        flags = "".join(sorted(flag.name[0].lower() for flag in value.flags))
        return f"{text}.matches({pattern(f'(?{flags})' * bool(flags) + value.to_plain())})"
    if isinstance(value, types.SigmaCIDRExpression):
        return f"(isIP({text}) && cidr({literal(value.cidr)}).containsIP({text}))"
    if isinstance(value, types.SigmaCompareExpression):
        limit = f"double({text}) {COMPARED[value.op.name]} double({value.number.number})"
        return f"({text}.matches({literal(_NUMBER)}) && {limit})"
    raise UnsupportedError(f"{type(value).__name__} is not supported")


def plain(value: Any) -> str | None:
    """The text of a value without wildcards."""
    if not all(isinstance(one, str) for one in value.s):
        return None
    return "".join(value.s)


def matched(text: str, parts: Iterable[Any], *, cased: bool) -> str:
    """`text` against a text with wildcards."""
    parts = list(parts)
    if any(isinstance(one, types.Placeholder) for one in parts):
        raise UnsupportedError("placeholders are not supported")
    if parts == [ANY]:
        return TRUE
    fixed = [one for one in parts if isinstance(one, str)]
    if len(fixed) <= 1 and all(isinstance(one, str) or one == ANY for one in parts):
        method = _METHODS.get((parts[:1] == [ANY], parts[-1:] == [ANY], len(parts)))
        wanted = fixed[0] if fixed else ""
        if method and (cased or wanted.isascii()):
            subject = text if cased else f"{text}.lowerAscii()"
            return method.format(subject, literal(wanted if cased else wanted.lower()))
    return f"{text}.matches({pattern(_regex(parts, cased=cased))})"


def _regex(parts: Iterable[Any], *, cased: bool) -> str:
    return rf"(?s{'' if cased else 'i'})\A{_inner(parts)}\z"


def _inner(parts: Iterable[Any]) -> str:
    return "".join(
        quoted_regex(one) if isinstance(one, str) else ".*" if one == ANY else "." for one in parts
    )


def is_wild(value: Any) -> bool:
    """Whether it is a text with wildcards that may be a part of one regular expression."""
    return (
        not isinstance(value, types.SigmaCasedString)
        and any(one in (ANY, _EACH) for one in value.s)
        and not any(isinstance(one, types.Placeholder) for one in value.s)
        and list(value.s) != [ANY]
    )


def alternative(parts: Sequence[Any]) -> str:
    """A value as a part of a regular expression that searches."""
    start = "" if parts[0] == ANY else r"\A"
    end = "" if parts[-1] == ANY else r"\z"
    return f"{start}{_inner(parts[parts[0] == ANY : len(parts) - (parts[-1] == ANY)])}{end}"
