"""The policies of a rule set, for `rules list`. Formats; prints nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipper.cli.rules.table import table
from shipper.rules.guardrails.bypass import BYPASS
from shipper.rules.guardrails.speaks import Said, describe
from shipper.rules.message import MAX_MESSAGE
from shipper.rules.ruleset import RuleSet
from shipper.text import harmless

_COLUMNS = ("POLICY", "LANGUAGE", "ACTION", "OFFLINE", "SPEAKS OF")

_SHOWN = 6
"""Resources of a policy that are named."""


def shown(rules: RuleSet, *, explain: bool) -> Iterator[str]:
    """Lines for people; none where there are no policies."""
    found = [describe(policy) for policy in rules.policies.policies]
    if not rules.policies.objects and not rules.replayed:
        return
    rows = [
        (_name(one), one.language, one.policy.action, _offline(one), _speaks_of(one))
        for one in found
    ]
    yield ""
    yield table(_COLUMNS, rows)
    kept = "; the log keeps them current" if rules.replayed else ""
    yield f"\n{len(found)} policies judge accepted writes{kept}"
    if rules.guarded.bypass is None:
        yield f"off by the configuration: {BYPASS}: no write is judged by them"
    if explain:
        yield from _explained(found)


def to_plain(rules: RuleSet) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            **one.policy.ident._asdict(),
            "language": one.language,
            "action": one.policy.action,
            "resources": one.resources,
            "operations": one.operations,
            "unanswerable": list(one.policy.unanswerable),
            "parts": [part._asdict() for part in one.policy.parts],
            "file": document.file if (document := one.policy.source.document) else None,
            "line": document.line if document else None,
        }
        for one in map(describe, rules.policies.policies)
    ]


def _explained(found: list[Said]) -> Iterator[str]:
    """What can not be answered from an audit log or a manifest, policy by policy."""
    open_ = [one for one in found if one.policy.unanswerable]
    if not open_:
        yield "all of them can be answered offline"
        return
    yield "\nWhat follows can not be answered offline. It is told as undecided, never as a pass:"
    for one in open_:
        document = one.policy.source.document
        place = f"{document.file}:{document.line}: " if document else ""
        for reason in one.policy.unanswerable:
            yield f"  {place}{_name(one)}: {harmless(reason, MAX_MESSAGE)}"


def _name(one: Said) -> str:
    return harmless(str(one.policy.ident), MAX_MESSAGE)


def _offline(one: Said) -> str:
    return "in part" if one.policy.unanswerable else "yes"


def _speaks_of(one: Said) -> str:
    if not one.resources:
        return "custom resources"
    more = len(one.resources) - _SHOWN
    names = ", ".join(one.resources[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"{', '.join(one.operations)} {names}"
