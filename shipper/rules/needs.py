"""Which audit level a rule needs, read off what its expressions name. Pure; looks at no event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shipper.rules.cel import Program
from shipper.rules.dialects import texts
from shipper.rules.levels import LEVELS, OBJECT_ROOTS, Level
from shipper.rules.match import one_of
from shipper.rules.rule import Match

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
"""What the API server calls the requests that name a resource."""

_WITH_BODY = frozenset(("create", "update", "patch", "delete", "deletecollection"))
_SENT_WHOLE = frozenset(("create", "update"))


def level(match: Match, programs: Sequence[Program]) -> Level:
    """The lowest level at which no event that passes `match` lacks a body that `programs` name."""
    fits = one_of(match.verbs) if match.verbs else VERBS.__contains__
    verbs = [verb for verb in VERBS if fits(verb)]
    return max((level_of(verb, programs) for verb in verbs), key=LEVELS.index, default="Metadata")


def level_of(verb: str, programs: Iterable[Program]) -> Level:
    """The same for requests with this verb.

    `object` is what was sent for create and update; for a patch it stands in the answer alone.
    """
    paths = [path for program in programs for path in program.paths]
    return max((_of_path(path, verb) for path in paths), key=LEVELS.index, default="Metadata")


def _of_path(path: Sequence[str], verb: str) -> Level:
    root = path[0]
    if root == "event" and len(path) > 1 and path[1] == "responseObject":
        return "RequestResponse"
    if root == "event" and len(path) > 1 and path[1] == "requestObject":
        return "Request" if verb in _WITH_BODY else "Metadata"
    if root == "body" and len(path) > 1:
        sent: Level = "RequestResponse" if texts.text(path[1]).of == "answer" else "Request"
        return sent if verb in _WITH_BODY else "Metadata"
    if root == "oldObject":
        return "RequestResponse" if verb in _WITH_BODY else "Metadata"
    if root in OBJECT_ROOTS or path[:2] == ("request", "kind"):
        if verb in _SENT_WHOLE:
            return "Request"
        return "RequestResponse" if verb == "patch" else "Metadata"
    return "Metadata"
