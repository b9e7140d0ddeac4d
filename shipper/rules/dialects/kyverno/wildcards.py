"""Kyverno's wildcards: `*` is any run of characters, `?` exactly one.

In linear time: no pattern makes a match explode. Source: kyverno ext/wildcard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from shipper.rules.cel.library.function import CallError
from shipper.rules.cel.library.regex import compiled
from shipper.rules.dialects.kyverno.errors import too_much

Test = Callable[[str], bool]

_SPECIAL = frozenset("\\.+*?()|[]{}^$")


def has_wildcard(text: str) -> bool:
    """Whether it is more than a plain text."""
    return "*" in text or "?" in text


def matches(pattern: str, text: str) -> bool:
    """Whether all of `text` is as `pattern` says. Raises UndecidedError (a huge pattern)."""
    return pattern == text or (("*" in pattern or "?" in pattern) and test_of(pattern)(text))


def matches_any(patterns: Iterable[str], text: str) -> bool:
    """Whether any of `patterns` matches."""
    return any(matches(pattern, text) for pattern in patterns)


@lru_cache(maxsize=2048)
def test_of(pattern: str) -> Test:
    """The test that `pattern` stands for. Raises UndecidedError (a huge pattern)."""
    if not has_wildcard(pattern):
        return pattern.__eq__
    if not pattern.strip("*"):
        return lambda _text: True
    if "?" in pattern:
        return _by_regex(pattern)
    head, *middle, tail = pattern.split("*")
    parts = [part for part in middle if part]
    if not parts and not tail:
        return lambda text: text.startswith(head)
    return lambda text: _in_order(text, head, parts, tail)


def _in_order(text: str, head: str, parts: list[str], tail: str) -> bool:
    """The leftmost place of each part leaves the most room for those behind it."""
    end = len(text) - len(tail)
    if len(head) > end or not text.startswith(head) or not text.endswith(tail):
        return False
    at = len(head)
    for part in parts:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _by_regex(pattern: str) -> Test:
    text = "".join(
        ".*" if char == "*" else "." if char == "?" else _quoted(char) for char in pattern
    )
    try:
        regex = compiled(rf"(?s)\A{text}\z")
    except CallError as error:
        raise too_much(f"a wildcard pattern: {error}") from None
    return lambda value: regex.search(value.encode(errors="replace")) is not None


def _quoted(char: str) -> str:
    return f"\\{char}" if char in _SPECIAL else char
