"""A backtest's result as plain values, for JSON. Decides nothing, prints nothing."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import msgspec

from shipper.backtest.question import Question, policies_cost, share, silent
from shipper.backtest.result import Result
from shipper.backtest.tally import AUDIT_RULE, Group, RuleTally, Sample, Subject, Tally


def to_plain(result: Result, question: Question) -> dict[str, Any]:
    """The result; names by count, the most frequent first."""
    page = {
        "sources": list(question.sources),
        "verified": question.verified,
        "since": _time(question.window.since),
        "until": _time(question.window.until),
        "first": _time(result.first),
        "last": _time(result.last),
        "rules_sha256": question.sets[-1].sha256,
        "batches": result.batches,
        "lines": result.lines,
        "raw_bytes": result.raw_bytes,
        "seconds": round(question.seconds, 3),
        "rules": _rules(result, question),
        "policies": _policies(result.tally),
        "denied": _group(result.tally.denied),
        "already_refused": dict(result.refused.most_common()),
        "policies_from_log": question.sets[-1].replayed,
        "doubts": dict(result.tally.doubts.most_common()),
        "silent": silent(result, question),
        "cost": _cost(result),
    }
    if result.comparison is not None:
        page["comparison"] = {
            "old": {"name": question.names[0], "rules_sha256": question.sets[0].sha256},
            "new": {"name": question.names[1], "rules_sha256": question.sets[1].sha256},
        } | {change: _group(group) for change, group in result.comparison.groups.items()}
    return page


def _rules(result: Result, question: Question) -> dict[str, Any]:
    """AuditRules by name, those that found nothing too."""
    tallies = result.tally.rules
    names = {rule.name for rule in question.sets[-1].rules}
    names |= {subject.name for subject in tallies if subject.kind == AUDIT_RULE}
    return {name: _rule(tallies.get(Subject(AUDIT_RULE, "", name))) for name in sorted(names)}


def _rule(found: RuleTally | None) -> dict[str, Any]:
    if found is None:
        return {"matches": 0, "undecided": 0}
    undecided = {"undecided": found.undecided, "reasons": dict(found.reasons.most_common())}
    return {"severity": found.severity} | _group(found) | undecided


def _policies(tally: Tally) -> list[dict[str, Any]]:
    return [
        {
            "kind": subject.kind,
            "namespace": subject.namespace,
            "name": subject.name,
            "rule": subject.rule,
            "action": found.action,
            "objects": found.spoken,
            "undecided": found.undecided,
            "undecided_share": round(share(found.undecided, found.spoken), 4),
            "reasons": dict(found.reasons.most_common()),
            "exempt": found.exempt,
            "exemptions": dict(found.exemptions.most_common()),
            "denied": _group(found),
        }
        for subject, found in sorted(tally.rules.items())
        if subject.kind != AUDIT_RULE
    ]


def _group(group: Group) -> dict[str, Any]:
    return {
        "matches": group.matches,
        "first": group.first,
        "last": group.last,
        "timeline": {
            "step": group.timeline.step,
            "buckets": dict(sorted(group.timeline.buckets.items())),
        },
        "users": _names(group.users),
        "namespaces": _names(group.namespaces),
        "workloads": _names(group.workloads),
        "workloads_guessed": group.guessed,
        "samples": [_sample(sample) for sample in group.samples],
    }


def _sample(sample: Sample) -> dict[str, Any]:
    page: dict[str, Any] = msgspec.to_builtins(sample)
    del page["order"]  # what came before is nobody's concern
    return page


def _names(counter: Counter[str]) -> dict[str, int]:
    return dict(counter.most_common())


def _cost(result: Result) -> dict[str, Any]:
    costs = result.tally.costs
    return {
        "rules_us_per_event": round(costs[AUDIT_RULE].microseconds_each, 3)
        if AUDIT_RULE in costs
        else 0,
        "policies_us_per_event": round(policies_cost(result).microseconds_each, 3),
        "policies": {
            name: {"objects": cost.asked, "us_per_object": round(cost.microseconds_each, 3)}
            for name, cost in sorted(costs.items())
            if name != AUDIT_RULE
        },
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
