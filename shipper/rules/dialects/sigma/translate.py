"""Sigma's rules for Kubernetes audit events, translated into AuditRules. pySigma reads them.

Rules of other log sources are left out with a note. Never guesses: what has no counterpart is a
problem with file and line. Imported only where there is a Sigma file: pySigma takes 11 MB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shipper.model import Severity
from shipper.rules.dialects.cel_text import UnsupportedError
from shipper.rules.dialects.detection import Translated
from shipper.rules.dialects.sigma.correlation import Correlation, correlation
from shipper.rules.dialects.sigma.emit import Emitted, one_of, raw_of
from shipper.rules.dialects.sigma.read import MistakeError, condition
from shipper.rules.dialects.translated import ALL_STAGES, Names, audit_rule, techniques
from shipper.rules.dialects.walk import text_of
from shipper.rules.document import Document, Problem
from shipper.rules.rule import AuditRule, RuleMatch

_LEFT_OUT = ("deprecated", "unsupported")
_SEVERITIES: Mapping[str, Severity] = {
    "informational": "info",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "critical": "critical",
}


class _Base(NamedTuple):
    """A rule that has been read."""

    document: Document
    name: str
    condition: Emitted
    stages: bool
    """Whether it speaks of stages itself."""


class Sigma:
    """The language. Correlations come behind the rules that they count."""

    def __init__(self) -> None:
        self._names = Names("sigma")
        self._problems: list[Problem] = []
        self._notes: list[Problem] = []
        self._bases: dict[str, _Base] = {}
        self._ids: dict[str, str] = {}

    def translate(self, documents: Sequence[Document]) -> Translated:
        """The rules in `documents`; one that a correlation counts is not told for itself."""
        for document in documents:
            if "detection" in document.value:
                self._read(document)
            elif "filter" in document.value:
                self._problems.append(document.problem(("filter",), "filters are not supported"))
        found: list[tuple[Document, AuditRule]] = []
        counted: set[str] = set()
        for document in documents:
            if "correlation" in document.value:
                found += self._correlated(document, counted)
        rules = [
            (base.document, self._rule(base)) for base in self._bases.values()
            if base.name not in counted
        ]  # fmt: skip
        return Translated([*rules, *found], self._problems, self._notes)

    def _read(self, document: Document) -> None:
        title = text_of(document.value["title"])
        reason = _left_out(document.value)
        if reason:
            self._notes.append(document.problem((), f"{title[:200]}: left out, {reason}"))
            return
        name = self._names.of(title)
        try:
            found = condition(document)
        except MistakeError as mistake:
            self._problems.append(mistake.problem)
            return
        self._bases[name] = _Base(document, name, found, "event.stage" in found.cel)
        for key in ("id", "name"):
            if isinstance(document.value.get(key), str):
                self._ids[document.value[key]] = name

    def _rule(self, base: _Base) -> AuditRule:
        return audit_rule(
            name=base.name,
            severity=_severity(base.document.value),
            when=base.condition.cel,
            match=_match([base], base.condition),
            **_texts(base.document.value),
        )

    def _correlated(
        self, document: Document, counted: set[str]
    ) -> list[tuple[Document, AuditRule]]:
        name = self._names.of(text_of(document.value["title"]))
        try:
            found = correlation(document.value)
            bases = [self._base(document, reference, found) for reference in found.rules]
        except UnsupportedError as error:
            self._problems.append(document.problem(("correlation",), str(error)))
            return []
        except MistakeError as mistake:
            self._problems.append(mistake.problem)
            return []
        if not found.generate:
            counted.update(base.name for base in bases)
        counting = one_of([base.condition for base in bases])
        leveled = document if "level" in document.value else bases[0].document
        written = audit_rule(
            name=name,
            severity=_severity(leveled.value),
            when=counting.cel,
            match=_match(bases, counting),
            threshold=found.threshold,
            **_texts(document.value),
        )
        return [(document, written)]

    def _base(self, document: Document, reference: str, found: Correlation) -> _Base:
        name = self._ids.get(reference, "")
        if name not in self._bases:
            place = ("correlation", "rules")
            reason = f"there is no rule {reference} that could be counted"
            raise MistakeError(document.problem(place, reason))
        return self._bases[name]


def _left_out(value: Mapping[str, Any]) -> str:
    source = value.get("logsource")
    source = source if isinstance(source, dict) else {}
    product, service = source.get("product"), source.get("service")
    if product != "kubernetes" or service not in (None, "audit"):
        return f"its log source is {product or 'unknown'} {service or ''}".rstrip()
    status = value.get("status")
    return f"its status is {status}" if status in _LEFT_OUT else ""


def _severity(value: Mapping[str, Any]) -> Severity:
    return _SEVERITIES.get(text_of(value.get("level") or ""), "medium")


def _match(bases: Sequence[_Base], condition: Emitted) -> RuleMatch:
    stages = ALL_STAGES if any(base.stages for base in bases) else ()
    return RuleMatch(stages=stages, raw=raw_of(condition.words))


def _texts(value: Mapping[str, Any]) -> dict[str, Any]:
    """What the rule says for people."""
    about = [f"{key}: {text_of(value[key])}" for key in ("id", "status", "author", "date")
             if value.get(key)]  # fmt: skip
    references = _list(value.get("references"))
    parts = [text_of(value.get("description") or "").strip(), f"Sigma rule, {', '.join(about)}."]
    notes = _list(value.get("falsepositives"))
    return {
        "title": text_of(value["title"]),
        "description": "\n".join([*filter(None, parts), *map(text_of, references)]),
        "attack": techniques(_list(value.get("tags"))),
        "false_positives": [text_of(note) for note in notes],
    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []
