"""What a match block looks at: the object's kind, name, labels, and who asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipper.rules.dialects.kinds import kind_of
from shipper.rules.dialects.kyverno.errors import UndecidedError
from shipper.rules.dialects.review import Review
from shipper.rules.terms import UNBOUND


class Subject:
    """The object of a review, under Kyverno's names; the old one where there is no new one."""

    def __init__(self, review: Review) -> None:
        self.review = review
        self.target = review.target
        self.deleting = review.target.operation == "DELETE"
        self.shown: Any = review.old_object if self.deleting else review.object
        metadata = self.shown.get("metadata") if isinstance(self.shown, Mapping) else None
        self._metadata: Mapping[str, Any] = metadata if isinstance(metadata, Mapping) else {}
        self.kind = self._kind()
        named = self._metadata.get("name") or self._metadata.get("generateName")
        self.name = named if isinstance(named, str) else review.name
        self.namespace = review.namespace

    def _kind(self) -> str:
        """Of the resource; Kyverno names a subresource's request by it, not by its body."""
        target = self.target
        if target.subresource:
            return kind_of(target.group, target.resource) or target.kind
        if target.kind:
            return target.kind
        kind = self.shown.get("kind") if isinstance(self.shown, Mapping) else None
        known = kind_of(target.group, target.resource)
        return known or (kind if isinstance(kind, str) else "")

    @property
    def is_namespace(self) -> bool:
        """Whether it is a Namespace itself."""
        return self.kind == "Namespace"

    def texts(self, field: str) -> Mapping[str, str]:
        """Its labels or annotations. Raises UndecidedError where the object is not known."""
        if self.shown is UNBOUND:
            raise UndecidedError(f"the object is not in the record, so its {field} are not known")
        found = self._metadata.get(field)
        items = found.items() if isinstance(found, Mapping) else ()
        return {key: value for key, value in items if isinstance(value, str)}
