"""A backtest's result for people, in a terminal. Decides nothing, prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shipper.backtest.question import Question, found, policies_cost, share, silent
from shipper.backtest.result import Result
from shipper.backtest.series import series
from shipper.backtest.tally import AUDIT_RULE, Group, RuleTally, Sample, Subject
from shipper.verify.ledger import plain

TOP = 5

GUESSED = "by the name of a ReplicaSet or a Job"
"""How a Deployment or a CronJob was found that the object itself does not name."""

_BLOCKS = "·▁▂▃▄▅▆▇█"
_ACTIONS = {
    "warn": "; it is written to warn only", "audit": "; it is written to audit only"
}  # fmt: skip


def render(result: Result, question: Question) -> str:
    """The result as text, each line ended; the rule with the most findings first."""
    lines = list(_heading(result, question))
    content = []
    for subject, tally in found(result):
        if tally.matches or tally.undecided or tally.exempt:
            lines += ["", *_subject(subject, tally, result)]
        else:
            content.append(f"{subject} ({tally.spoken:,})")
    if content:
        lines += ["", f"nothing denied, of so many objects: {'; '.join(map(plain, content))}"]
    quiet = silent(result, question)
    if quiet:
        lines += ["", f"nothing found: {', '.join(map(plain, quiet))}"]
    for doubt, count in result.tally.doubts.most_common():
        lines.append(f"in doubt ({count:,}): {plain(doubt)}")
    if result.refused:
        lines += ["", "refused by admission already:"]
        lines += [
            f"  {count:,} by {plain(name)}" for name, count in result.refused.most_common(TOP)
        ]
    if result.comparison is not None:
        lines += ["", f"from {plain(question.names[0])} to {plain(question.names[1])}:"]
        for change, group in result.comparison.groups.items():
            lines += [f"{group.matches:,} {change}", *_group(group, result)]
    return "\n".join(lines) + "\n"


def _heading(result: Result, question: Question) -> Iterator[str]:
    size = result.raw_bytes / 1e6
    rate = size / max(question.seconds, 0.001)
    how = "verified batches" if question.verified else "blocks that nobody has verified"
    yield (
        f"{result.lines:,} lines in {result.batches:,} {how}, {size:,.0f} MB in"
        f" {question.seconds:.1f} s ({rate:,.0f} MB/s); rules {question.sets[-1].sha256[:16]}"
    )
    if result.first is not None:
        yield f"events from {result.first:%Y-%m-%dT%H:%M:%SZ} to {result.last:%Y-%m-%dT%H:%M:%SZ}"
    else:
        yield "no events"
    if question.sets[-1].replayed:
        yield "policies are those of each moment, as this history shows them"
    if result.tally.denied.matches or question.sets[-1].policies.policies:
        each = policies_cost(result).microseconds_each
        yield (
            f"{result.tally.denied.matches:,} requests would have been denied; the policies took"
            f" {each:.1f} us an event"
        )


def _subject(subject: Subject, tally: RuleTally, result: Result) -> Iterator[str]:
    if subject.kind == AUDIT_RULE:
        some = f", {tally.undecided:,} undecided" if tally.undecided else ""
        yield f"{subject} ({tally.severity}): {tally.matches:,} found{some}"
    else:
        undecided = share(tally.undecided, tally.spoken)
        yield (
            f"{plain(str(subject))}: {tally.matches:,} of {tally.spoken:,} would have been denied,"
            f" {tally.undecided:,} undecided ({undecided:.1%}), {tally.exempt:,} exempt"
            f"{_ACTIONS.get(tally.action, '')}"
        )
    yield from _group(tally, result)
    for reason, count in tally.reasons.most_common(TOP):
        yield f"  undecided {count:,} times: {plain(reason)}"
    for reason, count in tally.exemptions.most_common(TOP):
        yield f"  exempt {count:,} times: {plain(reason)}"


def _group(group: Group, result: Result) -> Iterator[str]:
    if not group.matches:
        return
    if group.first:
        yield f"  from {plain(group.first)} to {plain(group.last)}"
    bars = series(group.timeline, result.first, result.last)
    if len(bars.bars) > 1:
        yield f"  when {_spark([bar.many for bar in bars.bars])} one for each {bars.width}"
    yield f"  by   {_top(group.users)}"
    yield f"  in   {_top(group.namespaces)}"
    guess = f" ({group.guessed:,} {GUESSED})" if group.guessed else ""
    yield f"  of   {_top(group.workloads)}{guess}"
    for sample in group.samples:
        yield from _sample(sample)


def _sample(sample: Sample) -> Iterator[str]:
    finding = sample.finding
    yield f"  e.g. {plain(finding.time) or '(no time)'} {plain(finding.message)}"
    yield f"       audit id {plain(finding.audit_id) or '(none)'}, {plain(place(sample))}"
    for line in sample.change:
        yield f"       | {plain(line)}"


def place(sample: Sample) -> str:
    """Where the event lies: as `cat --seq` takes it, or as an editor counts a file's lines."""
    line = sample.finding.line
    if sample.seq is None:
        return f"line {line + 1} of {sample.log}"
    return f"line {line} of number {sample.seq} in {sample.log}"


def _spark(counts: list[int]) -> str:
    most = max(counts) or 1
    return "".join(_BLOCKS[-(-count * (len(_BLOCKS) - 1) // most)] for count in counts)


def _top(counter: Counter[str]) -> str:
    shown = [f"{plain(name) or '(none)'} {count:,}" for name, count in counter.most_common(TOP)]
    more = len(counter) - len(shown)
    return ", ".join(shown) + (f", and {more:,} more" if more > 0 else "")
