"""What Kyverno does to a failure: refuse, warn, or report.

Source: kyverno pkg/engine/api/engineresponse.go. A rule's own words come before the policy's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipper.rules.dialects.kyverno.errors import UndecidedError
from shipper.rules.dialects.kyverno.selection import namespace_selected, texts
from shipper.rules.dialects.kyverno.subject import Subject
from shipper.rules.dialects.kyverno.wildcards import matches_any
from shipper.rules.dialects.policy import Action

_ORDER: tuple[Action, ...] = ("deny", "warn", "audit")


class Actions:
    """Of one rule of a policy."""

    def __init__(self, spec: Mapping[str, Any], validate: Mapping[str, Any]) -> None:
        warns = spec.get("emitWarning") is True
        self._soft: Action = "warn" if warns else "audit"
        self._hard: Action = "audit" if spec.get("admission") is False else "deny"
        own = validate.get("failureAction")
        overrides = list(_overrides(validate.get("failureActionOverrides")))
        if own is None:
            overrides += _overrides(spec.get("validationFailureActionOverrides"))
            own = spec.get("validationFailureAction")
        self._overrides = overrides
        self._own = self._named(own)

    def of(self, subject: Subject) -> Action:
        """What is done here; what is not known of the namespace overrides nothing."""
        for override in self._overrides:
            try:
                if _applies(override, subject):
                    return self._named(override.get("action"))
            except UndecidedError:
                continue
        return self._own

    @property
    def strictest(self) -> Action:
        """What is done anywhere, at worst."""
        every = [self._own, *(self._named(one.get("action")) for one in self._overrides)]
        return min(every, key=_ORDER.index)

    def _named(self, name: Any) -> Action:
        return self._hard if str(name).lower() == "enforce" else self._soft


def strictest(actions: list[Actions]) -> Action:
    """Of several rules."""
    return min((one.strictest for one in actions), key=_ORDER.index, default="audit")


def _overrides(written: Any) -> list[Mapping[str, Any]]:
    found = written if isinstance(written, list) else []
    return [one for one in found if isinstance(one, Mapping) and one.get("action")]


def _applies(override: Mapping[str, Any], subject: Subject) -> bool:
    namespaces, selector = texts(override, "namespaces"), override.get("namespaceSelector")
    if override.get("namespaces") is not None and not matches_any(namespaces, subject.namespace):
        return False
    if selector is None:
        return override.get("namespaces") is not None
    return namespace_selected(selector, subject)
