"""Audit levels, and which variables need the bodies that only some of them log."""

from __future__ import annotations

from typing import Literal

Level = Literal["Metadata", "Request", "RequestResponse"]

LEVELS: tuple[Level, ...] = ("Metadata", "Request", "RequestResponse")
"""From the least to the most that is logged."""

OBJECT_ROOTS = frozenset(("object", "podSpec", "containers"))
"""Variables that are the object or parts of it."""

BODY_ROOTS = OBJECT_ROOTS | {"oldObject", "body"}
"""Variables that are unbound where the event has no body."""
