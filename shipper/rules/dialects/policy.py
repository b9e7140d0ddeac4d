"""What every admission language gives: policies, and what each says of a review.

A verdict is pass, fail or indeterminate, and indeterminate is never counted as pass.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from shipper.rules.dialects.review import Review, Target
from shipper.rules.document import Document, Problem

Action = Literal["deny", "warn", "audit"]
Outcome = Literal["pass", "fail", "indeterminate"]
Path = tuple[str | int, ...]


class Ident(NamedTuple):
    """Which object of a cluster: a policy, a binding, a parameter; `namespace` may be empty."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """As people say it: `ClusterPolicy disallow-latest`, `Policy team-a/limits`."""
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"


class Source(NamedTuple):
    """An object, and the document it was read from (None: from the log)."""

    value: Mapping[str, Any]
    document: Document | None


Objects = Mapping[Ident, Source]
"""All that policies are made of, of every dialect: the policies themselves, bindings, templates,
constraints, parameters, exceptions."""


class Verdict(NamedTuple):
    """What one rule of a policy says of a review that it speaks of.

    `action` is what the policy does to a failure here (deny: it refuses the request). `exempt` says
    why the policy lets this one pass unasked, though it speaks of such objects (an excluded
    namespace or user, a match condition, an exception): such a verdict is no failure of the
    cluster's. `message` is the policy's own words, or why it is indeterminate; hostile text.
    `path` is the place in the object, where it is known.
    """

    outcome: Outcome
    rule: str = ""
    message: str = ""
    action: Action = "deny"
    exempt: str = ""
    path: Path = ()


class Policy(Protocol):
    """One policy, ready to be asked; immutable, for one thread at a time."""

    @property
    def ident(self) -> Ident:
        """Which policy; of the object that a person would edit (a Gatekeeper constraint)."""

    @property
    def source(self) -> Source:
        """The object it was made from."""

    @property
    def action(self) -> Action:
        """The strictest that it does to a failure anywhere."""

    @property
    def parts(self) -> Collection[Ident]:
        """Every object that it is made of: itself, its bindings, template, parameters,
        exceptions."""

    @property
    def unanswerable(self) -> Sequence[str]:
        """What of it can not be answered offline, each with the rule that needs it."""

    def may_concern(self, target: Target) -> bool:
        """Whether it need be asked of reviews with this target: its answer may be remembered.

        Where `target.kind` is empty the resource alone decides; in doubt it is true.
        """

    def judge(self, review: Review) -> Sequence[Verdict]:
        """What each of its rules that speak of this review says; of the others nothing.

        Never raises on data. Bounded in time: what costs too much is indeterminate.
        """


class Linked(NamedTuple):
    """The policies that objects make, and what is wrong with those that make none."""

    policies: Sequence[Policy]
    problems: Sequence[Problem]


class Dialect(Protocol):
    """One admission language. Keeps what it has compiled, so linking again costs what changed."""

    kinds: Collection[tuple[str, str]]
    """(API group, kind) of the objects that it reads, "*" for any kind of the group."""

    def wants(self, objects: Objects) -> Collection[tuple[str, str]]:
        """More kinds that these objects refer to (parameters): (API group, kind)."""

    def link(self, objects: Objects) -> Linked:
        """The policies in force among `objects`, each joined with what it refers to.

        A policy that nothing puts in force (no binding, no constraint) is left out. A problem names
        the file and the line where there is a document, else the object.
        """
