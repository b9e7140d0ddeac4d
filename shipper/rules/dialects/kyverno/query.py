"""JMESPath as Kyverno has it: the jmespath library's parser and interpreter, strict and bounded.

Kyverno's own interpreter raises where the head of a path names a field that a map has not; within
functions, filters, alternatives and projections such a field is null. Ordering compares numbers
alone. Source: kyverno/go-jmespath interpreter.go. Compiles nothing twice; every step is paid for.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from jmespath import exceptions, parser, visitor

from shipper.rules.dialects.kyverno.errors import EvaluationError, NotFoundError, too_much
from shipper.rules.dialects.kyverno.functions import KyvernoFunctions
from shipper.rules.dialects.kyverno.lazy import Lazy
from shipper.rules.dialects.kyverno.meter import Meter
from shipper.rules.dialects.kyverno.scalars import is_number

MAX_TEXT_CHARS = 16 * 1024
MAX_DEPTH = 60
"""Of the tree; each level costs the interpreter a few of Python's own."""

Node = dict[str, Any]

_SHOWING = frozenset(("field", "index", "index_expression", "subexpression"))
"""Nodes that make nothing new."""


class Query(NamedTuple):
    """A parsed query. `shows`: its value stands in the document as it is."""

    tree: Node
    shows: bool


class QueryError(ValueError):
    """The text is no JMESPath."""


