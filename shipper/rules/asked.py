"""A rule ready to be asked of events: its filters, its expression, its exceptions."""

from __future__ import annotations

from shipper.rules.cel import Activation, CelError, Program
from shipper.rules.compile import Rule
from shipper.rules.levels import BODY_ROOTS
from shipper.rules.maybe import Test
from shipper.rules.prefilter import Filter
from shipper.rules.tell import Teller
from shipper.rules.terms import Terms
from shipper.rules.words import all_found


class Asked:
    """One rule. Filters say what it does not match; what is left, CEL decides."""

    __slots__ = (
        "changing",
        "in_annotations",
        "in_object",
        "programs",
        "rule",
        "stable",
        "teller",
        "when",
    )

    def __init__(self, rule: Rule, needed: Filter, teller: Teller) -> None:
        self.rule = rule
        self.stable: Test | None = needed.stable
        self.changing: Test | None = needed.changing
        self.in_object = needed.in_object
        self.in_annotations = needed.in_annotations
        self.when: Program | None = None if needed.decides else rule.when
        """What CEL must be asked once the filter is passed."""
        self.programs = [exempted.when for exempted in rule.exceptions if exempted.when]
        if self.when is not None:
            self.programs.append(self.when)
        self.teller = teller

    def may_concern(self, terms: Terms) -> bool:
        """Whether the rule need be asked of events that are like this one."""
        if self.stable is not None and not self.stable(terms):
            return False
        if not all_found(self.in_annotations, terms.annotation_bytes):
            return False
        return not any(
            exempted.match is not None and exempted.match(terms.key)
            for exempted in self.rule.exceptions
            if exempted.when is None and exempted.until is None
        )

    def is_left(self, terms: Terms) -> bool:
        """Whether the rule need be asked of this very event."""
        if self.changing is not None and not self.changing(terms):
            return False
        if self.teller.is_quiet(terms):
            return False
        if self.rule.raw is not None and not self.rule.raw.may_be_in(terms.line):
            return False
        found = terms.object_bytes if self.in_object else b""
        return not found or all_found(self.in_object, found)

    def verdict(self, terms: Terms, activation: Activation) -> bool | str:
        """Whether the rule matches, or why that can not be said."""
        if self.when is None and not self.rule.exceptions:
            return True
        verdict = self.when.evaluate(activation) if self.when else True
        if verdict is False or self._is_exempted(terms, activation):
            return False
        if not isinstance(verdict, CelError):
            return True
        if verdict.kind != "unbound":
            return verdict.reason
        if verdict.name not in BODY_ROOTS:
            return f"{verdict.name} is known to the cluster alone"
        if not terms.tried:
            return False
        return f"{verdict.name} is not in an event of level {terms.event.level or 'unknown'}"

    def _is_exempted(self, terms: Terms, activation: Activation) -> bool:
        for exempted in self.rule.exceptions:
            if exempted.until is not None and terms.event.stageTimestamp >= exempted.until:
                continue
            if exempted.match is not None and not exempted.match(terms.key):
                continue
            if exempted.when is None or exempted.when.evaluate(activation) is True:
                return True
        return False
