"""The shape of a policy's text: what Kyverno's schema would refuse is refused here.

A field that is misspelt or of the wrong type would else be passed over, and the rule mean more than
its author meant. Every function raises ValueError.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


def refuse_unknown(written: Mapping[str, Any], known: Collection[str], what: str) -> None:
    """Every field must be one that there is."""
    unknown = sorted(set(written) - set(known))
    if unknown:
        raise ValueError(f"{what} has no field {unknown[0]!r}"[:200])


def texts(written: Mapping[str, Any], name: str) -> list[str]:
    """The texts in a list; none where there is no list."""
    found = written.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise ValueError(f"{name} must be a list of texts")
    return found


def maps(written: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The maps in a list; none where there is no list."""
    found = written.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        raise ValueError(f"{name} must be a list of maps")
    return found


def mapping(written: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """A map, or None where there is none."""
    found = written.get(name)
    if found is not None and not isinstance(found, Mapping):
        raise ValueError(f"{name} must be a map")
    return found
