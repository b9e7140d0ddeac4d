"""From what expressions name to an activation that has that and nothing else bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from shipper.rules.cel import Activation, Environment, Program
from shipper.rules.fields import Wanted, prune
from shipper.rules.terms import Terms, wanted


class Plan(NamedTuple):
    """What programs that are asked together want bound; parameters are the same each time."""

    wanted: Wanted
    params: object


class Binder:
    """Binds the variables of one rule set's expressions."""

    def __init__(self, environment: Environment, params: Mapping[str, Any]) -> None:
        self._environment = environment
        self._params = params

    def nothing(self) -> Activation:
        """An activation in which nothing is bound."""
        return self._environment.activation({})

    def plan(self, programs: Iterable[Program]) -> Plan:
        """What `programs` want."""
        below = dict(wanted(path for program in programs for path in program.paths))
        params = prune(self._params, below.pop("params")) if "params" in below else None
        return Plan(below, params)

    def bound(self, plan: Plan, terms: Terms) -> Activation:
        """An activation for this event."""
        variables = terms.bind(plan.wanted)
        if plan.params is not None:
            variables["params"] = plan.params
        return self._environment.activation(variables)
