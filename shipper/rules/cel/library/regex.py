"""Regular expressions by RE2: `matches`, and Kubernetes' `find` and `findAll`.

The engine would compile the pattern at every call, and takes patterns of any size; here compiled
ones are kept and the worst case is paid for before the search. Source:
k8s.io/apiserver/pkg/cel/library/regex.go; which empty matches count is as in Go's regexp package.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import re2

from shipper.rules.cel.library.function import CallError, Function
from shipper.rules.cel.meter import METER

_MAX_PATTERN_CHARS = 4096
_MAX_PROGRAM = 4000
"""RE2's instructions. The worst case of a search is one step for each of them and each byte."""

_options = re2.Options()
_options.log_errors = False
_options.never_capture = True
_options.max_mem = 1 << 20  # of 8 MiB: up to 256 of them are kept

_capturing_options = re2.Options()
_capturing_options.log_errors = False
_capturing_options.max_mem = 1 << 20


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """The compiled pattern. Raises CallError."""
    return _compiled(pattern, _options)


@lru_cache(maxsize=64)
def capturing(pattern: str) -> Any:
    """The same, with its groups: dearer, for replacements. Raises CallError."""
    return _compiled(pattern, _capturing_options)


def _compiled(pattern: str, options: Any) -> Any:
    if len(pattern) > _MAX_PATTERN_CHARS:
        raise CallError("the regular expression is too long")
    try:
        regex = re2.compile(pattern, options)
    except re2.error:
        raise CallError("invalid regular expression") from None
    if regex.programsize > _MAX_PROGRAM:
        raise CallError("the regular expression is too large")
    return regex


def _matches(text: str, pattern: str) -> bool:
    regex, data = _paid(text, pattern)
    return regex.search(data) is not None


def _find(text: str, pattern: str) -> str:
    regex, data = _paid(text, pattern)
    found = regex.search(data)
    return found[0].decode(errors="replace") if found else ""


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    regex, data = _paid(text, pattern)
    found: list[str] = []
    for match in _all(regex, data):
        if 0 <= limit <= len(found):
            break
        METER.grow(32 + len(match))
        found.append(match.decode(errors="replace"))
    return found


def _paid(text: str, pattern: str) -> tuple[Any, bytes]:
    regex, size = _sized(pattern)
    data = text.encode()
    METER.spend(size * len(data))
    return regex, data


@lru_cache(maxsize=256)
def _sized(pattern: str) -> tuple[Any, int]:
    regex = compiled(pattern)
    return regex, regex.programsize


def _all(regex: Any, data: bytes) -> Iterator[bytes]:
    """The matches, left to right; an empty one right behind another match is none."""
    at, last_end = 0, -1
    while at <= len(data):
        METER.spend(regex.programsize + len(data) - at)
        match = regex.search(data, at)
        if match is None:
            return
        start, end = match.span()
        if end > at or start > last_end:
            yield match[0]
        at = end if end > at else at + _char_bytes(data, at)
        last_end = end


def _char_bytes(data: bytes, at: int) -> int:
    """How long the character at `at` is in UTF-8."""
    end = at + 1
    while end < len(data) and data[end] & 0xC0 == 0x80:
        end += 1
    return end - at


FUNCTIONS = (
    Function("@matches", "string", ("string",), "bool", _matches),
    Function("@matches", "", ("string", "string"), "bool", _matches),
    Function("find", "string", ("string",), "string", _find),
    Function("findAll", "string", ("string",), "list<string>", _find_all),
    Function("findAll", "string", ("string", "int"), "list<string>", _find_all),
)
