"""What an expression demands of an event that can be checked without CEL and without its bodies.

Reads the checked tree: comparisons of the envelope's fields become plain closures, parameters are
constants, and fields of the object leave words that must stand in its bytes. What is not understood
may be true. Sound: an event that a filter turns away can not make the expression true.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from typing import Any, NamedTuple

from shipper.rules import words
from shipper.rules.cel.paths import path_of
from shipper.rules.cel.tree import (
    Call,
    Comprehension,
    Const,
    Ident,
    ListOf,
    Select,
    Tree,
    children,
)
from shipper.rules.constants import NOT_CONSTANT, constant
from shipper.rules.getters import GETTERS, Getter
from shipper.rules.maybe import UNKNOWN, Maybe, Test, both, either, exactly, known, negated, only_if
from shipper.rules.words import Scope

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "_==_": operator.eq,
    "_!=_": operator.ne,
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
}
_MIRRORED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_"}
_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
}
_LAZY = frozenset(("_&&_", "_||_", "_?_:_", "_?._", "_[?_]", "or", "orValue", "hasValue", "optMap"))
"""Functions that may have a value though one of their arguments has none."""


class Filter(NamedTuple):
    """Conditions without which an expression is not true; None: no such condition.

    `stable` has the same answer for events with the same `match.Key`. `never`: the parameters alone
    keep the expression from being true of any event.
    """

    stable: Test | None
    changing: Test | None
    never: bool


NO_FILTER = Filter(None, None, never=False)
"""Of a rule without an expression."""


def prefilter(tree: Tree, params: Mapping[str, Any]) -> Filter:
    """The filter of the expression `tree` under `params`."""
    reader = _Reader(params)
    parts = [reader.read(part, {}) for part in _conjuncts(tree)]
    stable = _every(part for part in parts if part.stable)
    changing = _every(part for part in parts if not part.stable)
    never = stable.true is False or changing.true is False
    return Filter(_test(stable), _test(changing), never)


def _conjuncts(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree, Call) and tree.function == "_&&_":
        for part in tree.args:
            yield from _conjuncts(part)
    else:
        yield tree


def _every(parts: Iterable[Maybe]) -> Maybe:
    return reduce(both, parts, known(True))


def _test(maybe: Maybe) -> Test | None:
    return None if isinstance(maybe.true, bool) else maybe.true


class _Reader:
    """From a tree to what may be."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params

    def read(self, node: Tree, scope: Scope) -> Maybe:
        """Whether `node`, a condition, may be true, and may be false."""
        match node:
            case Const(value=bool(value)):
                return known(value)
            case Call(function="_&&_", args=(left, right)):
                return both(self.read(left, scope), self.read(right, scope))
            case Call(function="_||_", args=(left, right)):
                return either(self.read(left, scope), self.read(right, scope))
            case Call(function="!_", args=(one,)):
                return negated(self.read(one, scope))
            case Call(function="_?_:_", args=(test, yes, no)):
                return self._choice(test, yes, no, scope)
            case Comprehension():
                return self._fold(node, scope)
        return self._condition(node, scope)

    def _condition(self, node: Tree, scope: Scope) -> Maybe:
        """What is no combination of conditions."""
        match node:
            case Call(function=function, args=(left, right)) if function in _COMPARE:
                return self._compare(function, left, right, scope)
            case Call(function="@in", args=(value, many)):
                return self._member(value, many, scope)
            case Call(function=function, target=target, args=(text,)) if function in _TEXT:
                return self._text(function, target, text, scope)
            case Call(function="orValue", target=target, args=(Const(value=False),)) if target:
                return words.equal(target, True, scope)
        return self._field(node, scope)

    def _field(self, node: Tree, scope: Scope) -> Maybe:
        """A field that is a condition itself, `has(field)`, or anything else."""
        key = _annotation(node, scope)
        if key is not None:
            return _annotated(key)
        if isinstance(node, Select) and node.test:
            return words.present(node, scope)
        getter = _getter(node, scope)
        if getter is not None and getter.kind is bool:
            return exactly(getter.get, stable=getter.stable)
        if words.is_body(node, scope):
            return words.equal(node, True, scope)
        return self._demanded(node, scope)

    def _choice(self, test: Tree, yes: Tree, no: Tree, scope: Scope) -> Maybe:
        asked = self.read(test, scope)
        first = both(asked, self.read(yes, scope))
        second = both(negated(asked), self.read(no, scope))
        return either(first, second)._replace(false=True)

    def _compare(self, function: str, left: Tree, right: Tree, scope: Scope) -> Maybe:
        value = self._constant(right, scope)
        if value is NOT_CONSTANT:
            value = self._constant(left, scope)
            if value is NOT_CONSTANT:
                return both(self._demanded(left, scope), self._demanded(right, scope))
            left, function = right, _MIRRORED.get(function, function)
        other = self._constant(left, scope)
        compare = _COMPARE[function]
        if other is not NOT_CONSTANT:
            return known(compare(other, value)) if _comparable(other, value) else UNKNOWN
        getter = _getter(left, scope)
        if getter is not None and _comparable(getter.kind(), value):
            get = getter.get
            return exactly(lambda terms: compare(get(terms), value), stable=getter.stable)
        if function != "_==_":
            return self._demanded(left, scope)
        return self._equal(left, value, scope)

    def _equal(self, node: Tree, value: Any, scope: Scope) -> Maybe:
        match node:
            case Call(function="orValue", target=target, args=(default,)) if target:
                ruled_out = self._constant(default, scope)
                if ruled_out is NOT_CONSTANT or ruled_out == value:
                    return UNKNOWN
                return self._equal(target, value, scope)
        if _annotation(node, scope) is not None and isinstance(value, str):
            return both(self._demanded(node, scope), _annotated(value))
        return both(words.equal(node, value, scope), self._demanded(node, scope))

    def _member(self, value: Tree, many: Tree, scope: Scope) -> Maybe:
        wanted, known_list = self._constant(value, scope), self._constant(many, scope)
        getter = _getter(value, scope)
        if isinstance(known_list, list):
            if getter is not None and getter.kind is str:
                texts = frozenset(text for text in known_list if isinstance(text, str))
                get = getter.get
                return exactly(lambda terms: get(terms) in texts, stable=getter.stable)
            if words.is_body(value, scope):
                found = (words.equal(value, one, scope) for one in known_list)
                return reduce(either, found, known(False))._replace(false=True)
        if isinstance(wanted, str):
            listed = _getter(many, scope)
            if listed is not None and listed.kind is list:
                get_list = listed.get
                return exactly(lambda terms: wanted in get_list(terms), stable=listed.stable)
            if _path(many, scope) == ("event", "annotations"):
                return _annotated(wanted)
            return words.containing(many, wanted, scope)
        return both(self._demanded(value, scope), self._demanded(many, scope))

    def _text(self, function: str, target: Tree | None, text: Tree, scope: Scope) -> Maybe:
        wanted = self._constant(text, scope)
        getter = _getter(target, scope)
        if isinstance(wanted, str) and getter is not None and getter.kind is str:
            compare, get = _TEXT[function], getter.get
            return exactly(lambda terms: compare(get(terms), wanted), stable=getter.stable)
        return UNKNOWN if target is None else self._demanded(target, scope)

    def _fold(self, node: Comprehension, scope: Scope) -> Maybe:
        """`exists`, `exists_one` and `cel.bind`; of the others what they fold over."""
        if node.range == ListOf(node.range.id, ()):
            bound = {**scope, node.accu: words.is_body(node.start, scope)}
            return self.read(node.result, bound)
        demanded = self._demanded(node.range, scope)
        body = words.is_body(node.range, scope)
        inner = {**scope, node.name: body, node.second_name: body, node.accu: False}
        match node.step:
            case Call(function="_||_", args=(Ident(name=name), test)) if name == node.accu:
                return both(demanded, self.read(test, inner))._replace(false=True)
            case Call(function="_?_:_", args=(test, _, Ident(name=name))) if name == node.accu:
                return both(demanded, self.read(test, inner))._replace(false=True)
        return demanded

    def _demanded(self, node: Tree, scope: Scope) -> Maybe:
        """What must hold for `node` to have a value at all; that says nothing of which."""
        if isinstance(node, Comprehension):
            return self._demanded(node.range, scope)
        if isinstance(node, Call) and node.function in _LAZY:
            return UNKNOWN
        found = UNKNOWN
        if not (isinstance(node, Select) and node.test):
            key = _annotation(node, scope)
            found = words.present(node, scope) if key is None else _annotated(key)
        return reduce(both, (self._demanded(child, scope) for child in children(node)), found)

    def _constant(self, node: Tree, scope: Scope) -> Any:
        return NOT_CONSTANT if "params" in scope else constant(node, self._params)


def _getter(node: Tree | None, scope: Scope) -> Getter | None:
    if node is None or (isinstance(node, Select) and node.test):
        return None
    path = _path(node, scope)
    return None if path is None else GETTERS.get(path)


def _path(node: Tree, scope: Scope) -> tuple[str, ...] | None:
    return path_of(node, frozenset(scope))


def _annotation(node: Tree, scope: Scope) -> str | None:
    """The key of the annotation that `node` is; None if it is anything else."""
    path = _path(node, scope)
    if path is not None and len(path) == 3 and path[:2] == ("event", "annotations"):
        return path[2]
    return None


def _annotated(text: str) -> Maybe:
    """What can be true only if `text` stands in the annotations."""
    if not words.is_plain(text):
        return UNKNOWN
    word = text.encode()
    return only_if(lambda terms: word in bytes(terms.event.annotations))


def _comparable(one: object, other: object) -> bool:
    numbers = (int, float)
    if isinstance(one, bool) or isinstance(other, bool):
        return isinstance(one, bool) and isinstance(other, bool)
    if isinstance(one, numbers) and isinstance(other, numbers):
        return True
    return type(one) is type(other) and isinstance(one, str | list)
