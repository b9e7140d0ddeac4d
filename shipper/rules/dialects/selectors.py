"""Kubernetes' label selectors (meta/v1 LabelSelector), as the API server reads them.

An empty selector selects everything; a malformed one nothing, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Choice = Literal["yes", "no", "excluded", "unknown"]
"""`excluded`: not selected, and only for what the selector will not have (NotIn, DoesNotExist)."""


_WILL_NOT_HAVE = ("NotIn", "DoesNotExist")


class SelectorError(ValueError):
    """The selector is none that the API server would take."""


def selects(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Whether `selector` selects an object with `labels`. Raises `SelectorError`."""
    wanted = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    if not isinstance(wanted, Mapping) or not isinstance(expressions, list):
        raise SelectorError("matchLabels must be a mapping, matchExpressions a list")
    held = [_holds(expression, labels) for expression in expressions]  # all: each may be malformed
    return all(held) and all(labels.get(key) == value for key, value in wanted.items())


class Selector:
    """A selector that is asked again and again. Raises `SelectorError`.

    False if it selects everything.
    """

    def __init__(self, written: Mapping[str, Any]) -> None:
        selects(written, {})  # which refuses what is malformed
        equal = (
            {"key": key, "operator": "In", "values": [value]}
            for key, value in (written.get("matchLabels") or {}).items()
        )
        self._all_of = [*equal, *(written.get("matchExpressions") or [])]

    def __bool__(self) -> bool:
        return bool(self._all_of)

    def choose(self, labels: Mapping[str, Any], *, complete: bool) -> Choice:
        """What it says of an object; `complete`: it has no other labels than `labels`.

        `unknown`: labels that are not known decide.
        """
        choice: Choice = "yes"
        for one in self._all_of:
            if not complete and one["key"] not in labels:
                choice = "unknown" if choice == "yes" else choice
            elif not _holds(one, labels):
                if one["operator"] not in _WILL_NOT_HAVE:
                    return "no"
                choice = "excluded"
        return choice


def _holds(expression: Any, labels: Mapping[str, Any]) -> bool:
    if not isinstance(expression, Mapping):
        raise SelectorError("each of matchExpressions must be a mapping")
    key, operator = expression.get("key"), expression.get("operator")
    values = expression.get("values") or []
    if not isinstance(key, str) or not isinstance(values, list):
        raise SelectorError("each of matchExpressions needs a key, and a list of values")
    match operator:
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise SelectorError(f"the operator {operator!r} is not In, NotIn, Exists or DoesNotExist")
