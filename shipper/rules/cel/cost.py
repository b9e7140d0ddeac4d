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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from shipper.rules.cel.bounds import (
    COMPARISONS,
    ELEMENT_BYTES,
    FACTORS,
    FORMAT_OF_DATA,
    INDEXING,
    PAYING,
    SCALAR,
    UNREAD,
)
from shipper.rules.cel.library import FUNCTIONS
from shipper.rules.cel.meter import CALL, GROWN, Bill, Loop, Reads
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
    integer,
    rebuilt,
)

BUILDING_ROUND = "@building_round"
MAX_ROUNDS = 16
"""So many loops have a function of their own to look at the meter: a call without arguments takes
half the time. More of them are looked after by the other one."""

Names = frozenset[str]
Scope = Mapping[str, "Use"]


def round_of(loop: int) -> str:
    """The name of the function that looks at the meter before a round of this loop."""
    return f"@round{loop}"


class Use(NamedTuple):
    """What is known of a value: at most `weight` times the size of `names`, and `literal` bytes."""

    weight: float = 0.0
    names: Names = frozenset()
    literal: float = 0.0


_PYTHON = frozenset(function.name for function in FUNCTIONS)

_SMALL = Use()
_NONE: Names = frozenset()


def metered(tree: Tree, ids: Iterator[int]) -> tuple[Tree, Bill]:
    """`tree` with a look at the meter in its loops, and what it costs beside them."""
    work = _Work(ids)
    out, _ = work.visit(tree, {})
    weight = work.largest.weight if work.largest.weight > 1 else 0.0
    reads = work.rooted(work.reads)
    return out, Bill(reads, weight, work.largest.literal, tuple(work.loops))


class _Work:
    """One reading of one tree. A scope holds what is known of the names that are local.

    The names of a value say whose size it depends on: variables, the names of the loops around it,
    and invented ones for what is made on the way; `_sources` has the roots behind the last two.
    """

    def __init__(self, ids: Iterator[int]) -> None:
        self.loops: list[Loop] = []
        self.reads: list[tuple[Names, float]] = []
        self.largest = _SMALL
        self._sources: dict[str, Names] = {}
        self._invented: list[str] = []
        self._ids = ids

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
            return self._grown() if node.function in PAYING else _of_call(node.function, uses)
        if isinstance(node, ListOf | MapOf):
            return _sum((*uses, Use(literal=ELEMENT_BYTES * len(uses))))
        return _SMALL if isinstance(node, Select) and node.test else _sum(uses)

    def _made(self, use: Use) -> Use:
        self.largest = _largest((self.largest, use))
        return use

    def _grown(self) -> Use:
        """A value that the meter has been told of when it was made."""
        name = f"@{len(self._invented)}"
        self._invented.append(name)
        self._sources[name] = frozenset((GROWN,))
        return Use(1, frozenset((name,)))

    def _read(self, function: str, uses: Sequence[Use]) -> None:
        if function in _PYTHON:
            self.reads.append((frozenset((CALL,)), 1))
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
        looping = frozenset(filter(None, (node.name, node.second_name, node.accu)))
        hidden = {name: self._sources.get(name) for name in looping}
        self._sources.update(dict.fromkeys(looping, self._roots(source.names)))
        first_read, first_invented = len(self.reads), len(self._invented)

        step, added = self.visit(node.step, _inside(node, source, scope))
        invented = frozenset(self._invented[first_invented:])
        reads = self.reads[first_read:]
        bill = self._bill(reads, added, looping | invented)
        self.reads[first_read:] = [
            ((names & invented) | (source.names if names & looping else _NONE), times)
            for names, times in reads
        ]
        self._restore(hidden)
        builds = isinstance(node.start, ListOf | MapOf)
        condition = self._condition(node, bill, builds=builds)
        use = _SMALL
        if builds:
            new = self._grown().names if bill.sources or added.names & invented else _NONE
            use = Use(max(1.0, added.weight), source.names | new, added.literal)
        return replace(node, range=range_, condition=condition, step=step), use

    def _bill(self, reads: Iterable[tuple[Names, float]], added: Use, own: Names) -> Loop:
        """What a round costs, of what is not its own element."""
        outer = added.names - own
        return Loop(
            reads=self.rooted((names - own, times) for names, times in reads),
            weight=added.weight if outer else 0.0,
            sources=tuple(self._roots(outer)),
            literal=added.literal,
        )

    def _restore(self, hidden: Mapping[str, Names | None]) -> None:
        for name, roots in hidden.items():
            if roots is None:
                del self._sources[name]
            else:
                self._sources[name] = roots

    def _condition(self, node: Comprehension, bill: Loop, *, builds: bool) -> Tree:
        """The loop's condition, behind a look at the meter if a round can cost more than time."""
        if not builds and not bill.reads:
            return node.condition
        number = len(self.loops)
        self.loops.append(bill)
        if builds or number >= MAX_ROUNDS:
            length = self._call("size", Ident(next(self._ids), node.accu))
            elements = length if builds else integer(next(self._ids), 0)
            look = self._call(BUILDING_ROUND, integer(next(self._ids), number), elements)
        else:
            look = self._call(round_of(number))
        return self._call("_&&_", look, node.condition)

    def _call(self, function: str, *args: Tree) -> Call:
        return Call(next(self._ids), function, args)


def _inside(node: Comprehension, source: Use, scope: Scope) -> Scope:
    """What is known within a loop over `source`."""
    element = Use(source.weight, frozenset((node.name,)), source.literal)
    result = Use(names=frozenset((node.accu,)))
    return {**scope, node.name: element, node.second_name: element, node.accu: result}


def _of_call(function: str, uses: Sequence[Use]) -> Use:
    if function in SCALAR:
        return _SMALL
    if function == "_?_:_":
        return _largest(uses[1:])
    if function in INDEXING:
        return uses[0]
    of_data = function == "format" and uses[0].names  # "%.1000f", as often as there is room
    factor = FORMAT_OF_DATA if of_data else FACTORS.get(function, 1)
    use = _sum(uses)
    return use._replace(weight=use.weight * factor, literal=use.literal * factor)


def _sum(uses: Iterable[Use]) -> Use:
    weight, names, literal = 0.0, _NONE, 0.0
    for use in uses:
        weight, names, literal = weight + use.weight, names | use.names, literal + use.literal
    return Use(weight, names, literal)


def _largest(uses: Iterable[Use]) -> Use:
    weight, names, literal = 0.0, _NONE, 0.0
    for use in uses:
        weight, literal = max(weight, use.weight), max(literal, use.literal)
        names |= use.names
    return Use(weight, names, literal)
