"""Sigma's rules for Kubernetes audit events, translated into AuditRules. pySigma reads them.

Rules of other log sources are left out with a note. Never guesses: what has no counterpart is a
problem with file and line. Imported only where there is a Sigma file: pySigma takes 11 MB.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sigma.exceptions import SigmaError
from sigma.policy import SigmaPolicy
from sigma.policy.regex_engine import RegexEngine
from sigma.rule import SigmaRule

from shipper.model import Severity
from shipper.rules.cel.library.function import CallError
from shipper.rules.cel.library.regex import compiled
from shipper.rules.dialects.cel_text import UnsupportedError
from shipper.rules.dialects.detection import Translated
from shipper.rules.dialects.sigma.correlation import Correlation, correlation
from shipper.rules.dialects.sigma.emit import Emitted, FieldedError, emitted, one_of, raw_of
from shipper.rules.dialects.translated import ALL_STAGES, Names, audit_rule, techniques
from shipper.rules.dialects.walk import text_of
from shipper.rules.document import Document, Path, Problem
from shipper.rules.rule import AuditRule, RuleMatch

MAX_CONDITION_CHARS = 8192
MAX_PARENTHESES = 64
MAX_VALUES = 20_000
"""In one rule's detection: more could not be asked of an event."""

_LEFT_OUT = ("deprecated", "unsupported")
_SEVERITIES: Mapping[str, Severity] = {
    "informational": "info",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "critical": "critical",
}


class _Regexes(RegexEngine):
    """The engine's own regular expressions: bounded, and silent about what a rule holds."""

    error = CallError

    def compile(self, pattern: str, flags: int = 0) -> Any:
        """The compiled pattern. Raises CallError."""
        names = {re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s"}
        chosen = "".join(name for flag, name in names.items() if flags & flag)
        return compiled(f"(?{chosen}){pattern}" if chosen else pattern)


_POLICY = SigmaPolicy(regex_engine=_Regexes())


class _MistakeError(Exception):
    """The rule cannot be translated."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


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
        found: list[tuple[Document, AuditRule]] = []
        counted: set[str] = set()
        for document in documents:
            if "detection" not in document.value:
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
            condition = _condition(document)
        except _MistakeError as mistake:
            self._problems.append(mistake.problem)
            return
        self._bases[name] = _Base(document, name, condition, "event.stage" in condition.cel)
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
        except _MistakeError as mistake:
            self._problems.append(mistake.problem)
            return []
        if not found.generate:
            counted.update(base.name for base in bases)
        condition = one_of([base.condition for base in bases])
        leveled = document if "level" in document.value else bases[0].document
        written = audit_rule(
            name=name,
            severity=_severity(leveled.value),
            when=condition.cel,
            match=_match(bases, condition),
            threshold=found.threshold,
            **_texts(document.value),
        )
        return [(document, written)]

    def _base(self, document: Document, reference: str, found: Correlation) -> _Base:
        name = self._ids.get(reference, "")
        if name not in self._bases:
            place = ("correlation", "rules")
            reason = f"there is no rule {reference} that could be counted"
            raise _MistakeError(document.problem(place, reason))
        return self._bases[name]


def _left_out(value: Mapping[str, Any]) -> str:
    source = value.get("logsource")
    source = source if isinstance(source, dict) else {}
    product, service = source.get("product"), source.get("service")
    if product != "kubernetes" or service not in (None, "audit"):
        return f"its log source is {product or 'unknown'} {service or ''}".rstrip()
    status = value.get("status")
    return f"its status is {status}" if status in _LEFT_OUT else ""


def _condition(document: Document) -> Emitted:
    value = document.value
    _bound(document)
    try:
        rule = SigmaRule.from_dict(copy.deepcopy(value), policy=_POLICY)
        parsed = rule.detection.parsed_condition
        return one_of([emitted(one.parsed) for one in parsed])
    except FieldedError as error:
        raise _MistakeError(document.problem(_path_of(value, error.field), str(error))) from error
    except UnsupportedError as error:
        raise _MistakeError(document.problem(("detection",), str(error))) from error
    except SigmaError as error:
        raise _MistakeError(document.problem(_path_of_error(error), _reason(error))) from error
    except RecursionError:
        raise _MistakeError(document.problem(("detection",), "nested too deeply")) from None


def _bound(document: Document) -> None:
    """Refuses what would take pySigma long to read."""
    detection = document.value["detection"]
    written = detection.get("condition") if isinstance(detection, dict) else None
    for text in map(text_of, written if isinstance(written, list) else [written]):
        if len(text) > MAX_CONDITION_CHARS or text.count("(") > MAX_PARENTHESES:
            reason = (
                f"longer than {MAX_CONDITION_CHARS} characters,"
                f" or more than {MAX_PARENTHESES} parentheses"
            )
            raise _MistakeError(document.problem(("detection", "condition"), reason))
    left, many = [detection], 0
    while left:
        one = left.pop()
        many += 1
        if isinstance(one, dict | list):
            left.extend(one.values() if isinstance(one, dict) else one)
        if many > MAX_VALUES:
            reason = f"more than {MAX_VALUES:,} values"
            raise _MistakeError(document.problem(("detection",), reason))


def _path_of(value: Mapping[str, Any], field: str) -> Path:
    """Where `field` stands in the detection."""
    for name, selection in value["detection"].items():
        maps = selection if isinstance(selection, list) else [selection]
        for number, one in enumerate(maps):
            for key in one if isinstance(one, dict) else ():
                if key.partition("|")[0] == field:
                    step = (number,) if isinstance(selection, list) else ()
                    return ("detection", name, *step, key)
    return ("detection",)


def _path_of_error(error: SigmaError) -> Path:
    kind = type(error).__name__
    if "Condition" in kind:
        return ("detection", "condition")
    for word, key in (("Level", "level"), ("Status", "status"), ("Logsource", "logsource")):
        if word in kind:
            return (key,)
    return ("detection",)


def _reason(error: SigmaError) -> str:
    return " ".join(str(error).split())[:500] or type(error).__name__


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
