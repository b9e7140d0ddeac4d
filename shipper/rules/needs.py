"""Which audit level a rule needs, read off what its expressions name. Pure; looks at no event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shipper.rules.cel import Program
from shipper.rules.levels import LEVELS, OBJECT_ROOTS, Level
from shipper.rules.match import exact
from shipper.rules.rule import Match

_SENT_WHOLE = frozenset(("create", "update"))


def level(match: Match, programs: Iterable[Program]) -> Level:
    """The lowest level at which no event that passes `match` lacks a body the programs name.

    `object` is what was sent for create and update (Request); for a patch it is only in the answer.
    """
    needed: Level = "Metadata"
    verbs = exact(match.verbs)
    for program in programs:
        for path in program.paths:
            needed = max(needed, _of_path(path, verbs), key=LEVELS.index)
    return needed


def _of_path(path: Sequence[str], verbs: frozenset[str] | None) -> Level:
    if path[0] == "event":
        second = path[1] if len(path) > 1 else "responseObject"
        if second == "responseObject":
            return "RequestResponse"
        return "Request" if second == "requestObject" else "Metadata"
    if path[0] == "oldObject":
        return "RequestResponse"
    if path[0] in OBJECT_ROOTS:
        sent = verbs is not None and not any(verb not in _SENT_WHOLE for verb in verbs)
        return "Request" if sent else "RequestResponse"
    return "Metadata"
