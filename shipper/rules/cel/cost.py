"""Puts a meter into an expression: what it costs at least, and a look at the meter at each round.

The engine limits the rounds of all loops together to 10,000, and nothing else: a list of 10,000
elements that `map` builds takes 1.6 GB, for each addition copies the list; 24 doublings of a short
text take 1 GB; `a == b` may read megabytes, and do so in every round. So the checked tree is read
for

- what is read from end to end (`a == b` where neither is a literal, `in`, `size`, …): paid for by
  the size of the variables in question, anew in each round that reads more than its own element,
- how large a value can become (`x + x`), as a multiple of the variables' size: paid for likewise,
- loops that build lists: each round pays for the copy.

An upper bound, so an innocent expression on a huge object may be refused too. This is done once for
an expression; on events only the meter runs. Functions in Python pay for themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from shipper.rules.cel.bounds import (
    COMPARISONS,
    ELEMENT_BYTES,
    FACTORS,
    INDEXING,
    PAYING,
    SCALAR,
    UNREAD,
)
from shipper.rules.cel.meter import GROWN, Bill, Loop, Reads
from shipper.rules.cel.tree import (
    Call,
    Comprehension,
    Const,
    Ident,
    ListOf,
    MapOf,
    Select,
    Tree,
    children,
    highest_id,
    integer,
    rebuilt,
)

TICK = "@tick"

Names = frozenset[str]
Scope = Mapping[str, "Use"]


class Use(NamedTuple):
    """What is known of a value: at most `weight` times the size of `names`, and `literal` bytes."""

    weight: float = 0.0
    names: Names = frozenset()
    literal: float = 0.0


_SMALL = Use()


def metered(tree: Tree) -> tuple[Tree, Bill]:
    """`tree` with a look at the meter in its loops, and what it costs beside them."""
    work = _Work(tree)
    out, _ = work.visit(tree, {})
    weight = work.largest.weight if work.largest.weight > 1 else 0.0
    reads = work.rooted(work.reads)
    return out, Bill(reads, weight, work.largest.literal, tuple(work.loops))


class _Work:
    """One reading of one tree. A scope holds what is known of the names that are local."""

    def __init__(self, tree: Tree) -> None:
        self.loops: list[Loop] = []
        self.reads: list[tuple[Names, float]] = []
        self.largest = _SMALL
        self._sources: dict[str, Names] = {}  # the roots of each loop's own names
        self._last_id = highest_id(tree)

    def visit(self, node: Tree, scope: Scope) -> tuple[Tree, Use]:
        """The metered node, and what is known of its value."""
        if isinstance(node, Ident):
            return node, scope.get(node.name) or Use(1, frozenset((node.name.split(".")[0],)))
        if isinstance(node, Const):
            size = len(node.value) if isinstance(node.value, str | bytes) else 0
            return node, self._made(Use(literal=size))
        if isinstance(node, Comprehension):
            bound = isinstance(node.condition, Const) and node.condition.value is False
            return (self._bind if bound else self._loop)(node, scope)
        parts = [self.visit(child, scope) for child in children(node)]
        uses = [use for _, use in parts]
        return rebuilt(node, [part for part, _ in parts]), self._made(self._result(node, uses))

    def rooted(self, reads: Iterable[tuple[Names, float]]) -> Reads:
        """How often each root is read."""
        total: dict[str, float] = {}
        for names, times in reads:
            for root in self._roots(names):
                total[root] = total.get(root, 0) + times
        return tuple(total.items())

    def _roots(self, names: Names) -> Names:
        return frozenset(root for name in names for root in self._sources.get(name, (name,)))

    def _result(self, node: Tree, uses: Sequence[Use]) -> Use:
        if isinstance(node, Call):
            self._read(node.function, uses)
            return _of_call(node.function, uses)
        if isinstance(node, ListOf | MapOf):
            return _sum((*uses, Use(literal=ELEMENT_BYTES * len(uses))))
        return _SMALL if isinstance(node, Select) and node.test else _sum(uses)

    def _made(self, use: Use) -> Use:
        self.largest = _largest((self.largest, use))
        return use

    def _read(self, function: str, uses: Sequence[Use]) -> None:
        if function in UNREAD or (function in COMPARISONS and not all(use.names for use in uses)):
            return
        for use in uses[1:] if function == "@in" else uses:
            if use.names:
                self.reads.append((use.names, max(1.0, use.weight)))

    def _bind(self, node: Comprehension, scope: Scope) -> tuple[Tree, Use]:
        start, bound = self.visit(node.start, scope)
        result, use = self.visit(node.result, {**scope, node.accu: bound})
        return replace(node, start=start, result=result), use

    def _loop(self, node: Comprehension, scope: Scope) -> tuple[Tree, Use]:
        range_, source = self.visit(node.range, scope)
        own = frozenset(name for name in (node.name, node.second_name, node.accu) if name)
        outside = {name: self._sources.get(name) for name in own}
        self._sources.update(dict.fromkeys(own, self._roots(source.names)))

        element = Use(source.weight, frozenset((node.name,)), source.literal)
        inside = {
            **scope,
            node.name: element,
            node.second_name: element,
            node.accu: Use(names=frozenset((node.accu,))),
        }
        before = len(self.reads)
        step, added = self.visit(node.step, inside)
        result, _ = self.visit(node.result, inside)
        bill = self._bill(self.reads[before:], added, own)
        elements = [(source.names, times) for names, times in self.reads[before:] if names & own]
        self.reads[before:] = elements

        builds = isinstance(node.start, ListOf | MapOf)
        if builds or bill.reads:
            node = replace(node, condition=self._condition(node, bill, builds=builds))
        for name, sources in outside.items():
            if sources is None:
                del self._sources[name]
            else:
                self._sources[name] = sources
        grown = frozenset((GROWN,) if bill.sources or bill.literal else ())
        names = source.names | frozenset(bill.sources) | grown
        use = Use(max(1.0, added.weight), names) if builds else _SMALL
        return replace(node, range=range_, step=step, result=result), use

    def _bill(self, reads: Iterable[tuple[Names, float]], added: Use, own: Names) -> Loop:
        """What a round costs, of what is not its own element."""
        outer = added.names - own
        return Loop(
            reads=self.rooted((names - own, times) for names, times in reads),
            weight=added.weight if outer else 0.0,
            sources=tuple(self._roots(outer)),
            literal=added.literal,
        )

    def _condition(self, node: Comprehension, bill: Loop, *, builds: bool) -> Tree:
        self.loops.append(bill)
        length = Call(self._id(), "size", (Ident(self._id(), node.accu),))
        none = integer(self._id(), 0)
        number = integer(self._id(), len(self.loops) - 1)
        tick = Call(self._id(), TICK, (number, length if builds else none))
        return Call(self._id(), "_&&_", (tick, node.condition))

    def _id(self) -> int:
        self._last_id += 1
        return self._last_id


def _of_call(function: str, uses: Sequence[Use]) -> Use:
    if function in SCALAR:
        return _SMALL
    if function in PAYING:
        return Use(1, frozenset((GROWN,)))
    if function == "_?_:_":
        return _largest(uses[1:])
    if function in INDEXING:
        return uses[0]
    factor = FACTORS.get(function, 1)
    use = _sum(uses)
    return use._replace(weight=use.weight * factor, literal=use.literal * factor)


def _sum(uses: Iterable[Use]) -> Use:
    weight, names, literal = 0.0, frozenset[str](), 0.0
    for use in uses:
        weight, names, literal = weight + use.weight, names | use.names, literal + use.literal
    return Use(weight, names, literal)


def _largest(uses: Iterable[Use]) -> Use:
    weight, names, literal = 0.0, frozenset[str](), 0.0
    for use in uses:
        weight, literal = max(weight, use.weight), max(literal, use.literal)
        names |= use.names
    return Use(weight, names, literal)
