"""The CEL that an admission policy's author wrote: checked once, joined with parameters later.

What k8s.io/apiserver compiles of a policy (admission/plugin/cel), for every dialect that has it.
Collects every mistake, with the line of the text it stands in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shipper.rules.cel import CompileError, Environment, Part
from shipper.rules.cel.parts import needed
from shipper.rules.cel.paths import Path as FieldPath
from shipper.rules.cel.paths import paths
from shipper.rules.cel.program import Expect
from shipper.rules.cel.tree import Call, Tree
from shipper.rules.dialects.activations import ALONE
from shipper.rules.dialects.policy import Ident, Source
from shipper.rules.dialects.problems import problem_in
from shipper.rules.document import Path, Problem

VARIABLE = "variables."

MAX_NODES = 50_000
"""The largest policy in the libraries that people use has 2,000; some 20 us each to compile."""


class Text(NamedTuple):
    """An expression, and where it stands in the object."""

    text: str
    path: Path


class Condition(NamedTuple):
    """A match condition; `excludes`: it is written as what is not meant, `!(...)` or `!=`."""

    name: str
    main: Part
    excludes: bool


class Validation(NamedTuple):
    """`rule` is its place, as findings name it; `text` what it says, for want of a message."""

    rule: str
    text: str
    main: Part
    message: str
    message_part: Part | None


class Annotation(NamedTuple):
    """An audit annotation: `main` is its value."""

    key: str
    main: Part


class Expressions(NamedTuple):
    """A policy's CEL, checked."""

    variables: Mapping[str, Part]
    conditions: Sequence[Condition]
    validations: Sequence[Validation]
    annotations: Sequence[Annotation]
    ignores_errors: bool
    """failurePolicy Ignore: an expression that fails is none."""
    nodes: int
    """How large all of it is, each expression with what it asks for."""

    @property
    def parts(self) -> list[tuple[str, Part]]:
        """Every expression, with its name for people."""
        return [
            *((name, part) for name, part in self.variables.items()),
            *((f"matchConditions[{one.name}]", one.main) for one in self.conditions),
            *((one.rule, one.main) for one in self.validations),
            *(
                (f"{one.rule}.messageExpression", one.message_part)
                for one in self.validations
                if one.message_part
            ),
            *((f"auditAnnotations[{one.key}]", one.main) for one in self.annotations),
        ]

    @property
    def paths(self) -> frozenset[FieldPath]:
        """All that is spoken of."""
        return frozenset(path for _, part in self.parts for path in paths(part.tree))


class Checker:
    """Checks the expressions of one object."""

    def __init__(self, environment: Environment, ident: Ident, source: Source) -> None:
        self.problems: list[Problem] = []
        self.variables: dict[str, Part] = {}
        self.nodes = 0
        """Of all that was checked so far, each expression with what it asks for."""
        self._environment = environment
        self._ident = ident
        self._source = source

    def variable(self, name: str, written: Text) -> None:
        """`variables.<name>`, for the expressions behind it."""
        made = self.part(written)
        if made is not None:
            self.variables[f"{VARIABLE}{name}"] = made

    def part(self, written: Text, *, expect: Expect = "any") -> Part | None:
        """The expression, or None and a problem."""
        if self.nodes > MAX_NODES:
            return None  # which was said
        try:
            made = self._environment.part(
                written.text, expect=expect, alone=(*ALONE, *self.variables)
            )
        except CompileError as error:
            self.problem(written.path, f"{error.column}: {error.reason}", row=error.line)
            return None
        if "variables" in made.free:
            names = {path[:2] for path in paths(made.tree) if path[0] == "variables"}
            name = ".".join(min(names, default=("variables",)))
            self.problem(written.path, f"{name} is not defined before it")
            return None
        named = (self.variables[name] for name in needed(made, self.variables))
        self.nodes += made.nodes + sum(part.nodes for part in named)
        if self.nodes > MAX_NODES:
            self.problem(written.path, "the policy is too large with this expression")
            return None
        return made

    def condition(self, name: str, written: Text) -> Condition | None:
        """A match condition."""
        made = self.part(written, expect="bool")
        return None if made is None else Condition(name, made, _exempts(made.tree))

    def validation(
        self, rule: str, written: Text, *, message: str, message_text: Text
    ) -> Validation | None:
        """A validation; `message_text` is its messageExpression, empty where it has none."""
        main = self.part(written, expect="bool")
        said = self.part(message_text) if message_text.text else None
        return None if main is None else Validation(rule, written.text, main, message, said)

    def problem(self, path: Path, reason: str, *, row: int = 1) -> None:
        """Take note of a mistake."""
        self.problems.append(problem_in(self._ident, self._source, path, reason, row=row))


_WHATS = frozenset((("request", "operation"), ("request", "subResource"), ("request", "dryRun")))


def _exempts(tree: Tree) -> bool:
    """Whether who or what it leaves out is exempt: not where it leaves out kinds of requests."""
    return _excludes(tree) and not any(path[:2] in _WHATS for path in paths(tree))


def _excludes(tree: Tree) -> bool:
    """Whether all that it says is what is not meant."""
    match tree:
        case Call(function="_&&_", args=args):
            return all(_excludes(arg) for arg in args)
        case Call(function="!_" | "_!=_"):
            return True
    return False
