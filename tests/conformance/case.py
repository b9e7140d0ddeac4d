"""One case of somebody else's test suite: what it expects of a policy, and what we say.

A dialect's module here gives its cases (`cases`), the share of each group that must agree
(`TARGETS`), and the reason of each disagreement that is known (`EXPLAINED`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import zstandard


class Case(NamedTuple):
    """`group` is the table's row; `name` tells the case from all others of its dialect."""

    group: str
    name: str
    expected: str
    got: str
    note: str = ""

    @property
    def agrees(self) -> bool:
        """Whether we say what is expected."""
        return self.got == self.expected


class Suite(Protocol):
    """A dialect's module."""

    TARGETS: Mapping[str, float]
    """By group: the least share of its cases that must agree, in percent."""

    EXPLAINED: Mapping[str, str]
    """By a case's name: why it does not agree."""

    def cases(self, corpus: Path) -> Iterator[Case]:
        """Every case of the corpus, judged."""
        ...


class Group(NamedTuple):
    """How many cases of a group there are, and how many agree; shares in percent."""

    name: str
    cases: int
    agree: int
    target: float

    @property
    def share(self) -> float:
        """The share that agrees."""
        return 100 * self.agree / self.cases if self.cases else 0.0

    @property
    def is_met(self) -> bool:
        """Whether the target is; a group without a case has met nothing."""
        return self.cases > 0 and self.share >= self.target


def grouped(suite: Suite, cases: list[Case]) -> list[Group]:
    """The suite's groups, also those that have no case at all."""
    return [
        Group(name, len(found), sum(case.agrees for case in found), target)
        for name, target in suite.TARGETS.items()
        for found in [[case for case in cases if case.group == name]]
    ]


def entries(path: Path) -> Iterator[dict[str, Any]]:
    """The objects in a file of JSON lines, zstd."""
    with zstandard.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)
