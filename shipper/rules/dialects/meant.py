"""Whether a policy means a review at all, where several parts of it must mean it."""

from __future__ import annotations

from typing import NamedTuple

from shipper.rules.dialects.labels import STRENGTH
from shipper.rules.dialects.selectors import Choice


class Meant(NamedTuple):
    """For all but `yes` and `no`, `why` says why not, or what is not known.

    `blind`: the policy would see the object in another form, so its answers mean nothing.
    """

    choice: Choice
    why: str = ""
    blind: bool = False


YES, NO = Meant("yes"), Meant("no")


def both(first: Meant, second: Meant) -> Meant:
    """What is meant where both must mean it: an exclusion weighs more than what is not known."""
    return second if STRENGTH[second.choice] > STRENGTH[first.choice] else first
