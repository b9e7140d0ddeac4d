"""ValidatingPolicy (policies.kyverno.io): CEL with Kyverno's functions, actions and autogen.

Source: kyverno pkg/cel/policies/vpol. Generated rules for controllers are policies of their own,
judged beside the one for pods.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shipper.rules.cel import CelError, Environment, Program, constant
from shipper.rules.cel.paths import Path as FieldPath
from shipper.rules.cel.paths import paths
from shipper.rules.dialects.activations import Activations
from shipper.rules.dialects.expressions import Condition, Expressions
from shipper.rules.dialects.kyverno.celexpr import ALWAYS, EXCEPTIONS, decided
from shipper.rules.dialects.meant import YES, Meant, both
from shipper.rules.dialects.policy import Action, Ident, Source, Verdict
from shipper.rules.dialects.review import Review, Target
from shipper.rules.dialects.validator import Validator, verdicts
from shipper.rules.dialects.vap.constraints import Constraints

_MAX_VALIDATORS = 16
"""Combinations of partial exceptions whose expressions are kept."""


class PartialScope(NamedTuple):
    """What an exception lets by without sparing the whole object."""

    images: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


class ExceptionOf:
    """A PolicyException of policies.kyverno.io, joined with one policy."""

    def __init__(
        self,
        ident: Ident,
        environment: Environment,
        conditions: Sequence[Condition],
        scope: PartialScope,
    ) -> None:
        self.ident = ident
        self.scope = scope
        self.paths = frozenset(path for one in conditions for path in paths(one.main.tree))
        self._programs: list[Program] = [
            environment.program(one.main, ALWAYS) for one in conditions
        ]

    def spares(self, activations: Activations, review: Review) -> bool | str:
        """Whether it is meant for the review, or why that is not known."""
        unknown = ""
        for program in self._programs:
            answer = program.evaluate(activations.of(review))
            if answer is False:
                return False
            if isinstance(answer, CelError):
                unknown = unknown or answer.reason
        return unknown or True


class Part:
    """A ValidatingPolicy for one set of resources: as it is written, or as generated."""

    def __init__(
        self,
        name: str,
        constraints: Constraints,
        expressions: Expressions,
        *,
        environment: Environment,
        exceptions: Sequence[ExceptionOf],
    ) -> None:
        self.name = name
        self.constraints = constraints
        self.expressions = expressions
        self.paths = expressions.paths.union(*(one.paths for one in exceptions))
        self._environment = environment
        self._exceptions = exceptions
        self._validators: dict[PartialScope, Validator] = {}
        self._validator(PartialScope())

    def judge(self, review: Review, activations: Activations, action: Action) -> Iterator[Verdict]:
        """What each validation says."""
        meant = self.constraints.meant(review)
        if meant.choice == "no":
            return
        spared, scope = self._spared(review, activations)
        judged = self._validator(scope).judge(activations.of(review))
        judged = judged._replace(decisions=decided(judged))
        meant = both(both(meant, judged.meant), spared)
        yield from verdicts(judged, meant, action, prefix=self.name)

    def _spared(self, review: Review, activations: Activations) -> tuple[Meant, PartialScope]:
        meant = YES
        images: list[str] = []
        values: list[str] = []
        for exception in self._exceptions:
            spares = exception.spares(activations, review)
            if isinstance(spares, str):
                meant = both(meant, Meant("unknown", f"{exception.ident}: {spares}"))
            elif spares and exception.scope == PartialScope():
                meant = both(meant, Meant("excluded", str(exception.ident)))
            elif spares:
                images += exception.scope.images
                values += exception.scope.values
        return meant, PartialScope(tuple(images), tuple(values))

    def _validator(self, scope: PartialScope) -> Validator:
        found = self._validators.get(scope)
        if found is None:
            if len(self._validators) >= _MAX_VALIDATORS:
                self._validators.clear()
            allowed = {"allowedImages": list(scope.images), "allowedValues": list(scope.values)}
            named = {**ALWAYS, EXCEPTIONS: constant(allowed)}
            found = Validator(self._environment, self.expressions, named)
            self._validators[scope] = found
        return found


class ValidatingPolicy:
    """See `dialects.policy.Policy`."""

    def __init__(
        self,
        ident: Ident,
        source: Source,
        made: Sequence[Part],
        *,
        action: Action,
        parts: Sequence[Ident],
        unanswerable: Sequence[str],
        activations: Activations,
    ) -> None:
        self.ident = ident
        self.source = source
        self.action = action
        self.parts = parts
        self.unanswerable = unanswerable
        self._made = made
        self._activations = activations
        self.paths: frozenset[FieldPath] = frozenset(path for part in made for path in part.paths)

    def may_concern(self, target: Target) -> bool:
        """Whether its rules name this operation on this resource."""
        return any(part.constraints.may_concern(target) for part in self._made)

    def judge(self, review: Review) -> Sequence[Verdict]:
        """What each validation says, as it is written or as it is generated for controllers."""
        if self.ident.namespace and review.namespace != self.ident.namespace:
            return ()
        return [
            verdict
            for part in self._made
            for verdict in part.judge(review, self._activations, self.action)
        ]