@lru_cache(maxsize=4096)
def compiled(text: str) -> Query:
    """The query of `text`. Raises QueryError, or UndecidedError (too long, nested too deeply)."""
    text = text.strip()
    if not text:
        raise QueryError("an empty JMESPath")
    if len(text) > MAX_TEXT_CHARS:
        raise too_much(f"a JMESPath of more than {MAX_TEXT_CHARS} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of literals that are no JSON
            tree: Node = parser.Parser().parse(text).parsed
    except exceptions.JMESPathError as error:
        raise QueryError(f"not JMESPath: {str(error).splitlines()[0]}"[:300]) from None
    except RecursionError:
        raise too_much("a JMESPath nested too deeply") from None
    if _depth(tree) > MAX_DEPTH:
        raise too_much(f"a JMESPath nested deeper than {MAX_DEPTH} levels")
    return Query(tree, all(node["type"] in _SHOWING for node in _nodes(tree)))


def called(query: Query) -> set[str]:
    """The functions that the query calls."""
    nodes = _nodes(query.tree)
    return {node["value"] for node in nodes if node["type"] == "function_expression"}


def _nodes(tree: Node) -> Iterator[Node]:
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending += [child for child in node["children"] if isinstance(child, dict)]


def _depth(tree: Node) -> int:
    deepest, pending = 0, [(tree, 1)]
    while pending:
        node, depth = pending.pop()
        deepest = max(deepest, depth)
        inner = (child for child in node["children"] if isinstance(child, dict))
        pending += [(child, depth + 1) for child in inner]
    return deepest


class Interpreter(visitor.TreeInterpreter):  # type: ignore[misc]  # it is not typed
    """Asks compiled queries of one question's document; not to be kept longer than that."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        super().__init__(visitor.Options(custom_functions=KyvernoFunctions(meter)))

    def ask(self, query: Query, document: Any) -> Any:
        """The value, or EvaluationError or UndecidedError."""
        try:
            found = self.visit(query.tree, document)
        except exceptions.JMESPathError as error:
            raise EvaluationError(f"JMESPath: {str(error).splitlines()[0]}"[:300]) from None
        except RecursionError:
            raise too_much("values nested too deeply") from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise EvaluationError(f"JMESPath: {type(error).__name__}") from None
        if not query.shows:
            self._meter.walk(found)
        return found

    def visit(self, node: Node, *arguments: Any) -> Any:
        """Every visit is a step."""
        self._meter.step()
        return super().visit(node, *arguments)

    def _null(self, node: Node, value: Any) -> Any:
        """What is not there is null here."""
        try:
            return self.visit(node, value)
        except NotFoundError:
            return None

    def visit_field(self, node: Node, value: Any) -> Any:
        """A field that a map has not is an error; of anything but a map it is null."""
        if type(value) is dict:
            try:
                return value[node["value"]]
            except KeyError:
                raise NotFoundError(node["value"]) from None
        return value.find(node["value"]) if isinstance(value, Lazy) else None

    def visit_comparator(self, node: Node, value: Any) -> Any:
        """Equality of anything; order of numbers alone."""
        left, right = (self._null(child, value) for child in node["children"])
        name = node["value"]
        if isinstance(left, dict | list) and isinstance(right, dict | list):
            self._meter.walk(left)
            self._meter.walk(right)
        if name not in self._EQUALITY_OPS and not (is_number(left) and is_number(right)):
            return None
        return self.COMPARATOR_FUNC[name](left, right)

    def visit_function_expression(self, node: Node, value: Any) -> Any:
        """Arguments that are not there are null."""
        arguments = [self._null(child, value) for child in node["children"]]
        return self._functions.call_function(node["value"], arguments)

    def visit_filter_projection(self, node: Node, value: Any) -> Any:
        """Elements for which the condition holds, each through what follows."""
        base, then, condition = node["children"]
        found = self._quiet(base, value)
        if not isinstance(found, list):
            return None
        kept = [item for item in found if self._is_true(self._null(condition, item))]
        return self._through(then, kept)

    def visit_flatten(self, node: Node, value: Any) -> Any:
        """One level of lists less."""
        found = self._quiet(node["children"][0], value)
        if not isinstance(found, list):
            return None
        self._meter.step(sum(len(item) if isinstance(item, list) else 1 for item in found))
        merged: list[Any] = []
        for item in found:
            merged.extend(item if isinstance(item, list) else [item])
        return merged

    def visit_projection(self, node: Node, value: Any) -> Any:
        """Each element through what follows."""
        found = self._null(node["children"][0], value)
        return self._through(node["children"][1], found) if isinstance(found, list) else None

    def visit_value_projection(self, node: Node, value: Any) -> Any:
        """Each of a map's values through what follows."""
        found = self._quiet(node["children"][0], value)
        if not isinstance(found, dict):
            return None
        return self._through(node["children"][1], list(found.values()))

    def visit_multi_select_dict(self, node: Node, value: Any) -> Any:
        """A new map."""
        if value is None:
            return None
        return {
            child["value"]: self._null(child["children"][0], value) for child in node["children"]
        }

    def visit_multi_select_list(self, node: Node, value: Any) -> Any:
        """A new list."""
        return None if value is None else [self._null(child, value) for child in node["children"]]

    def visit_or_expression(self, node: Node, value: Any) -> Any:
        """The first of both that is something."""
        left = self._null(node["children"][0], value)
        return self._null(node["children"][1], value) if self._is_false(left) else left

    def visit_and_expression(self, node: Node, value: Any) -> Any:
        """The first of both that is nothing, else the second."""
        left = self._null(node["children"][0], value)
        return left if self._is_false(left) else self.visit(node["children"][1], value)

    def visit_not_expression(self, node: Node, value: Any) -> Any:
        """Whether it is nothing."""
        return self._is_false(self._null(node["children"][0], value))

    def visit_pipe(self, node: Node, value: Any) -> Any:
        """One behind the other."""
        for child in node["children"]:
            value = self._null(child, value)
        return value

    def visit_slice(self, node: Node, value: Any) -> Any:
        """A part of a list."""
        if isinstance(value, list):
            self._meter.step(len(value))
        return super().visit_slice(node, value)

    def _through(self, node: Node, items: list[Any]) -> list[Any]:
        found = [self._null(node, item) for item in items]
        return [item for item in found if item is not None]

    def _quiet(self, node: Node, value: Any) -> Any:
        """Under filters, flattening and `.*` any error at all is null."""
        try:
            return self.visit(node, value)
        except (EvaluationError, exceptions.JMESPathError):
            return None
