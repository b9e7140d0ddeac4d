"""Which rules are blind under an audit policy: what they look for is not logged, or too little.

Asks each rule which verbs of which resources it may concern, and the policy what it does with such
a request. Pure. A rule of the policy for some users or namespaces leaves a guardrail partly blind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from shipper.rules.audit_policy import Policy, Request, Step, logged_stages, steps
from shipper.rules.compile import Rule
from shipper.rules.levels import LEVELS, Level
from shipper.rules.match import exact, one_of
from shipper.rules.needs import level_of
from shipper.rules.probes import Probe, probes
from shipper.rules.ruleset import RuleSet
from shipper.rules.written import written

Why = Literal["not logged", "level too low", "stage omitted"]


_Leveled = tuple[Probe, Level]
"""With the level that is needed to see enough of it."""


class Gap(NamedTuple):
    """What one rule of the policy hides from a guardrail.

    `number` is its place in the policy, from 1; 0: no rule fits. `surely`: whoever asks and
    wherever; else only for the users, groups, namespaces or names that the policy's rule names.
    """

    why: Why
    number: int
    surely: bool
    level: str
    needs: Level
    probes: tuple[Probe, ...]


class Sight(NamedTuple):
    """What a guardrail can see under the policy."""

    rule: Rule
    gaps: tuple[Gap, ...]
    blind: bool
    """Nothing that it looks for is seen."""


def examine(rules: RuleSet, policy: Policy) -> list[Sight]:
    """What each rule in force can see, in the order of their names, and last the policies."""
    sights = [
        _sight(rule, _leveled(rule, probes(rule, rules.filters[rule])), policy)
        for rule in rules.rules
        if rule not in rules.inert
    ]
    if rules.guarded.bypass is not None:
        judged: list[_Leveled] = [(probe, "RequestResponse") for probe in written(rules)]
        sights += [_sight(rules.guarded.bypass, judged, policy)] if judged else []
    return sights


def remedy(sights: Sequence[Sight]) -> list[dict[str, Any]]:
    """Rules that, put first in the policy, let every guardrail see what is hidden from it.

    The policy's first rule that fits decides, so those that log most stand first. They restrict
    users where the guardrail does. Stages are not among them: a stage that the whole policy omits
    can not be brought back by a rule.
    """
    found: dict[tuple[Any, ...], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for key, verbs in _hidden(sights).items():
        level, users, group, name = key
        found[level, users, tuple(sorted(verbs))][group].add(name)
    return [
        {
            "level": level,
            **({"users": list(users)} if users else {}),
            "verbs": list(verbs),
            "resources": [
                {"group": group, "resources": sorted(names)} for group, names in groups.items()
            ],
        }
        for (level, users, verbs), groups in sorted(found.items(), key=_most_first)
    ]


def _most_first(item: tuple[tuple[Any, ...], Any]) -> tuple[Any, ...]:
    level, users, verbs = item[0]
    return -LEVELS.index(level), users, verbs


def _hidden(sights: Sequence[Sight]) -> Mapping[tuple[str, tuple[str, ...], str, str], set[str]]:
    """The verbs of each resource that are hidden, by the level that they need and the users."""
    needed: dict[tuple[tuple[str, ...], str, str, str], Level] = {}
    for sight in sights:
        users = tuple(sorted(exact(sight.rule.match.users) or ()))
        for gap in sight.gaps:
            for probe in gap.probes if gap.why != "stage omitted" else ():
                key = (users, probe.resource.group, _name(probe), probe.verb)
                needed[key] = max(needed.get(key, gap.needs), gap.needs, key=LEVELS.index)
    hidden: dict[tuple[str, tuple[str, ...], str, str], set[str]] = defaultdict(set)
    for (users, group, name, verb), level in needed.items():
        hidden[level, users, group, name].add(verb)
    return hidden


def _name(probe: Probe) -> str:
    return str(probe.resource)


def _leveled(rule: Rule, found: Sequence[Probe]) -> list[_Leveled]:
    programs = [rule.when] if rule.when else []
    return [(probe, level_of(probe.verb, programs)) for probe in found]


def _sight(rule: Rule, asked: Sequence[_Leveled], policy: Policy) -> Sight:
    found: dict[tuple[Why, int, bool, str, Level], list[Probe]] = defaultdict(list)
    seen = False
    for probe, needed in asked:
        request = Request(
            probe.verb,
            probe.resource,
            users=exact(rule.match.users),
            namespaces=exact(rule.match.namespaces),
        )
        for step in steps(policy, request):
            if not _concerns(rule, step):
                continue
            why = _why(policy, step, probe, needed)
            if why is None:
                seen = True
            else:
                found[why, step.number, step.surely, step.rule.level, needed].append(probe)
    gaps = tuple(Gap(*key, tuple(hidden)) for key, hidden in found.items())
    return Sight(rule, gaps, blind=bool(gaps) and not seen)


def _concerns(rule: Rule, step: Step) -> bool:
    """Whether one of those whom the policy's rule names may be whom the guardrail looks for."""
    users, namespaces = step.rule.users, step.rule.namespaces
    if users and not any(map(one_of(rule.match.users), users)):
        return False
    return not namespaces or any(map(one_of(rule.match.namespaces), namespaces))


def _why(policy: Policy, step: Step, probe: Probe, needed: Level) -> Why | None:
    level = step.rule.level
    if level == "None":
        return "not logged"
    if LEVELS.index(level) < LEVELS.index(needed):
        return "level too low"
    if probe.stages.isdisjoint(logged_stages(policy, step.rule)):
        return "stage omitted"
    return None
