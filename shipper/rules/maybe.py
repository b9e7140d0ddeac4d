"""What must hold for an expression to be true, in three values: may it be true, may it be false?

Sound, not complete: a condition that is not understood may be both. Where `true` says no, or a word
that is needed is not there, the expression is not true of the event; otherwise CEL decides, unless
the condition is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Literal, NamedTuple

from shipper.rules.terms import Terms

Test = Callable[[Terms], bool]

MAX_CLAUSES = 16
"""Of what is needed; more are not looked at, which is always sound."""

Place = Literal["object", "annotations"]


class Word(NamedTuple):
    """Bytes that stand in the event's JSON, in the object or in the annotations."""

    place: Place
    text: bytes


_USUAL = frozenset(
    f'"{name}":'.encode()
    for name in (
        "annotations", "capabilities", "containers", "data", "drop", "env", "image", "kind",
        "labels", "metadata", "name", "namespace", "ownerReferences", "resources",
        "securityContext", "spec", "status", "template", "type", "volumes",
    )
)  # fmt: skip
"""Words that stand in many objects, and so tell little."""

Clause = frozenset[Word]
"""Words of which one must be there."""

Need = frozenset[Clause]
"""Clauses all of which must hold; none: nothing is known to be needed."""

Texts = frozenset[bytes]
"""A clause whose words are all of one place."""

NOTHING: Need = frozenset()


class Maybe(NamedTuple):
    """Whether an expression may be true, whether it may be false, and what it needs to be true.

    `stable`: `true` is the same for events that the engine calls alike. `exact`: it always has a
    value, and is true exactly where it may be.
    """

    true: Test | bool
    false: Test | bool
    need: Need = NOTHING
    stable: bool = True
    exact: bool = False


UNKNOWN = Maybe(True, True)


def known(value: bool) -> Maybe:
    """What is the same for every event."""
    return Maybe(value, not value, exact=True)


def exactly(test: Test, *, stable: bool = False, need: Need = NOTHING) -> Maybe:
    """What is true exactly where `test` says so, and never an error."""
    return Maybe(test, lambda terms: not test(terms), need, stable=stable, exact=True)


def needs(word: Word) -> Maybe:
    """What can be true only if `word` is there; nothing is known of where it is false."""
    return Maybe(True, True, frozenset((frozenset((word,)),)))


def negated(one: Maybe) -> Maybe:
    """`!one`."""
    return Maybe(one.false, one.true, stable=one.stable, exact=one.exact)


def inexact(one: Maybe) -> Maybe:
    """`one` as a condition that is necessary, no more."""
    return one._replace(false=True, exact=False)


def both(left: Maybe, right: Maybe) -> Maybe:
    """`left && right`."""
    return Maybe(
        _and(left.true, right.true),
        _or(left.false, right.false),
        left.need | right.need,
        left.stable and right.stable,
        left.exact and right.exact,
    )


def either(left: Maybe, right: Maybe) -> Maybe:
    """`left || right`."""
    return Maybe(
        _or(left.true, right.true),
        _and(left.false, right.false),
        _either_need(left, right),
        left.stable and right.stable,
        left.exact and right.exact,
    )


def every(parts: Iterable[Maybe]) -> Maybe:
    """All of `parts` with `&&` between them."""
    return reduce(both, parts, known(True))


def some(parts: Iterable[Maybe]) -> Maybe:
    """All of `parts` with `||` between them."""
    return reduce(either, parts, known(False))


def concise(need: Need, place: Place) -> tuple[Texts, ...]:
    """The clauses of `need` that speak of one place alone; what is seldom met stands first.

    Without what follows from the rest: where `"privileged":true` must stand, `"privileged":` does.
    """
    clauses = (
        frozenset(word.text for word in clause)
        for clause in need
        if all(word.place == place for word in clause)
    )
    kept: list[Texts] = []
    for clause in sorted(clauses, key=_how_usual):
        if not any(_implies(other, clause) for other in kept):
            kept = [other for other in kept if not _implies(clause, other)]
            kept.append(clause)
    return tuple(kept[:MAX_CLAUSES])


def _how_usual(clause: Texts) -> tuple[bool, int, int, list[bytes]]:
    return not clause.isdisjoint(_USUAL), len(clause), -min(map(len, clause)), sorted(clause)


def _implies(one: Texts, other: Texts) -> bool:
    return all(any(part in text for part in other) for text in one)


def _either_need(left: Maybe, right: Maybe) -> Need:
    if left.true is False:
        return right.need
    if right.true is False:
        return left.need
    if len(left.need) * len(right.need) > MAX_CLAUSES**2:
        return NOTHING
    return frozenset(one | other for one in left.need for other in right.need)


def _and(left: Test | bool, right: Test | bool) -> Test | bool:
    if isinstance(left, bool):
        return right if left else False
    if isinstance(right, bool):
        return left if right else False
    return lambda terms: left(terms) and right(terms)


def _or(left: Test | bool, right: Test | bool) -> Test | bool:
    if isinstance(left, bool):
        return True if left else right
    if isinstance(right, bool):
        return True if right else left
    return lambda terms: left(terms) or right(terms)
