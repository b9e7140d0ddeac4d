"""Ranges of semantic versions: `>=1.2.0 <2.0.0 || 3.x`. Source: blang/semver, range.go."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from shipper.rules.cel.library import semver
from shipper.rules.cel.library.function import SEMVER, CallError, hold
from shipper.rules.dialects.kyverno.errors import EvaluationError

_MAX_CHARS = 512
_PART = re.compile(r"(>=|<=|==|=|!=|!|>|<|)\s*([0-9xX*][^\s<>=!|]*)")
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "": operator.eq, "=": operator.eq, "==": operator.eq, "!": operator.ne, "!=": operator.ne,
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip


def in_range(version: str, span: str) -> bool:
    """Whether `version` is in the range; no version at all counts as 0.0.0.

    Raises EvaluationError where the range is none.
    """
    if len(span) > _MAX_CHARS:
        raise EvaluationError("not a range of versions")
    try:
        semver.parse(version)
    except CallError:
        version = "0.0.0"
    alternatives = [_parts(alternative) for alternative in span.split("||")]
    return any(all(_holds(version, *part) for part in parts) for parts in alternatives)


def _parts(text: str) -> list[tuple[str, str]]:
    found = _PART.findall(text)
    if not found or _PART.sub("", text).strip():
        raise EvaluationError("not a range of versions")
    return [pair for op, bound in found for pair in _plain(op, bound)]


def _plain(op: str, bound: str) -> list[tuple[str, str]]:
    """A bound with an `x` is a pair of bounds without."""
    numbers = bound.split(".")
    wild = [at for at, part in enumerate(numbers) if part in ("x", "X", "*")]
    if not wild:
        return [(op, bound)]
    kept = numbers[: wild[0]]
    if not all(part.isdigit() and len(part) < 10 for part in kept):
        raise EvaluationError("not a range of versions")
    low = ".".join([*kept, "0", "0", "0"][:3])
    above = [*kept[:-1], str(int(kept[-1]) + 1)] if kept else []
    high = ".".join([*above, "0", "0", "0"][:3]) if above else "999999999.0.0"
    match op:
        case "" | "=" | "==":
            return [(">=", low), ("<", high)]
        case ">":
            return [(">=", high)]
        case "<=":
            return [("<", high)]
        case "!" | "!=":
            raise EvaluationError("a range of versions that excludes a wildcard is not known here")
    return [(op, low)]


def _holds(version: str, op: str, bound: str) -> bool:
    try:
        order = semver.compare(hold(SEMVER, version), hold(SEMVER, bound))
    except CallError:
        raise EvaluationError("not a range of versions") from None
    return _COMPARE[op](order, 0)
