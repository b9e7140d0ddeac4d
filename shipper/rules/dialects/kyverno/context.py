"""Context entries: names for values that a rule's variables use, made when first asked for.

Source: kyverno pkg/engine/context/loaders. Variables, and ConfigMaps that stand beside the policy,
are answered; what only the cluster, a service or a registry knows is UndecidedError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from shipper.rules.dialects.kyverno.errors import EvaluationError, UndecidedError
from shipper.rules.dialects.kyverno.lazy import Scope
from shipper.rules.dialects.kyverno.question import Question
from shipper.rules.dialects.kyverno.variables import Document

ConfigMaps = Callable[[str, str], Mapping[str, Any] | None]
"""(namespace, name) -> the ConfigMap, or None: it does not stand beside the policies."""

_ELSEWHERE = {
    "apiCall": "needs the API server",
    "imageRegistry": "needs an image registry",
    "globalReference": "needs Kyverno's global context",
}
_CONFIG_MAP = "needs a ConfigMap that is not beside the policies"


def _no_config_maps(_namespace: str, _name: str) -> None:
    return None


class Context:
    """The entries of one rule or loop. Raises ValueError."""

    def __init__(self, written: Any, config_maps: ConfigMaps = _no_config_maps) -> None:
        entries = written or []
        if not isinstance(entries, list) or not all(isinstance(one, Mapping) for one in entries):
            raise ValueError("context must be a list of maps")
        self._entries = [(_name(one), _entry(one, config_maps)) for one in entries]

    @property
    def has_entries(self) -> bool:
        """Whether there are any."""
        return bool(self._entries)

    def enter(self, question: Question) -> None:
        """Define the entries in the question's scope."""
        for name, entry in self._entries:
            question.scope.define(name, partial(entry.load, question))

    @property
    def documents(self) -> Iterator[Document]:
        """All that has variables."""
        for _, entry in self._entries:
            yield from entry.documents

    @property
    def unanswerable(self) -> Iterator[str]:
        """The entries that can not be answered here, each with why."""
        for name, entry in self._entries:
            if isinstance(entry, _Elsewhere):
                yield f"context {name} {entry.why}"
            elif isinstance(entry, _ConfigMap) and entry.is_missing:
                yield f"context {name} {_CONFIG_MAP}: {'/'.join(entry.named or ())}"

    @property
    def config_maps(self) -> Iterator[tuple[str, str]]:
        """(namespace, name) of the ConfigMaps that are named without variables."""
        for _, entry in self._entries:
            if isinstance(entry, _ConfigMap) and entry.named is not None:
                yield entry.named

    @property
    def asks_config_maps(self) -> bool:
        """Whether any entry is a ConfigMap."""
        return any(isinstance(entry, _ConfigMap) for _, entry in self._entries)


def _name(entry: Mapping[str, Any]) -> str:
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError("a context entry needs a name")
    return name


def _entry(written: Mapping[str, Any], config_maps: ConfigMaps) -> Any:
    variable, config_map = written.get("variable"), written.get("configMap")
    if isinstance(variable, Mapping):
        return _Variable(variable)
    if isinstance(config_map, Mapping):
        return _ConfigMap(config_map, config_maps)
    kind = next((kind for kind in _ELSEWHERE if kind in written), None)
    if kind is None:
        raise ValueError(f"the context entry {_name(written)} is of no kind that is known here")
    return _Elsewhere(_ELSEWHERE[kind])


class _Elsewhere:
    documents = ()

    def __init__(self, why: str) -> None:
        self.why = why

    def load(self, _question: Question, _scope: Scope) -> Any:
        raise UndecidedError(self.why)


class _ConfigMap:
    def __init__(self, written: Mapping[str, Any], config_maps: ConfigMaps) -> None:
        self._find = config_maps
        self._name = Document(written.get("name", ""))
        self._namespace = Document(written.get("namespace") or "default")

    @property
    def documents(self) -> tuple[Document, ...]:
        return self._name, self._namespace

    @property
    def named(self) -> tuple[str, str] | None:
        if not (self._name.constant and self._namespace.constant):
            return None
        return str(self._namespace.value), str(self._name.value)

    @property
    def is_missing(self) -> bool:
        """Whether it is known already that it is not there."""
        return self.named is not None and self._find(*self.named) is None

    def load(self, question: Question, _scope: Scope) -> Any:
        namespace, name = self._namespace.fill(question), self._name.fill(question)
        found = self._find(str(namespace), str(name))
        if found is None:
            raise UndecidedError(f"{_CONFIG_MAP}: {namespace}/{name}"[:200])
        return {"data": found.get("data") or {}, "metadata": found.get("metadata") or {}}


class _Variable:
    def __init__(self, written: Mapping[str, Any]) -> None:
        path = written.get("jmesPath")
        self._path = Document(path) if isinstance(path, str) and path else None
        self._default = Document(written["default"]) if "default" in written else None
        self._value = Document(written["value"]) if written.get("value") is not None else None

    @property
    def documents(self) -> Iterator[Document]:
        yield from (one for one in (self._default, self._value) if one is not None)
        if self._path is not None:
            yield self._path
            if self._path.constant and self._value is None:
                yield Document(f"{{{{ {self._path.value} }}}}")

    def load(self, question: Question, scope: Scope) -> Any:
        asked = question.at(scope)
        default = self._default.fill(asked) if self._default else None
        try:
            found = self._found(asked)
        except EvaluationError:
            if default is None:
                raise
            found = None
        found = default if found is None else found
        if found is None:
            raise EvaluationError("a context variable evaluated to nil")
        return found

    def _found(self, question: Question) -> Any:
        path = self._path.fill(question) if self._path else None
        if path is not None and not isinstance(path, str):
            raise EvaluationError("the jmesPath of a context variable is no text")
        if self._value is None:
            return question.query(path) if path else None
        value = self._value.fill(question)
        return question.search(path, value) if path else value
