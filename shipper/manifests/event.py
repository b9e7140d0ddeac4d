"""A manifest as the audit event of its creation, and the rules that can be asked about that.

As if nobody in particular had created it and it had been accepted. A rule whose verdict hangs on
who asks, when or how often is never asked. Pure: the moment is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from shipper.manifests.manifest import Manifest
from shipper.rules.compile import Rule
from shipper.rules.levels import BODY_ROOTS
from shipper.rules.ruleset import RuleSet

SOMEBODY = "somebody"
"""The user of such an event: as good as any that no rule names."""

_BODIES = frozenset((("event", "requestObject"), ("event", "responseObject")))
_NOT_KNOWN = frozenset(
    ("event", name)
    for name in (
        "annotations", "impersonatedUser", "requestReceivedTimestamp", "requestURI", "sourceIP",
        "sourceIPs", "stageTimestamp", "userAgent",
    )
)  # fmt: skip
"""What no manifest says of the request that will carry it."""

_OF_REQUESTS = frozenset(("body", "fields", "oldObject"))
"""What was before, and the texts of detection languages, which are about requests."""


class Askable(NamedTuple):
    """The rules about objects: those that can be asked, and the names of the others."""

    rules: RuleSet
    not_asked: Sequence[str]


def askable(rules: RuleSet) -> Askable:
    """The rules of the set that look at the object, for `event`.

    One finding a rule and object: a threshold of one, which only keeps a daemon quiet, is left out.
    """
    about_objects = [rule for rule in rules.rules if _looks_at_object(rule)]
    asked = {rule.name: rule for rule in about_objects if not _hangs_on_more(rule)}
    alone = RuleSet(
        [msgspec.structs.replace(rule, window=None) for rule in asked.values()],
        environment=rules.environment,
        params=rules.params,
    )
    return Askable(alone, [rule.name for rule in about_objects if rule.name not in asked])


def event(one: Manifest, *, now: datetime, number: int) -> bytes:
    """The line that the API server would write."""
    moment = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    path = f"/apis/{one.group}/{one.version}" if one.group else f"/api/{one.version}"
    where = f"/namespaces/{one.namespace}" if one.namespace else ""
    page = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": f"manifest-{number}",
        "stage": "ResponseComplete",
        "requestURI": f"{path}{where}/{one.resource}",
        "verb": "create",
        "user": {"username": SOMEBODY, "groups": ["system:authenticated"]},
        "objectRef": {
            "resource": one.resource,
            "namespace": one.namespace,
            "name": one.name,
            "apiGroup": one.group,
            "apiVersion": one.version,
        },
        "responseStatus": {"code": 201},
        "requestObject": one.value,
        "responseObject": one.value,
        "requestReceivedTimestamp": moment,
        "stageTimestamp": moment,
    }
    return msgspec.json.encode(page)


def _paths(rule: Rule) -> set[tuple[str, ...]]:
    return {path for program in rule.programs for path in program.paths}


def _looks_at_object(rule: Rule) -> bool:
    return any(path[0] in BODY_ROOTS or path[:2] in _BODIES for path in _paths(rule))


def _hangs_on_more(rule: Rule) -> bool:
    if rule.window is not None and rule.window.least > 1:
        return True
    if any(not one.startswith("!") for one in (*rule.match.users, *rule.match.groups)):
        return True
    if any(path[0] in _OF_REQUESTS or path[:2] in _NOT_KNOWN for path in _paths(rule)):
        return True
    return rule.when is not None and any(
        path[:2] == ("event", "user") for path in rule.when.necessary()
    )
