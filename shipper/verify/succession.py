"""How the logs of one node follow each other: each names the last manifest of the one before it.

Pure, over what was verified of each log. Orders nothing on a guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from shipper.verify.identity import lies_at
from shipper.verify.outcome import Outcome

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def node_of(origin: str) -> str:
    """The log's name without its instance."""
    return origin.rpartition("/")[0]


def check(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Write down what is wrong between the logs; returns which log was taken over by which."""
    logs = {one.origin: one for one in outcomes if one.origin}
    successors: dict[str, list[Outcome]] = defaultdict(list)
    for one in logs.values():
        if one.supersedes is None:
            continue
        old = logs.get(one.supersedes.log)
        if old is None:
            if not _may_be_unread(one.supersedes.log, outcomes):
                one.ledger.add("predecessor-missing", one.supersedes.log, seq=0)
        else:
            successors[old.origin].append(one)
            _check_link(old, one)
    for origin, several in successors.items():
        if len(several) > 1:
            for one in several:
                one.ledger.add("successor-fork", f"both take over from {origin}", seq=0)
    _check_cycles(logs)
    _check_unlinked(logs.values())
    return {old: several[0].origin for old, several in successors.items()}


def _may_be_unread(origin: str, outcomes: Iterable[Outcome]) -> bool:
    """Whether a log lies in this one's place whose name could not be read."""
    return any(not o.origin and o.ledger.broken_off and lies_at(origin, o.path) for o in outcomes)


def in_order(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """By node; within a node the older first, each behind the one that it takes over from."""
    every = list(outcomes)
    logs = {one.origin: one for one in every if one.origin}

    def generation(one: Outcome) -> int:
        depth, seen = 0, {one.origin}
        while one.supersedes is not None and one.supersedes.log in logs:
            one = logs[one.supersedes.log]
            if one.origin in seen:
                break
            seen.add(one.origin)
            depth += 1
        return depth

    return sorted(
        every,
        key=lambda one: (node_of(one.origin), generation(one), _created(one), one.path),
    )


def _created(one: Outcome) -> datetime:
    return one.created or _LONG_AGO


def _check_link(old: Outcome, new: Outcome) -> None:
    link, last = new.supersedes, old.head
    if link is None or last is None:
        return  # the old log's own problems say why
    if link.seq < last.seq:
        detail = f"it names number {link.seq} of {old.origin}, which has {last.seq}"
        new.ledger.add("successor-hides", detail, seq=0)
    elif link.seq > last.seq:
        if not old.ledger.broken_off:
            detail = f"{new.origin} has seen number {link.seq}"
            old.ledger.add("manifest-missing", detail, seq=last.seq + 1)
    elif link.sha256 != last.sha256:
        new.ledger.add("successor-mismatch", f"number {link.seq} of {old.origin}", seq=0)
    if not old.ledger.broken_off:
        _check_files(old, new)


def _check_files(old: Outcome, new: Outcome) -> None:
    """What the new log reads first must begin a file, or go on where the old log ended."""
    ends = {known.end for known in old.files}
    for span in new.first_spans:
        if span.start and span.start not in ends:
            detail = f"{span.path} at byte {span.start}"
            new.ledger.add("successor-gap", detail, seq=0)


def _check_cycles(logs: dict[str, Outcome]) -> None:
    for one in logs.values():
        seen, current = {one.origin}, one
        while current.supersedes is not None and current.supersedes.log in logs:
            current = logs[current.supersedes.log]
            if current.origin == one.origin:
                one.ledger.add("successor-cycle", seq=0)
            if current.origin in seen:
                break
            seen.add(current.origin)


def _check_unlinked(outcomes: Iterable[Outcome]) -> None:
    """Of all logs of a node, only the oldest may name none before it."""
    nodes: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        nodes[node_of(one.origin)].append(one)
    for several in nodes.values():
        several.sort(key=lambda one: (_created(one), one.origin))
        for one in several[1:]:
            if one.supersedes is None and one.created is not None:
                one.ledger.add("successor-unlinked", f"older: {several[0].origin}", seq=0)
