"""Which requests a policy or a binding is meant for.

As k8s.io/apiserver decides it (admission/plugin/policy/matching). Versions are not converted: a
request in another version than the rules name is meant too, but can not be judged here.
"""

from __future__ import annotations

from collections.abc import Iterator

from shipper.rules.dialects.labels import choose_namespace, choose_object, is_namespace
from shipper.rules.dialects.meant import NO, YES, Meant, both
from shipper.rules.dialects.review import Review, Target
from shipper.rules.dialects.selectors import Choice, Selector
from shipper.rules.dialects.vap.spec import MatchResources, ResourceRule

_ANY_VERSION = "*"
_CONVERTED = "the rules name another version, to which the API server would convert the object"
_MAX_SEEN = 256

_MOVED = (
    ("deployments", ("apps", "extensions")),
    ("daemonsets", ("apps", "extensions")),
    ("replicasets", ("apps", "extensions")),
    ("ingresses", ("networking.k8s.io", "extensions")),
    ("networkpolicies", ("networking.k8s.io", "extensions")),
    ("events", ("", "events.k8s.io")),
)
_OTHER_GROUPS = {
    (group, resource): tuple(other for other in groups if other != group)
    for resource, groups in _MOVED
    for group in groups
}
"""Resources that are the same objects in another API group."""


class Constraints:
    """MatchResources, ready to be asked. Raises SelectorError."""

    def __init__(self, written: MatchResources) -> None:
        self._written = written
        self._by_name = any(
            rule.resource_names
            for rule in (*written.resource_rules, *written.exclude_resource_rules)
        )
        self._seen: dict[tuple[Target, bool, str], Meant] = {}
        self._namespace_selector = Selector(written.namespace_selector)
        self._object_selector = Selector(written.object_selector)

    def may_concern(self, target: Target) -> bool:
        """Whether any review with this target can be meant, or be one of those excluded."""
        rules = self._written.resource_rules
        targets = (target, *self._equivalents(target))
        return not rules or any(_covers(rule, one) for rule in rules for one in targets)

    def meant(self, review: Review) -> Meant:
        """Whether the review is meant."""
        found = self._by_rules(review)
        if found.choice == "no":
            return NO
        if self._namespace_selector:
            found = both(found, self._namespace(review))
        if self._object_selector:
            found = both(found, self._object(review))
        return found

    def _by_rules(self, review: Review) -> Meant:
        """What the rules say, remembered for all that they look at."""
        name = review.name if self._by_name else ""
        seen = (review.target, bool(review.namespace), name)
        found = self._seen.get(seen)
        if found is None:
            if len(self._seen) >= _MAX_SEEN:
                self._seen.clear()
            found = self._resource(review)
            found = self._seen[seen] = both(found, self._excluded(review))
        return found

    def _resource(self, review: Review) -> Meant:
        rules = self._written.resource_rules
        if not rules or any(_matches(rule, review, review.target) for rule in rules):
            return YES
        for other in self._equivalents(review.target):
            if any(_matches(rule, review, other) for rule in rules):
                return Meant("unknown", _CONVERTED, blind=True)
        return NO

    def _excluded(self, review: Review) -> Meant:
        targets = (review.target, *self._equivalents(review.target))
        rules = self._written.exclude_resource_rules
        if any(_matches(rule, review, target) for rule in rules for target in targets):
            return Meant("excluded", "excludeResourceRules")
        return YES

    def _namespace(self, review: Review) -> Meant:
        choice = choose_namespace(self._namespace_selector, review)
        return _chosen(choice, "namespaceSelector", "the namespace's labels")

    def _object(self, review: Review) -> Meant:
        choice = choose_object(self._object_selector, review)
        return _chosen(choice, "objectSelector", "the labels that the object had")

    def _equivalents(self, target: Target) -> Iterator[Target]:
        """The same resource in other versions and groups; `*` stands for a version."""
        if self._written.match_policy == "Exact":
            return
        for group in (target.group, *_OTHER_GROUPS.get((target.group, target.resource), ())):
            yield target._replace(group=group, version=_ANY_VERSION)


def _chosen(choice: Choice, what: str, needs: str) -> Meant:
    if choice == "yes":
        return YES
    return Meant(choice, f"{what} needs {needs}" if choice == "unknown" else what)


def _matches(rule: ResourceRule, review: Review, target: Target) -> bool:
    if not _covers(rule, target):
        return False
    if rule.resource_names and review.name not in rule.resource_names:
        return False
    cluster_wide = is_namespace(review) or not review.namespace
    return rule.scope == "*" or (rule.scope == "Cluster") == cluster_wide


def _covers(rule: ResourceRule, target: Target) -> bool:
    """Whether the rule names this operation and resource, whatever the object's name."""
    return (
        ("*" in rule.operations or target.operation in rule.operations)
        and ("*" in rule.api_groups or target.group in rule.api_groups)
        and (
            target.version == _ANY_VERSION
            or "*" in rule.api_versions
            or target.version in rule.api_versions
        )
        and any(_names(pattern, target) for pattern in rule.resources)
    )


def _names(pattern: str, target: Target) -> bool:
    resource, _, subresource = pattern.partition("/")
    return resource in ("*", target.resource) and subresource in ("*", target.subresource)
