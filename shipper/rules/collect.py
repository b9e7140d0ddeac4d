"""The objects of admission languages among the documents of rule files, joined into policies.

A document that no language reads and no policy refers to is a mistake: it may be a policy that was
meant to be in force. Reads no file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from shipper.rules.dialects import registry
from shipper.rules.dialects.objects import NAMESPACE, ident_of
from shipper.rules.dialects.policies import PolicySet
from shipper.rules.dialects.policy import Dialect, Ident, Objects, Source
from shipper.rules.document import Document, Problem
from shipper.rules.rule import API_VERSION

KNOWN = f"known: AuditRule and AuditParams ({API_VERSION}), and the objects of policy languages"


class Collected:
    """Objects by what they are; `problems` are those of single documents."""

    def __init__(self) -> None:
        self._objects: dict[Ident, Source] = {}
        self._nameless: list[Document] = []
        self.problems: list[Problem] = []

    def add(self, document: Document) -> None:
        """Whatever is no rule of our own nor of a detection language."""
        value = document.value
        kind = value.get("kind") if isinstance(value, dict) else None
        if not isinstance(kind, str):
            what = "it is required" if kind is None else "it is no text"
            self.problems.append(document.problem(("kind",), f"{what}; {KNOWN}"))
            return
        ident = ident_of(value)
        if ident is None:
            self._nameless.append(document)
        elif ident in self._objects:
            other = self._objects[ident].document
            where = f"{other.file}:{other.line}" if other else ""
            self.problems.append(document.problem(("metadata",), f"{ident} stands in {where} too"))
        else:
            self._objects[ident] = Source(value, document)

    def linked(self, dialects: Iterable[Dialect] = ()) -> PolicySet:
        """The policies that the objects make, by `dialects` or else those that they need.

        `problems` says what is wrong with all of them.
        """
        chosen = [*dialects] or registry.dialects(ident.group for ident in self._objects)
        kinds = kinds_of(chosen, self._objects)
        for document in self._nameless:
            if not self._refused(document, kinds):
                self.problems.append(document.problem(("metadata", "name"), "is missing"))
        for source in self._objects.values():
            if source.document is not None:
                self._refused(source.document, kinds)
        policies = PolicySet(self._objects, chosen)
        self.problems += policies.problems
        return policies

    def _refused(self, document: Document, kinds: Collection[tuple[str, str]]) -> bool:
        kind = document.value["kind"]
        if is_read(registry.group_of(document.value), kind, kinds):
            return False
        reason = f"{kind} is no kind of rule, and no policy here needs it; {KNOWN}"
        self.problems.append(document.problem(("kind",), reason))
        return True


def kinds_of(dialects: Iterable[Dialect], objects: Objects) -> frozenset[tuple[str, str]]:
    """(API group, kind) of all that the dialects read, given that these objects are there."""
    return frozenset(
        kind for dialect in dialects for kind in (*dialect.kinds, *dialect.wants(objects))
    )


def is_read(group: str, kind: str, kinds: Collection[tuple[str, str]]) -> bool:
    """Whether objects like this are of one of `kinds`, or Namespaces."""
    return (group, kind) in kinds or (group, "*") in kinds or (group, kind) == NAMESPACE
