"""What comes of a check: one result for each rule that has something to say of an object.

Decides nothing and prints nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from shipper.manifests.manifest import Manifest

Level = Literal["deny", "warn", "undecided"]


class Result(NamedTuple):
    """What `rule` of `policy` says of `manifest`, in line `line` of its file.

    `policy` is an AuditRule or an admission policy, as people say it; `rule` may be empty. `title`
    says what it is about, whatever the object.
    """

    level: Level
    policy: str
    rule: str
    title: str
    message: str
    manifest: Manifest
    line: int

    @property
    def name(self) -> str:
        """Policy and rule."""
        return f"{self.policy}: {self.rule}" if self.rule else self.policy


class Report(NamedTuple):
    """All results, in the order of the manifests, and what was asked.

    `unbound`: policies without a binding, which were asked as if they denied everywhere.
    `not_asked`: rules about objects whose verdict hangs on who asks, when or how often.
    `passed_by`: files that hold no manifest. `passed` counts verdicts.
    """

    manifests: Sequence[Manifest]
    results: Sequence[Result]
    policies: int
    rules: int
    passed: int
    unbound: Sequence[str]
    not_asked: Sequence[str]
    passed_by: Sequence[str]
    rules_sha256: str

    def count(self, level: Level) -> int:
        """How many results of this level there are."""
        return sum(result.level == level for result in self.results)
