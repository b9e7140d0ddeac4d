"""What an expression demands of an event that can be checked without CEL and without its bodies.

Reads the checked tree: comparisons of the envelope's fields become plain closures, parameters are
constants, and fields of the object leave words that must stand in its bytes. What is not understood
may be true. Sound: an event that a filter turns away can not make the expression true.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

from shipper.rules import words
from shipper.rules.cel.library.function import CallError
from shipper.rules.cel.library.regex import compiled
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
from shipper.rules.maybe import (
    NOTHING,
    UNKNOWN,
    Maybe,
    Test,
    Texts,
    both,
    concise,
    either,
    every,
    exactly,
    inexact,
    known,
    negated,
    some,
)
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
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_ANNOTATIONS = ("event", "annotations")
_LAZY = frozenset(("_&&_", "_||_", "_?_:_", "_?._", "_[?_]", "or", "orValue", "hasValue", "optMap"))
"""Functions that may have a value though one of their arguments has none."""


class Filter(NamedTuple):
    """Conditions without which an expression is not true; None: no such condition.

    `stable` has the same answer for events that are alike; `in_…`: words in bytes. `decides`:
    where all hold, the expression is true, and CEL need not be asked. `never`: the parameters alone
    keep it from being true of any event.
    """

    stable: Test | None
    changing: Test | None
    in_object: Sequence[Texts]
    in_annotations: Sequence[Texts]
    decides: bool
    never: bool


NO_FILTER = Filter(None, None, (), (), decides=True, never=False)
"""Of a rule without an expression."""


def prefilter(tree: Tree, params: Mapping[str, Any]) -> Filter:
    """The filter of the expression `tree` under `params`."""
    reader = _Reader(params)
    parts = [reader.read(part, {}) for part in _conjuncts(tree)]
    stable = every(part for part in parts if part.stable)
    changing = every(part for part in parts if not part.stable)
    return Filter(
        _test(stable),
        _test(changing),
        concise(stable.need | changing.need, "object"),
        concise(stable.need | changing.need, "annotations"),
        decides=all(part.exact for part in parts),
        never=stable.true is False or changing.true is False,
    )


def _conjuncts(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree, Call) and tree.function == "_&&_":
        for part in tree.args:
            yield from _conjuncts(part)
    else:
        yield tree


def _test(maybe: Maybe) -> Test | None:
    return None if isinstance(maybe.true, bool) else maybe.true


class _Reader:
    """From a tree to what may be."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params

    def read(self, node: Tree, scope: Scope) -> Maybe:
        """Whether `node`, a condition, may be true, and may be false."""
        match node:
            case Call(function="_&&_", args=(left, right)):
                return both(self.read(left, scope), self.read(right, scope))
            case Call(function="_||_", args=(left, right)):
                return either(self.read(left, scope), self.read(right, scope))
            case Call(function="!_", args=(one,)):
                return negated(self.read(one, scope))
            case Call(function="_?_:_", args=(test, yes, no)):
                asked = self.read(test, scope)
                first = both(asked, self.read(yes, scope))
                return inexact(either(first, both(negated(asked), self.read(no, scope))))
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
            case Call(function="matches", target=target, args=(pattern,)) if target:
                return self._matches(target, pattern, scope)
            case Call(function="orValue", target=target, args=(Const(value=False),)) if target:
                return words.equal(target, True, scope)
            case Select(test=True):
                return words.present(node, scope)
        getter, value = _getter(node, scope), self._constant(node, scope)
        if isinstance(value, bool):
            return known(value)
        if getter is not None and getter.kind is bool:
            return exactly(getter.get, stable=getter.stable)
        return both(words.equal(node, True, scope), self._demanded(node, scope))

    def _compare(self, function: str, left: Tree, right: Tree, scope: Scope) -> Maybe:
        value = self._constant(right, scope)
        if value is NOT_CONSTANT:
            value = self._constant(left, scope)
            if value is NOT_CONSTANT:
                return both(self._demanded(left, scope), self._demanded(right, scope))
            left, function = right, _MIRRORED.get(function, function)
        other, compare = self._constant(left, scope), _COMPARE[function]
        if other is not NOT_CONSTANT:
            return known(compare(other, value)) if _comparable(other, value) else UNKNOWN
        getter = _getter(left, scope)
        if getter is not None and getter.kind is not list and _comparable(getter.kind(), value):
            get = getter.get
            return exactly(lambda terms: compare(get(terms), value), stable=getter.stable)
        if function == "_==_":
            return self._equal(left, value, scope)
        return self._demanded(left, scope)

    def _equal(self, node: Tree, value: Any, scope: Scope) -> Maybe:
        """`node == value` where nothing better is known of `node`."""
        match node:
            case Call(function="orValue", target=target, args=(default,)) if target:
                otherwise = self._constant(default, scope)
                if otherwise is NOT_CONSTANT:
                    return UNKNOWN
                found = UNKNOWN if otherwise == value else self._equal(target, value, scope)
                return self._annotated(target, otherwise, value, scope) or found
        if value is True:
            return self.read(node, scope)
        if value is False:
            opposite = negated(self.read(node, scope))
            return opposite if opposite.exact else both(opposite, self._demanded(node, scope))
        return both(words.equal(node, value, scope), self._demanded(node, scope))

    def _member(self, value: Tree, many: Tree, scope: Scope) -> Maybe:
        wanted, listed = self._constant(value, scope), self._constant(many, scope)
        getter, getter_of_many = _getter(value, scope), _getter(many, scope)
        if isinstance(listed, list):
            if getter is not None and getter.kind in (str, int):
                values = frozenset(one for one in listed if _comparable(getter.kind(), one))
                get = getter.get
                return exactly(lambda terms: get(terms) in values, stable=getter.stable)
            return some(self._equal(value, one, scope) for one in listed)
        if isinstance(wanted, str) and getter_of_many is not None and getter_of_many.kind is list:
            get_many = getter_of_many.get
            return exactly(lambda terms: wanted in get_many(terms), stable=getter_of_many.stable)
        demanded = both(self._demanded(value, scope), self._demanded(many, scope))
        holding = both(words.holding(many, wanted, scope), demanded)
        if isinstance(wanted, str) and path_of(many, frozenset(scope)) == _ANNOTATIONS:
            return exactly(lambda terms: wanted in terms.annotations, need=holding.need)
        return holding

    def _annotated(self, node: Tree, otherwise: Any, value: Any, scope: Scope) -> Maybe | None:
        """`node.orValue(otherwise) == value` for an annotation, None for anything else."""
        path = path_of(node, frozenset(scope))
        if path is None or path[:2] != _ANNOTATIONS or len(path) != 3:
            return None
        if not isinstance(otherwise, str) or not isinstance(value, str):
            return None
        name = path[2]
        need = NOTHING if otherwise == value else words.equal(node, value, scope).need
        return exactly(lambda terms: terms.annotations.get(name, otherwise) == value, need=need)

    def _text(self, function: str, target: Tree | None, text: Tree, scope: Scope) -> Maybe:
        if target is None:
            return UNKNOWN
        wanted, getter = self._constant(text, scope), _getter(target, scope)
        if isinstance(wanted, str) and getter is not None and getter.kind is str:
            compare, get = _TEXT[function], getter.get
            return exactly(lambda terms: compare(get(terms), wanted), stable=getter.stable)
        demanded = both(self._demanded(target, scope), self._demanded(text, scope))
        return both(words.holding(target, wanted, scope), demanded)

    def _matches(self, target: Tree, pattern: Tree, scope: Scope) -> Maybe:
        wanted, getter = self._constant(pattern, scope), _getter(target, scope)
        if getter is None or getter.kind is not str or not isinstance(wanted, str):
            return self._demanded(target, scope)
        try:
            search = compiled(wanted).search
        except CallError:
            return UNKNOWN
        get = getter.get
        return exactly(lambda terms: search(get(terms).encode()) is not None, stable=getter.stable)

    def _fold(self, node: Comprehension, scope: Scope) -> Maybe:
        """`exists`, `exists_one` and `cel.bind`; of the others what they fold over."""
        if isinstance(node.range, ListOf) and not node.range.elements:
            bound = {**scope, node.accu: words.place(node.start, scope)}
            return inexact(self.read(node.result, bound))
        demanded = inexact(self._demanded(node.range, scope))
        part = words.place(node.range, scope)
        inner = {**scope, node.name: part, node.second_name: part, node.accu: None}
        match node.step:
            case (
                Call(function="_||_", args=(Ident(name=name), test))
                | Call(function="_?_:_", args=(test, _, Ident(name=name)))
            ) if name == node.accu:
                return inexact(both(demanded, self.read(test, inner)))
        return demanded

    def _demanded(self, node: Tree, scope: Scope) -> Maybe:
        """What must hold for `node` to have a value at all, whichever it is."""
        match node:
            case Comprehension():
                return self._demanded(node.range, scope)
            case Call(function=function) if function in _LAZY:
                return UNKNOWN
            case Select(operand=operand, test=True):
                return self._demanded(operand, scope)
        found = words.present(node, scope)
        return inexact(reduce(both, (self._demanded(c, scope) for c in children(node)), found))

    def _constant(self, node: Tree, scope: Scope) -> Any:
        return NOT_CONSTANT if "params" in scope else constant(node, self._params)


def _getter(node: Tree, scope: Scope) -> Getter | None:
    if isinstance(node, Select) and node.test:
        return None
    if isinstance(node, Call) and node.function == "lowerAscii" and node.target is not None:
        return _lowered(_getter(node.target, scope))
    path = path_of(node, frozenset(scope))
    return None if path is None else GETTERS.get(path)


def _lowered(getter: Getter | None) -> Getter | None:
    if getter is None or getter.kind is not str:
        return None
    get = getter.get
    return Getter(lambda terms: get(terms).translate(_LOWER), str, getter.stable)


def _comparable(one: object, other: object) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return isinstance(one, bool) and isinstance(other, bool)
    if isinstance(one, int | float) and isinstance(other, int | float):
        return True
    return type(one) is type(other) and isinstance(one, str | list)
