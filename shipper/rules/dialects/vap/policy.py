"""A ValidatingAdmissionPolicy with the bindings that put it in force.

Asked as k8s.io/apiserver asks it: each binding, with each of its parameters, by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from shipper.rules.cel.meter import COST_LIMIT
from shipper.rules.cel.paths import Path
from shipper.rules.cel.program import COST
from shipper.rules.dialects.made import MadePolicy
from shipper.rules.dialects.meant import Meant, both
from shipper.rules.dialects.policy import Action, Ident, Source, Verdict
from shipper.rules.dialects.review import Review, Target
from shipper.rules.dialects.validator import Validator, verdicts
from shipper.rules.dialects.vap.constraints import Constraints
from shipper.rules.dialects.vap.params import ParamObjects
from shipper.rules.dialects.vap.spec import ParamRef

_NEVER_ASKED = frozenset((
    ("authentication.k8s.io", "selfsubjectreviews"),
    ("authentication.k8s.io", "tokenreviews"),
    ("authorization.k8s.io", "localsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authorization.k8s.io", "subjectaccessreviews"),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
))  # fmt: skip
"""Resources about which the API server asks no policy: pkg/kubeapiserver/admission/exclusion, and
IsExemptAdmissionConfigurationResource in k8s.io/apiserver."""


class Dynamic(NamedTuple):
    """Parameters that depend on the namespace of the request, or are large."""

    objects: ParamObjects
    ref: ParamRef
    asker: Validator
    """The expressions without parameters, which the activation has."""


class Binding(NamedTuple):
    """A binding: the policy's expressions joined with each of its parameters.

    `missing` is what of them is not known; `dynamic` finds them for each request.
    """

    name: str
    action: Action
    constraints: Constraints
    askers: Sequence[Validator] = ()
    missing: str = ""
    dynamic: Dynamic | None = None


class Made(NamedTuple):
    """All of a policy that does not change from one link to the next."""

    ident: Ident
    source: Source
    parts: Sequence[Ident]
    unanswerable: Sequence[str]
    constraints: Constraints
    bindings: Sequence[Binding]
    paths: frozenset[Path]


class VapPolicy(MadePolicy[Made]):
    """See `dialects.policy.Policy`."""

    @property
    def action(self) -> Action:
        """The strictest that any binding does to a failure."""
        actions = {binding.action for binding in self._made.bindings}
        return "deny" if "deny" in actions else "warn" if "warn" in actions else "audit"

    def may_concern(self, target: Target) -> bool:
        """Whether its rules name this operation on this resource."""
        asked = (target.group, target.resource) not in _NEVER_ASKED
        return asked and self._made.constraints.may_concern(target)

    def judge(self, review: Review) -> Sequence[Verdict]:
        """What each validation says, for each binding and each of its parameters."""
        if (review.target.group, review.target.resource) in _NEVER_ASKED:
            return ()
        policy = self._made.constraints.meant(review)
        if policy.choice == "no":
            return ()
        found: list[Verdict] = []
        left = float(COST_LIMIT)
        for binding in self._made.bindings:
            meant = both(policy, binding.constraints.meant(review))
            if policy.blind:
                found += _blind(binding, policy, meant)
            elif meant.choice != "no":
                of_binding, left = self._asked(binding, meant, review, left=left)
                found += of_binding
        return found

    def _asked(
        self, binding: Binding, meant: Meant, review: Review, *, left: float
    ) -> tuple[list[Verdict], float]:
        """What one binding says, and how many of the steps that are `left` it has left."""
        prefix, found = f"{binding.name}: ", list[Verdict]()
        askers, missing = _askers(binding, review)
        for asker, params in askers:
            if left <= 0:
                missing = COST.reason
                break
            activation = self._activations.of(review, params)
            before = activation.steps
            judged = asker.judge(activation)
            left -= activation.steps - before
            found += verdicts(judged, both(meant, judged.meant), binding.action, prefix=prefix)
        if missing and meant.choice != "excluded":
            found.append(Verdict("indeterminate", f"{prefix}params", missing, binding.action))
        return found, left


def _blind(binding: Binding, policy: Meant, meant: Meant) -> Iterator[Verdict]:
    """Nothing that the expressions say of an object in another version is an answer."""
    if meant.choice == "unknown":
        rule = f"{binding.name}: matchConstraints"
        yield Verdict("indeterminate", rule, policy.why, binding.action)


def _askers(
    binding: Binding, review: Review
) -> tuple[Sequence[tuple[Validator, Mapping[str, Any] | None]], str]:
    """Who is asked, each with the parameters that it has not got in itself; what is missing."""
    if binding.dynamic is None:
        return [(asker, None) for asker in binding.askers], binding.missing
    objects, ref, asker = binding.dynamic
    params, missing = objects.of(ref, review.namespace)
    return [(asker, param.value) for param in params], missing
