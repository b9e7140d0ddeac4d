"""Which rules an event may concern, at a cost that does not grow with the number of rules.

Each rule stands under the most telling texts that its match block, or a necessary condition of its
expression, demands. Finds too many rather than too few; the match block has the last word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shipper.rules.compile import Rule
from shipper.rules.match import Key, exact

Bucket = tuple[str, ...]

_MAX_PAIRS = 1000
"""Pairs of a verb and a resource under which one rule stands."""

_NECESSARY = {
    "verb": ("event", "verb"),
    "resource": ("event", "objectRef", "resource"),
    "namespace": ("event", "objectRef", "namespace"),
    "user": ("event", "user", "username"),
}


class Index:
    """The rules of a set by what they match."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._buckets: dict[Bucket, list[Rule]] = {}
        for rule in rules:
            for bucket in _buckets(rule):
                self._buckets.setdefault(bucket, []).append(rule)

    def search(self, key: Key) -> tuple[Rule, ...]:
        """The rules whose match block `key` passes, in the order of their names."""
        found = {
            rule.name: rule
            for bucket in _probes(key)
            for rule in self._buckets.get(bucket, ())
            if rule.matches(key)
        }
        return tuple(found[name] for name in sorted(found))


def _buckets(rule: Rule) -> Sequence[Bucket]:
    """Where the rule stands: one of these is probed for each event that it may concern."""
    demanded = _demanded(rule)
    verbs, resources = demanded.get("verb"), demanded.get("resource")
    if verbs is not None and resources is not None and len(verbs) * len(resources) <= _MAX_PAIRS:
        return [("verb, resource", verb, resource) for verb in verbs for resource in resources]
    for dimension in ("resource", "user", "namespace", "verb"):
        if dimension in demanded:
            return [(dimension, text) for text in demanded[dimension]]
    return [("any",)]


def _probes(key: Key) -> list[Bucket]:
    resource = key.resource or ""
    return [
        ("verb, resource", key.verb, resource),
        ("resource", resource),
        *(("user", user) for user, _groups in key.identities),
        ("namespace", key.namespace),
        ("verb", key.verb),
        ("any",),
    ]


def _demanded(rule: Rule) -> dict[str, frozenset[str]]:
    """The only texts with which the rule can match, where there is such a list."""
    match = rule.match
    lists = {
        "verb": exact(match.verbs),
        "resource": exact([pattern.partition("/")[0] for pattern in match.resources]),
        "namespace": exact(match.namespaces),
        "user": exact(match.users),
    }
    demanded = {dimension: texts for dimension, texts in lists.items() if texts is not None}
    necessary = rule.when.necessary() if rule.when else {}
    if () in necessary:  # the expression is never true
        return {"verb": frozenset()}
    for dimension, path in _NECESSARY.items():
        if path in necessary:
            texts = demanded.get(dimension, necessary[path])
            demanded[dimension] = texts & necessary[path]
    return demanded
