"""Three-valued conditions as closures: may this be true of an event, may it be false?

Sound, not complete: a condition that is not understood may be both. Where `true` says no, the
expression is not true of the event; where it says yes, only CEL knows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from shipper.rules.terms import Terms

Test = Callable[[Terms], bool]


class Maybe(NamedTuple):
    """Whether an expression may be true, and whether it may be false, of one event.

    `stable`: events with the same `match.Key` have the same answer.
    """

    true: Test | bool
    false: Test | bool
    stable: bool = True


UNKNOWN = Maybe(True, True, stable=False)


def known(value: bool) -> Maybe:
    """What is the same for every event."""
    return Maybe(value, not value)


def exactly(test: Test, *, stable: bool) -> Maybe:
    """What is true exactly where `test` says so, and never an error."""
    return Maybe(test, lambda terms: not test(terms), stable)


def only_if(test: Test) -> Maybe:
    """What can be true only where `test` says so; nothing is known of where it is false."""
    return Maybe(test, True, stable=False)


def negated(one: Maybe) -> Maybe:
    """`!one`."""
    return Maybe(one.false, one.true, one.stable)


def both(left: Maybe, right: Maybe) -> Maybe:
    """`left && right`."""
    stable = left.stable and right.stable
    return Maybe(_and(left.true, right.true), _or(left.false, right.false), stable)


def either(left: Maybe, right: Maybe) -> Maybe:
    """`left || right`."""
    stable = left.stable and right.stable
    return Maybe(_or(left.true, right.true), _and(left.false, right.false), stable)


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
