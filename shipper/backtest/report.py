"""A backtest's result, for people and for programs. Decides nothing, prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from shipper.backtest.tally import RuleTally, Tally
from shipper.rules.ruleset import RuleSet
from shipper.verify.ledger import plain

TOP = 5


def to_plain(tally: Tally, rules: RuleSet, seconds: float) -> dict[str, Any]:
    """The result as plain values, for JSON; names by count, the most frequent first."""
    return {
        "rules_sha256": rules.sha256,
        "batches": tally.batches,
        "lines": tally.lines,
        "raw_bytes": tally.raw_bytes,
        "seconds": round(seconds, 3),
        "rules": {rule.name: _plain(tally.rules.get(rule.name)) for rule in rules.rules}
        | {name: _plain(found) for name, found in tally.rules.items()},
    }


def _plain(found: RuleTally | None) -> dict[str, Any]:
    if found is None:
        return {"matches": 0, "undecided": 0}
    return {
        "severity": found.severity,
        "matches": found.matches,
        "undecided": found.undecided,
        "reasons": dict(found.reasons.most_common()),
        "first": found.first,
        "last": found.last,
        "users": dict(found.users.most_common()),
        "namespaces": dict(found.namespaces.most_common()),
        "samples": msgspec.to_builtins(found.samples),
    }


def render(tally: Tally, rules: RuleSet, seconds: float) -> str:
    """The result as text, each line ended; the rule with the most findings first."""
    rate = tally.raw_bytes / 1e6 / max(seconds, 0.001)
    lines = [
        f"{tally.lines:,} lines in {tally.batches:,} verified batches, {tally.raw_bytes / 1e6:,.0f}"
        f" MB in {seconds:.1f} s ({rate:,.0f} MB/s); rules {rules.sha256[:16]}",
    ]
    for name, found in sorted(tally.rules.items(), key=lambda pair: (-pair[1].matches, pair[0])):
        lines += ["", *_rule(name, found)]
    silent = [rule.name for rule in rules.rules if rule.name not in tally.rules]
    if silent:
        lines += ["", f"nothing found: {', '.join(silent)}"]
    return "\n".join(lines) + "\n"


def _rule(name: str, found: RuleTally) -> Iterator[str]:
    undecided = f", {found.undecided:,} undecided" if found.undecided else ""
    yield f"{name} ({found.severity}): {found.matches:,} found{undecided}"
    if found.matches:
        yield f"  from {plain(found.first)} to {plain(found.last)}"
        yield f"  by   {_top(found.users)}"
        yield f"  in   {_top(found.namespaces)}"
    for reason, count in found.reasons.most_common(TOP):
        yield f"  undecided {count:,} times: {plain(reason)}"
    for sample in found.samples:
        finding = sample.finding
        yield f"  e.g. {plain(finding.time)} {plain(finding.message)}"
        yield (
            f"       audit id {plain(finding.audit_id)}, line {finding.line} of number"
            f" {sample.seq} in {plain(sample.log)}"
        )


def _top(counter: Counter[str]) -> str:
    shown = [f"{plain(name) or '(none)'} {count:,}" for name, count in counter.most_common(TOP)]
    more = len(counter) - len(shown)
    return ", ".join(shown) + (f", and {more:,} more" if more > 0 else "")
