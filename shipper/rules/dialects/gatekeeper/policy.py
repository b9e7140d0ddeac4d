"""A constraint, ready to be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shipper.rules.cel.paths import Path
from shipper.rules.dialects.gatekeeper.match import Matcher
from shipper.rules.dialects.made import MadePolicy
from shipper.rules.dialects.meant import both
from shipper.rules.dialects.policy import Action, Ident, Source, Verdict
from shipper.rules.dialects.review import Review, Target
from shipper.rules.dialects.validator import Validator, verdicts

REGO = "the template is written in Rego alone, which is not evaluated here"
OURS = "the template's Rego itself: CEL of our own that stands for it is asked instead"


class Made(NamedTuple):
    """All of a constraint that does not change from one link to the next.

    `validator` None: the template is written in Rego alone. `parameters`: those that are no part of
    the expressions.
    """

    ident: Ident
    source: Source
    parts: Sequence[Ident]
    action: Action
    matcher: Matcher
    unanswerable: Sequence[str]
    validator: Validator | None
    parameters: Mapping[str, Any] | None
    paths: frozenset[Path]


class ConstraintPolicy(MadePolicy[Made]):
    """See `dialects.policy.Policy`."""

    @property
    def action(self) -> Action:
        """What it does to a failure; a dry run only writes it down."""
        return self._made.action

    def may_concern(self, target: Target) -> bool:
        """Whether it may mean this operation on this resource."""
        return self._made.matcher.may_concern(target)

    def judge(self, review: Review) -> Sequence[Verdict]:
        """What each validation of the template says."""
        meant = self._made.matcher.meant(review)
        if meant.choice == "no":
            return ()
        if self._made.validator is None:
            if meant.choice == "excluded":
                return ()
            return (Verdict("indeterminate", "rego", REGO, self._made.action),)
        activation = self._activations.of(review, self._made.parameters)
        judged = self._made.validator.judge(activation)
        return tuple(verdicts(judged, both(meant, judged.meant), self._made.action))
