"""Kyverno, as one of the admission languages: the objects it reads, and the policies they make."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from shipper.rules.dialects.kyverno.compiling import Beside, Compiler
from shipper.rules.dialects.kyverno.exceptions import PolicyException
from shipper.rules.dialects.policy import Ident, Linked, Objects, Policy, Source
from shipper.rules.dialects.problems import problem_in
from shipper.rules.document import Problem

GROUP = "kyverno.io"
_POLICIES = ("ClusterPolicy", "Policy")
_EXCEPTION = "PolicyException"
_CONFIG_MAP = ("", "ConfigMap")


class _Compiled(NamedTuple):
    """`made_of`: the objects that it depends on, as they were."""

    made_of: tuple[Source, ...]
    policy: Policy | None
    problems: Sequence[Problem]


class Kyverno:
    """ClusterPolicy, Policy and PolicyException of kyverno.io; ValidatingPolicy beside them."""

    kinds: Collection[tuple[str, str]] = (
        *((GROUP, kind) for kind in _POLICIES),
        (GROUP, _EXCEPTION),
    )

    def __init__(self) -> None:
        self._kept: dict[Ident, _Compiled] = {}

    def wants(self, objects: Objects) -> Collection[tuple[str, str]]:
        """ConfigMaps, where a context asks for one."""
        asks = any(
            _asks_config_maps(source.value)
            for ident, source in objects.items()
            if ident.group == GROUP and ident.kind in _POLICIES
        )
        return [_CONFIG_MAP] if asks else []

    def link(self, objects: Objects) -> Linked:
        """The policies, each with its exceptions and ConfigMaps."""
        problems: list[Problem] = []
        exceptions = list(_exceptions(objects, problems))
        config_maps = {
            ident: source
            for ident, source in objects.items()
            if (ident.group, ident.kind) == _CONFIG_MAP
        }
        kept: dict[Ident, _Compiled] = {}
        for ident, source in objects.items():
            if ident.group == GROUP and ident.kind in _POLICIES:
                asks = _asks_config_maps(source.value)
                own = [(exception, at) for exception, at in exceptions if exception.concerns(ident)]
                made_of = (source, *(at for _, at in own), *(config_maps.values() if asks else ()))
                before = self._kept.get(ident)
                if before is None or not _same(before.made_of, made_of):
                    beside = Beside([one for one, _ in own], _finder(config_maps))
                    before = _compiled(ident, source, beside, made_of)
                kept[ident] = before
        self._kept = kept
        for one in kept.values():
            problems += one.problems
        return Linked([one.policy for one in kept.values() if one.policy], problems)


def _same(one: Sequence[Source], other: Sequence[Source]) -> bool:
    return len(one) == len(other) and all(
        mine.value is theirs.value for mine, theirs in zip(one, other, strict=True)
    )


def _compiled(
    ident: Ident, source: Source, beside: Beside, made_of: tuple[Source, ...]
) -> _Compiled:
    compiler = Compiler(ident, source, beside, _no_cel)
    policy = compiler.policy()
    return _Compiled(made_of, policy, compiler.problems)


def _no_cel(_rule: Any, _spec: Any, _path: Any) -> None:
    return None


def _exceptions(objects: Objects, problems: list[Problem]) -> list[tuple[PolicyException, Source]]:
    found = []
    for ident, source in objects.items():
        if ident.group == GROUP and ident.kind == _EXCEPTION:
            spec = source.value.get("spec")
            try:
                found.append(
                    (PolicyException(ident, spec if isinstance(spec, Mapping) else {}), source)
                )
            except (ValueError, AttributeError, TypeError) as error:
                problems.append(problem_in(ident, source, ("spec",), str(error)))
    return found


def _finder(config_maps: Mapping[Ident, Source]) -> Any:
    def find(namespace: str, name: str) -> Mapping[str, Any] | None:
        found = config_maps.get(Ident("", "ConfigMap", namespace, name))
        return None if found is None else found.value

    return find


def _asks_config_maps(value: Any) -> bool:
    """Whether a context entry anywhere in it is a ConfigMap."""
    if isinstance(value, Mapping):
        if isinstance(value.get("configMap"), Mapping) and "name" in value:
            return True
        return any(map(_asks_config_maps, value.values()))
    return isinstance(value, list) and any(map(_asks_config_maps, value))
