"""Which objects `params` stands for, one binding at a time.

As k8s.io/apiserver collects them (generic/policy_dispatcher.go, CollectParams), from the objects
that were given beside the policy. One that is not among them may well be in the cluster: unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from shipper.rules.dialects.kinds import is_cluster_wide, kind_of, resource_of
from shipper.rules.dialects.labels import labels_of
from shipper.rules.dialects.policy import Ident, Objects, Source
from shipper.rules.dialects.selectors import SelectorError, selects
from shipper.rules.dialects.vap.spec import ParamKind, ParamRef
from shipper.rules.fields import without_nulls

Item = tuple[Ident, Source]

_DEFAULT_NAMESPACE = "default"


class Param(NamedTuple):
    """One object, as expressions see it."""

    ident: Ident
    value: Mapping[str, Any]


class Found(NamedTuple):
    """Objects that are parameters; `missing`: what of them is not here, for people."""

    params: Sequence[Param]
    missing: str = ""


class ParamObjects:
    """The objects of one kind of parameters."""

    def __init__(self, kind: ParamKind, objects: Objects) -> None:
        self._kind = kind.kind
        self._has_namespaces = _has_namespaces(group_of(kind.api_version), kind.kind)
        self._params: dict[tuple[str, str], Param] = {}
        for ident, source in objects.items():
            namespace = ident.namespace or (_DEFAULT_NAMESPACE if self._has_namespaces else "")
            self._params[namespace, ident.name] = Param(ident, without_nulls(source.value))
        self._has_namespaces |= any(namespace for namespace, _ in self._params)

    def is_fixed(self, ref: ParamRef) -> bool:
        """Whether `ref` means the same objects for every request."""
        return bool(ref.namespace) or not self._has_namespaces

    def of(self, ref: ParamRef, namespace: str) -> Found:
        """The parameters that `ref` means for a request in `namespace`."""
        where = ref.namespace or (namespace if self._has_namespaces else "")
        if not ref.name:
            found = [
                param
                for (stands_in, _), param in self._params.items()
                if stands_in in (where, "") and selects(ref.selector or {}, labels_of(param.value))
            ]
            return Found(found, "" if found else f"no {self._kind} here that the selector selects")
        one = self._params.get((where, ref.name)) or self._params.get(("", ref.name))
        name = f"{where}/{ref.name}" if where else ref.name
        return Found([one] if one else [], "" if one else f"{self._kind} {name} is not here")


def meant(bindings: Sequence[Item], params: Sequence[Item]) -> list[Item]:
    """Those of `params` that one of the bindings may mean; no other is a part of the policy.

    A cluster has thousands of ConfigMaps that change all the time, and a policy means one.
    """
    tests = [_test(source.value.get("spec")) for _, source in bindings]
    return [item for item in params if any(test(item) for test in tests)]


def _test(spec: Any) -> Callable[[Item], bool]:
    """Whether a binding with this spec may mean an object; what is wrong with it is said later."""
    ref = spec.get("paramRef") if isinstance(spec, Mapping) else None
    if not isinstance(ref, Mapping):
        return lambda _: False
    name, selector = ref.get("name"), ref.get("selector") or {}
    if not isinstance(selector, Mapping):
        return lambda _: False
    if name:
        return lambda item: item[0].name == name
    try:
        selects(selector, {})
    except SelectorError:
        return lambda _: False
    return lambda item: selects(selector, labels_of(item[1].value))


def group_of(api_version: str) -> str:
    """`apps` of `apps/v1`; empty for the core group."""
    return api_version.rpartition("/")[0]


def _has_namespaces(group: str, kind: str) -> bool:
    """Known of built-in kinds; of others the objects themselves tell."""
    is_built_in = kind_of(group, resource_of(group, kind)) == kind
    return is_built_in and not is_cluster_wide(group, kind)
