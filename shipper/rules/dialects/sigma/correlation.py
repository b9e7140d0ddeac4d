"""Sigma's correlations, as far as a threshold can say them: `event_count` within a timespan.

Raises UnsupportedError for every other kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from shipper.rules.dialects.cel_text import UnsupportedError, literal
from shipper.rules.dialects.sigma.fields import PREFIX, is_of_body, part_of
from shipper.rules.dialects.walk import text_of
from shipper.rules.rule import Threshold

MAX_RULES = 100
MAX_COUNT = 10_000
MAX_KEYS = 8

_KEYS = frozenset(("type", "rules", "group-by", "timespan", "condition", "generate"))
_SPAN = re.compile(r"[1-9][0-9]{0,6}[smhd]")


class Correlation(NamedTuple):
    """What is counted. `generate`: the rules are told for themselves too."""

    rules: tuple[str, ...]
    threshold: Threshold
    generate: bool


def correlation(value: Mapping[str, Any]) -> Correlation:
    """The correlation in a document."""
    written = value["correlation"]
    if not isinstance(written, dict):
        raise UnsupportedError("expected a mapping")
    if written.get("type") != "event_count":
        kind = text_of(written.get("type"))
        raise UnsupportedError(f"correlations of type {kind} are not supported, only event_count")
    unknown = written.keys() - _KEYS
    if unknown:
        raise UnsupportedError(f"{min(unknown)} is not supported")
    rules = _texts(written, "rules")
    if not 1 <= len(rules) <= MAX_RULES:
        raise UnsupportedError(f"expected 1 to {MAX_RULES} rules")
    by = tuple(_key(field) for field in _texts(written, "group-by"))
    if len(by) > MAX_KEYS:
        raise UnsupportedError(f"more than {MAX_KEYS} fields to group by")
    span = text_of(written.get("timespan"))
    if not _SPAN.fullmatch(span):
        raise UnsupportedError(f"{span} is no timespan: write 30s, 5m, 1h or 7d")
    threshold = Threshold(count=_count(written.get("condition")), within=span, by=by)
    generate = written.get("generate", value.get("generate")) is True
    return Correlation(tuple(rules), threshold, generate)


def _texts(written: Mapping[str, Any], key: str) -> list[str]:
    found = written.get(key) or []
    return [text_of(one) for one in (found if isinstance(found, list) else [found])]


def _count(condition: Any) -> int:
    """The least number of events that is told."""
    if isinstance(condition, dict) and len(condition) == 1:
        [(operator, number)] = condition.items()
        least = int(number) + (operator == "gt") if type(number) is int else 0
        if operator in ("gt", "gte") and 1 <= least <= MAX_COUNT:
            return least
    raise UnsupportedError(f"expected the condition gte or gt with a number up to {MAX_COUNT}")


def _key(field: str) -> str:
    part = part_of(field)
    if part is not None and part.cel:
        return part.cel
    if part is not None and part.path == ("sourceIPs",):
        return "event.sourceIP"
    root = "body" if is_of_body(PREFIX + field) else "fields"
    return f"{root}[{literal(PREFIX + field)}].join(',')"
