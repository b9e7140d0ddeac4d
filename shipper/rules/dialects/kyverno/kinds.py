"""The kinds of a match block: `Pod`, `apps/v1/Deployment`, `*/*`, `Pod/exec`, `Pod.status`.

Source: kyverno pkg/utils/kube/kind.go and pkg/utils/match/kind.go.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from shipper.rules.dialects.kinds import resource_of
from shipper.rules.dialects.kyverno.wildcards import has_wildcard, matches
from shipper.rules.dialects.review import Target

_VERSION = re.compile(r"v\d+((alpha|beta)\d+)?|\*", re.ASCII)


class KindSelector(NamedTuple):
    """Each part may have wildcards; an empty subresource is none."""

    group: str
    version: str
    kind: str
    subresource: str


@lru_cache(maxsize=1024)
def parsed(text: str) -> KindSelector:
    """What `text` selects."""
    *head, last = text.split("/")
    parts = [*head, *last.split(".")]
    match parts:
        case [kind]:
            return KindSelector("*", "*", kind, "")
        case ["*", "*"]:
            return KindSelector("*", "*", "*", "*")
        case ["*", name] if name == name.lower():
            return KindSelector("*", "*", "*", name)
        case [version, kind] if _VERSION.fullmatch(version):
            return KindSelector("*", version, kind, "")
        case [kind, subresource]:
            return KindSelector("*", "*", kind, subresource)
        case [version, kind, subresource] if _VERSION.fullmatch(version):
            return KindSelector("*", version, kind, subresource)
        case [group, version, kind]:
            return KindSelector(group, version, kind, "")
        case [group, version, kind, subresource]:
            return KindSelector(group, version, kind, subresource)
    return KindSelector("", "", "", "")


def names(text: str, kind: str) -> bool:
    """Whether `text` names this kind, of whatever group or subresource."""
    return parsed(text).kind == kind


def selects(selector: KindSelector, target: Target, kind: str) -> bool:
    """Whether a request for an object of this kind is selected."""
    return (
        matches(selector.kind, kind)
        and matches(selector.group, target.group)
        and matches(selector.version, target.version)
        and _subresource(selector.subresource, target)
    )


def may_select(selector: KindSelector, target: Target) -> bool:
    """The same where the kind may not be known: in doubt, yes."""
    if target.kind and not target.subresource:
        return selects(selector, target, target.kind)
    known = (
        matches(selector.group, target.group)
        and matches(selector.version, target.version)
        and _subresource(selector.subresource, target)
    )
    if not known or has_wildcard(selector.kind):
        return known
    return resource_of(target.group, selector.kind) == target.resource


def _subresource(pattern: str, target: Target) -> bool:
    # Ephemeral containers are a change of the pod: selected with it, for old policies' sake.
    pods = target.group == "" and target.resource == "pods"
    return matches(pattern, target.subresource) or (
        pods and target.subresource == "ephemeralcontainers"
    )
