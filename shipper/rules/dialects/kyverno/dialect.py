"""Kyverno, as one of the admission languages: the objects it reads, and the policies they make."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from shipper.rules.dialects.activations import Activations
from shipper.rules.dialects.kyverno.celexpr import environment
from shipper.rules.dialects.kyverno.celrule import CelCompiler
from shipper.rules.dialects.kyverno.compiling import Beside, Compiler
from shipper.rules.dialects.kyverno.exceptions import PolicyException
from shipper.rules.dialects.kyverno.policy import KyvernoPolicy
from shipper.rules.dialects.kyverno.validating import ValidatingPolicy
from shipper.rules.dialects.kyverno.validatingspec import ValidatingCompiler, policy_names
from shipper.rules.dialects.objects import is_too_deep
from shipper.rules.dialects.policy import Ident, Linked, Objects, Source
from shipper.rules.dialects.problems import problem_in
from shipper.rules.dialects.vap.params import group_of
from shipper.rules.document import MAX_DEPTH, Problem

GROUP, CEL_GROUP = "kyverno.io", "policies.kyverno.io"
_POLICIES = frozenset(((GROUP, "ClusterPolicy"), (GROUP, "Policy")))
_CEL_POLICIES = frozenset(
    ((CEL_GROUP, "ValidatingPolicy"), (CEL_GROUP, "NamespacedValidatingPolicy"))
)
_EXCEPTION, _CEL_EXCEPTION = (GROUP, "PolicyException"), (CEL_GROUP, "PolicyException")
_PLAIN_NAME = re.compile(r"[a-z0-9.-]+")
"""A name without variables."""

_CONFIG_MAP = ("", "ConfigMap")

Item = tuple[Ident, Source]
Made = KyvernoPolicy | ValidatingPolicy


class _Kept(NamedTuple):
    """What was made of a policy, and the objects that it was made of."""

    made_of: Sequence[Item]
    policy: Made | None
    problems: Sequence[Problem]


class _Beside(NamedTuple):
    """The objects that policies may refer to."""

    by_kind: Mapping[tuple[str, str], Sequence[Item]]
    exceptions: Sequence[tuple[PolicyException, Item]]

    def of(self, kind: tuple[str, str]) -> Sequence[Item]:
        return self.by_kind.get(kind, ())


class Kyverno:
    """See `dialects.policy.Dialect`."""

    kinds: Collection[tuple[str, str]] = frozenset(
        (*_POLICIES, *_CEL_POLICIES, _EXCEPTION, _CEL_EXCEPTION)
    )

    def __init__(self) -> None:
        self._environment = environment()
        self._activations = Activations(self._environment, nulls=True)
        self._kept: dict[Ident, _Kept] = {}

    def wants(self, objects: Objects) -> Collection[tuple[str, str]]:
        """ConfigMaps, where a context asks for one; the parameters of rules in CEL."""
        return {
            kind
            for ident, source in objects.items()
            if ident[:2] in _POLICIES and not _unreadable(source.value)
            for kind, _ in _wanted(source.value)
        }

    def link(self, objects: Objects) -> Linked:
        """The policies, each with its exceptions, ConfigMaps and parameters."""
        problems: list[Problem] = []
        by_kind: dict[tuple[str, str], list[Item]] = {}
        for item in objects.items():
            wrong = _unreadable(item[1].value) if item[0][:2] in self.kinds else ""
            if wrong:
                problems.append(problem_in(*item, (), wrong))
            else:
                by_kind.setdefault(item[0][:2], []).append(item)
        exceptions = list(_exceptions(by_kind.get(_EXCEPTION, ()), problems))
        beside = _Beside(by_kind, exceptions)
        self._kept = {
            item[0]: self._linked(item, beside)
            for kind in (*sorted(_POLICIES), *sorted(_CEL_POLICIES))
            for item in by_kind.get(kind, ())
        }
        made = [kept.policy for kept in self._kept.values() if kept.policy]
        self._activations.serve(made)
        problems += [problem for kept in self._kept.values() for problem in kept.problems]
        return Linked(made, problems)

    def _linked(self, policy: Item, beside: _Beside) -> _Kept:
        is_cel = policy[0].group == CEL_GROUP
        made_of = [policy, *(_spared_by(policy[0], beside) if is_cel else ())]
        own = [one for one in beside.exceptions if not is_cel and one[0].concerns(policy[0])]
        made_of += [item for _, item in own]
        wanted = set() if is_cel else set(_wanted(policy[1].value))
        refers = [
            item
            for kind in sorted({kind for kind, _ in wanted})
            for item in beside.of(kind)
            if (kind, item[0].name) in wanted or (kind, "") in wanted
        ]
        made_of += refers
        before = self._kept.get(policy[0])
        if before is not None and before.made_of == made_of:
            return before
        if is_cel:
            compiler = ValidatingCompiler(self._environment, self._activations, policy)
            return _Kept(made_of, compiler.policy(made_of[1:]), compiler.problems)
        return self._compiled(policy, made_of, [one for one, _ in own], dict(refers))

    def _compiled(
        self,
        policy: Item,
        made_of: Sequence[Item],
        exceptions: Sequence[PolicyException],
        refers: Objects,
    ) -> _Kept:
        cel = CelCompiler(self._environment, self._activations, *policy, refers)
        compiler = Compiler(*policy, Beside(exceptions, _finder(refers)), cel.check)
        made = compiler.policy()
        problems = [*compiler.problems, *dict.fromkeys(cel.problems)]
        return _Kept(made_of, None if problems else made, problems)


def _unreadable(value: Any) -> str:
    """Why nothing can be made of an object; empty if it can be read."""
    if is_too_deep(value):
        return f"nested deeper than {MAX_DEPTH} levels"
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        return "a text in it is none: half of a surrogate pair"
    return ""


def _spared_by(policy: Ident, beside: _Beside) -> list[Item]:
    key = (policy.kind, policy.name)
    return [item for item in beside.of(_CEL_EXCEPTION) if key in policy_names(item[1])]


def _exceptions(
    items: Sequence[Item], problems: list[Problem]
) -> Iterator[tuple[PolicyException, Item]]:
    for ident, source in items:
        spec = source.value.get("spec")
        try:
            exception = PolicyException(ident, spec if isinstance(spec, Mapping) else {})
        except ValueError as error:
            problems.append(problem_in(ident, source, ("spec",), str(error)))
        else:
            yield exception, (ident, source)


def _finder(objects: Objects) -> Callable[[str, str], Mapping[str, Any] | None]:
    def find(namespace: str, name: str) -> Mapping[str, Any] | None:
        found = objects.get(Ident(*_CONFIG_MAP, namespace, name))
        return None if found is None else found.value

    return find


def _wanted(value: Any) -> Iterator[tuple[tuple[str, str], str]]:
    """The kinds that a policy refers to: its context's ConfigMaps, its rules' parameters.

    Each with the name; empty where any may be meant. A cluster's other ConfigMaps change all the
    time, and are no reason to make the policy anew.
    """
    if isinstance(value, Mapping):
        config_map = value.get("configMap")
        if isinstance(config_map, Mapping) and "name" in value:
            name = str(config_map.get("name", ""))
            yield _CONFIG_MAP, name if _PLAIN_NAME.fullmatch(name) else ""
        kind = value.get("paramKind")
        if isinstance(kind, Mapping) and isinstance(kind.get("kind"), str):
            yield (group_of(str(kind.get("apiVersion", ""))), kind["kind"]), ""
        for item in value.values():
            yield from _wanted(item)
    elif isinstance(value, list):
        for item in value:
            yield from _wanted(item)
