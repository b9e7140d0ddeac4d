"""From Gatekeeper's objects to policies that can be asked.

Reads what was given; asks no cluster. A template without a constraint is not in force.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from shipper.rules.dialects.activations import Activations, environment
from shipper.rules.dialects.gatekeeper.make import made
from shipper.rules.dialects.gatekeeper.policy import ConstraintPolicy, Made
from shipper.rules.dialects.gatekeeper.template import Reader, Template, constraint_kind
from shipper.rules.dialects.policy import Ident, Linked, Objects, Source
from shipper.rules.dialects.problems import problem_in
from shipper.rules.document import Problem

TEMPLATE = ("templates.gatekeeper.sh", "ConstraintTemplate")
CONSTRAINTS = "constraints.gatekeeper.sh"
CONFIG = ("config.gatekeeper.sh", "Config")

_PROCESSES = ("*", "webhook")


class _Read(NamedTuple):
    source: Source
    template: Template | None
    problems: Sequence[Problem]


class _Kept(NamedTuple):
    """What was made of a constraint, and what it was made of."""

    source: Source
    template: Template | None
    exempt: tuple[str, ...]
    made: Made | Problem | None

    def is_of(self, source: Source, template: Template | None, exempt: tuple[str, ...]) -> bool:
        """Whether it was made of these very objects."""
        same = self.source.value is source.value and self.template is template
        return same and self.exempt == exempt


class Gatekeeper:
    """See `dialects.policy.Dialect`."""

    kinds: Collection[tuple[str, str]] = frozenset((TEMPLATE, (CONSTRAINTS, "*"), CONFIG))

    def __init__(self) -> None:
        self._environment = environment()
        self._templates: dict[Ident, _Read] = {}
        self._constraints: dict[Ident, _Kept] = {}

    def wants(self, _objects: Objects) -> Collection[tuple[str, str]]:
        """Nothing: a constraint holds its own parameters."""
        return ()

    def link(self, objects: Objects) -> Linked:
        """The constraints whose templates are here."""
        items = [item for item in objects.items() if item[0][:2] == TEMPLATE]
        self._templates = {ident: self._read(ident, source) for ident, source in items}
        templates = {
            constraint_kind(source): self._templates[ident].template for ident, source in items
        }
        exempt = tuple(_exempt(objects))
        problems = [one for read in self._templates.values() for one in read.problems]
        kept: dict[Ident, _Kept] = {}
        for ident, source in objects.items():
            if ident.group != CONSTRAINTS:
                continue
            if ident.kind in templates:
                kept[ident] = self._made(ident, source, templates[ident.kind], exempt)
            else:
                reason = f"there is no ConstraintTemplate of the kind {ident.kind} here"
                problems.append(problem_in(ident, source, ("kind",), reason))
        self._constraints = kept
        problems += [one.made for one in kept.values() if isinstance(one.made, Problem)]
        activations = Activations(self._environment)
        policies = [
            ConstraintPolicy(one.made, activations)
            for one in kept.values()
            if isinstance(one.made, Made)
        ]
        activations.serve(policies)
        return Linked(policies, problems)

    def _read(self, ident: Ident, source: Source) -> _Read:
        before = self._templates.get(ident)
        if before is not None and before.source.value is source.value:
            return before
        reader = Reader(self._environment, ident, source)
        return _Read(source, reader.template(), reader.problems)

    def _made(
        self, ident: Ident, source: Source, template: Template | None, exempt: tuple[str, ...]
    ) -> _Kept:
        before = self._constraints.get(ident)
        if before is not None and before.is_of(source, template, exempt):
            return before
        ready = template and made(self._environment, template, (ident, source), exempt)
        return _Kept(source, template, exempt, ready)


def _exempt(objects: Objects) -> Iterator[str]:
    """The namespaces that Gatekeeper's Config takes out."""
    for ident, source in objects.items():
        spec = source.value.get("spec") if ident[:2] == CONFIG else None
        entries = spec.get("match") if isinstance(spec, dict) else None
        for entry in entries if isinstance(entries, list) else ():
            if any(one in _PROCESSES for one in _texts(entry, "processes")):
                yield from _texts(entry, "excludedNamespaces")


def _texts(entry: Any, key: str) -> list[str]:
    found = entry.get(key) if isinstance(entry, dict) else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
