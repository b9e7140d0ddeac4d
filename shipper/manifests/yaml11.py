"""YAML as kubectl reads it: 1.1, where `yes` is true and `<<` merges.

What a policy sees must be what the API server would get. Anything else is as in
`shipper/rules/document.py`. Source: sigs.k8s.io/yaml, goyaml.v2 (resolve.go, decode.go).
"""

from __future__ import annotations

import re
from math import isinf
from typing import Any

from shipper.rules.document import Schema

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE"), True),
    **dict.fromkeys(("on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE"), False),
    **dict.fromkeys(("off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_INT = re.compile(
    r"([-+]?)(?:0b(?P<b>[01]{1,64})|0x(?P<x>[0-9a-fA-F]{1,16})|0o?(?P<o>[0-7]{1,22})"
    r"|(?P<d>0|[1-9][0-9]{0,19}))"
)
_BASES = {"b": 2, "x": 16, "o": 8, "d": 10}
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,4})?")
_INTS = range(-(2**63), 2**64)
"""What JSON's readers take for a whole number; beyond, it is a double."""

MERGE = "<<"
MAX_MERGED = 1_000_000
"""Keys that merges may copy in one document: each copies all that the one before it has copied."""


class MergeError(ValueError):
    """A merge that YAML does not know, or that unfolds to more than the limit."""


def plain(text: str) -> Any:
    """What an unquoted text means."""
    if text in _WORDS:
        return _WORDS[text]
    digits = text.replace("_", "") if text[:1] in "+-0123456789" else text
    found = _INT.fullmatch(digits)
    if found:
        base = found.lastgroup or "d"
        number = int(found[1] + found[base], _BASES[base])
        return number if number in _INTS else float(number)
    if _FLOAT.fullmatch(digits):
        double = float(digits)
        return text if isinf(double) else double
    return text


def key(value: Any) -> Any:
    """A key as JSON has it: numbers and booleans become texts."""
    return str(value).lower() if isinstance(value, bool | int | float) else value


KUBECTL = Schema(plain, key)


def merge(value: Any) -> None:
    """Carry out the merges in `value`, in place. Raises `MergeError`."""
    _Merging().merge(value)


class _Merging:
    """One document; what several aliases share is merged once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._copied = 0

    def merge(self, value: Any) -> None:
        if not isinstance(value, dict | list) or id(value) in self._seen:
            return
        self._seen.add(id(value))
        for inner in value.values() if isinstance(value, dict) else value:
            self.merge(inner)
        if isinstance(value, dict) and MERGE in value:
            self._into(value, value.pop(MERGE))

    def _into(self, value: dict[str, Any], given: Any) -> None:
        for other in given if isinstance(given, list) else [given]:
            if not isinstance(other, dict):
                raise MergeError(f"{MERGE} merges mappings only")
            self._copied += len(other)
            if self._copied > MAX_MERGED:
                raise MergeError(f"{MERGE} merges more than {MAX_MERGED:,} keys")
            for key, inner in other.items():
                value.setdefault(key, inner)
