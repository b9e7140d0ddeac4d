"""From a ClusterPolicy's text to rules that can be asked, and what is wrong with it.

Collects every mistake with its place; what can not be answered offline is no mistake, but said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from shipper.rules.dialects.kyverno.actions import Actions
from shipper.rules.dialects.kyverno.autogen import generated
from shipper.rules.dialects.kyverno.checks import Check, check_of
from shipper.rules.dialects.kyverno.context import ConfigMaps
from shipper.rules.dialects.kyverno.elsewhere import Elsewhere
from shipper.rules.dialects.kyverno.errors import UndecidedError
from shipper.rules.dialects.kyverno.exceptions import PolicyException
from shipper.rules.dialects.kyverno.functions import NAMES, UNDECIDED
from shipper.rules.dialects.kyverno.podsecurity import PodSecurity
from shipper.rules.dialects.kyverno.policy import KyvernoPolicy
from shipper.rules.dialects.kyverno.query import QueryError, called, compiled
from shipper.rules.dialects.kyverno.rule import Rule
from shipper.rules.dialects.kyverno.shape import mapping, refuse_unknown
from shipper.rules.dialects.policy import Ident, Source
from shipper.rules.dialects.problems import problem_in
from shipper.rules.document import Path, Problem

_MALFORMED = "something in it is of another type than Kyverno has there"
_OTHER_KINDS = {"mutate": "mutates", "generate": "generates"}
_CHECKS = ("pattern", "anyPattern", "deny", "foreach", "podSecurity", "cel", "manifests")
_RULE_FIELDS = frozenset(
    (
        "celPreconditions", "context", "exclude", "generate", "imageExtractors", "match", "mutate",
        "name", "preconditions", "reportProperties", "skipBackgroundRequests", "validate",
        "verifyImages",
    )
)  # fmt: skip
_VALIDATE_FIELDS = frozenset(
    (
        *_CHECKS, "allowExistingViolations", "assert", "failureAction", "failureActionOverrides",
        "message",
    )
)  # fmt: skip

CelCheck = Callable[[Mapping[str, Any], Mapping[str, Any], Path], Check | None]
"""(rule, spec, its path) -> the demand of `validate.cel`, or None where problems were told."""


class Beside(NamedTuple):
    """What stands beside a policy."""

    exceptions: Sequence[PolicyException]
    config_maps: ConfigMaps


class Compiler:
    """Of one policy."""

    def __init__(self, ident: Ident, source: Source, beside: Beside, cel: CelCheck) -> None:
        self.problems: list[Problem] = []
        self._ident = ident
        self._source = source
        self._beside = beside
        self._cel = cel
        self._unanswerable: list[str] = []

    def policy(self) -> KyvernoPolicy | None:
        """The policy; None where there are problems."""
        spec = self._source.value.get("spec")
        rules = spec.get("rules") if isinstance(spec, Mapping) else None
        if not isinstance(spec, Mapping) or not isinstance(rules, list):
            self._problem(("spec",), "rules are missing")
            return None
        made = list(self._rules(spec, rules))
        if self.problems:
            return None
        parts = [self._ident]
        for rule in made:
            parts += [one.ident for one in rule.exceptions]
            parts += [Ident("", "ConfigMap", *named) for named in rule.context.config_maps]
        return KyvernoPolicy(
            self._ident,
            self._source,
            made,
            parts=list(dict.fromkeys(parts)),
            unanswerable=list(dict.fromkeys(self._unanswerable)),
            first_only=spec.get("applyRules") == "One",
        )

    def _rules(self, spec: Mapping[str, Any], rules: list[Any]) -> Iterator[Rule]:
        places: dict[str, Path] = {}
        for at, rule in enumerate(rules):
            path = ("spec", "rules", at)
            if isinstance(rule, Mapping):
                places[str(rule.get("name", ""))] = path
                yield from self._rule(spec, rule, path)
            else:
                self._problem(path, "a rule must be a map")
        for rule in () if self.problems else self._generated(spec):
            name = str(rule["name"]).removeprefix("autogen-").removeprefix("cronjob-")
            yield from self._rule(spec, rule, places.get(name, ("spec", "rules")), note=False)

    def _generated(self, spec: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        metadata = self._source.value.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
        try:
            return generated(spec, annotations if isinstance(annotations, Mapping) else {})
        except (ValueError, AttributeError, TypeError):
            self._problem(("spec", "rules"), f"match or exclude: {_MALFORMED}")
            return ()

    def _rule(
        self, spec: Mapping[str, Any], rule: Mapping[str, Any], path: Path, *, note: bool = True
    ) -> Iterator[Rule]:
        try:
            refuse_unknown(rule, _RULE_FIELDS, "a rule")
            words = mapping(rule, "validate") or {}
            refuse_unknown(words, _VALIDATE_FIELDS, "validate")
            check = self._check(spec, rule, path)
            if check is None:
                return
            exceptions = [
                one
                for one in self._beside.exceptions
                if one.names(self._ident, str(rule.get("name", "")))
            ]
            made = Rule(
                rule,
                check,
                actions=Actions(spec, words),
                exceptions=exceptions,
                config_maps=self._beside.config_maps,
                ignores_errors=_ignores_errors(spec),
            )
            if note:
                self._note(made)
        except ValueError as error:
            self._problem(path, str(error))
        except (AttributeError, TypeError, LookupError):
            self._problem(path, _MALFORMED)
        else:
            yield made

    def _check(self, spec: Mapping[str, Any], rule: Mapping[str, Any], path: Path) -> Check | None:
        validate = rule.get("validate")
        if not isinstance(validate, Mapping):
            return self._of_another_kind(rule, path)
        if validate.get("podSecurity") is not None:
            return PodSecurity(validate["podSecurity"])
        if validate.get("cel") is not None:
            return self._cel(rule, spec, path)
        if validate.get("manifests") is not None:
            return Elsewhere("the signatures of manifests are not verified")
        if validate.get("assert") is not None:
            return Elsewhere("assertion trees are not judged")
        check = check_of(validate)
        if check is None:
            raise ValueError(f"validate needs one of {', '.join(_CHECKS)}")
        return check

    def _of_another_kind(self, rule: Mapping[str, Any], path: Path) -> Check | None:
        if rule.get("verifyImages"):
            return Elsewhere("the signatures of images need a registry")
        for kind, does in _OTHER_KINDS.items():
            if kind in rule:
                self._say(str(rule.get("name", "")), f"{does}, which is not judged")
                return None
        self._problem(path, "a rule needs validate, mutate, generate or verifyImages")
        return None

    def _note(self, rule: Rule) -> None:
        """What can not be answered, and queries that are none."""
        for why in rule.unanswerable:
            self._say(rule.name, why)
        for query in sorted({one for document in rule.documents for one in document.queries}):
            if query == "@":
                continue
            try:
                functions = called(compiled(query))
            except QueryError as error:
                raise ValueError(f"{error}: {query}"[:300]) from None
            except UndecidedError as error:
                self._say(rule.name, str(error))
                continue
            for name in sorted(functions & UNDECIDED):
                self._say(rule.name, f"{name}() has no answer here")
            for name in sorted(functions - NAMES):
                self._say(rule.name, f"the function {name}() is not known here")

    def _say(self, rule: str, why: str) -> None:
        self._unanswerable.append(f"rule {rule}: {why}")

    def _problem(self, path: Path, reason: str) -> None:
        self.problems.append(problem_in(self._ident, self._source, path, reason))


def _ignores_errors(spec: Mapping[str, Any]) -> bool:
    webhook = spec.get("webhookConfiguration")
    newer = webhook.get("failurePolicy") if isinstance(webhook, Mapping) else None
    return (newer or spec.get("failurePolicy")) == "Ignore"
