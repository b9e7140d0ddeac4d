"""Three-valued conditions as closures: may this be true of an event, may it be false?

Sound, not complete: a condition that is not understood may be both. Where `true` says no, the
expression is not true of the event; where it says yes, CEL decides, unless the condition is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import NamedTuple

from shipper.rules.terms import Terms

Test = Callable[[Terms], bool]


class Maybe(NamedTuple):
    """Whether an expression may be true, and whether it may be false, of one event.

    `stable`: events with the same `match.Key` have the same answer. `exact`: it always has a value,
    and is true exactly where it may be.
    """

    true: Test | bool
    false: Test | bool
    stable: bool
    exact: bool


UNKNOWN = Maybe(True, True, stable=False, exact=False)


def known(value: bool) -> Maybe:
    """What is the same for every event."""
    return Maybe(value, not value, stable=True, exact=True)


def exactly(test: Test, *, stable: bool) -> Maybe:
    """What is true exactly where `test` says so, and never an error."""
    return Maybe(test, lambda terms: not test(terms), stable, exact=True)


def only_if(test: Test) -> Maybe:
    """What can be true only where `test` says so; nothing is known of where it is false."""
    return Maybe(test, True, stable=False, exact=False)


def negated(one: Maybe) -> Maybe:
    """`!one`."""
    return one._replace(true=one.false, false=one.true)


def both(left: Maybe, right: Maybe) -> Maybe:
    """`left && right`."""
    return Maybe(
        _and(left.true, right.true),
        _or(left.false, right.false),
        left.stable and right.stable,
        left.exact and right.exact,
    )


def either(left: Maybe, right: Maybe) -> Maybe:
    """`left || right`."""
    return Maybe(
        _or(left.true, right.true),
        _and(left.false, right.false),
        left.stable and right.stable,
        left.exact and right.exact,
    )


def every(parts: Iterable[Maybe]) -> Maybe:
    """All of `parts` with `&&` between them."""
    return reduce(both, parts, known(True))


def some(parts: Iterable[Maybe]) -> Maybe:
    """All of `parts` with `||` between them."""
    return reduce(either, parts, known(False))


def inexact(one: Maybe) -> Maybe:
    """`one` as a condition that is necessary, no more."""
    return Maybe(one.true, True, stable=one.stable, exact=False)


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
