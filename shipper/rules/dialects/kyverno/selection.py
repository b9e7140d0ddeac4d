"""Match and exclude blocks: which objects, operations and users a rule speaks of.

Source: kyverno pkg/engine/utils/match.go. What is not known of a review (roles, the labels of a
Namespace) is UndecidedError, unless the rest of the block decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from shipper.rules.dialects.kyverno.errors import UndecidedError
from shipper.rules.dialects.kyverno.kinds import KindSelector, may_select, parsed, selects
from shipper.rules.dialects.kyverno.kleene import all_of, any_of
from shipper.rules.dialects.kyverno.meter import paired
from shipper.rules.dialects.kyverno.shape import mapping, maps, refuse_unknown, texts
from shipper.rules.dialects.kyverno.subject import Subject
from shipper.rules.dialects.kyverno.wildcards import has_wildcard, matches, matches_any
from shipper.rules.dialects.labels import namespace_labels
from shipper.rules.dialects.review import Identity, Target
from shipper.rules.dialects.selectors import SelectorError
from shipper.rules.dialects.selectors import selects as label_selects

Test = Callable[[Subject], bool]

_FIELDS = frozenset(("resources", "roles", "clusterRoles", "subjects"))
_RESOURCE_FIELDS = frozenset(
    (
        "annotations", "kinds", "name", "names", "namespaceSelector", "namespaces", "operations",
        "selector",
    )
)  # fmt: skip
_SELECTOR_FIELDS = frozenset(("matchLabels", "matchExpressions"))
NEEDS_ROLES = "the roles of the user need the cluster"


class Block:
    """One filter: its resources, and the users who ask. Raises ValueError."""

    def __init__(self, block: Mapping[str, Any]) -> None:
        refuse_unknown(block, _FIELDS, "a filter")
        resources = mapping(block, "resources") or {}
        refuse_unknown(resources, _RESOURCE_FIELDS, "resources")
        self.kinds: Sequence[KindSelector] = [parsed(kind) for kind in texts(resources, "kinds")]
        self.operations = frozenset(texts(resources, "operations"))
        self._tests = list(_resource_tests(resources, self.kinds))
        self._user_tests = list(_user_tests(block))
        self.needs_roles = bool(block.get("roles") or block.get("clusterRoles"))
        self._of_resources = bool(self._tests or self.operations)
        self._by_kind_alone = len(self._tests) == 1 and bool(self.kinds)

    def selects(self, subject: Subject, *, user: bool) -> bool:
        """Whether it does; one that says nothing selects nothing.

        `user`: who asks counts. Raises UndecidedError.
        """
        if self.operations and subject.target.operation not in self.operations:
            return False
        tests = [*self._tests, *(self._user_tests if user else ())]
        if not tests and not self._of_resources:
            return False
        return all_of(partial(test, subject) for test in tests)

    def may_select(self, target: Target) -> bool:
        """Whether it may, as far as the target says."""
        if self.operations and target.operation not in self.operations:
            return False
        return not self.kinds or any(may_select(kind, target) for kind in self.kinds)

    def surely_selects(self, target: Target, *, user: bool) -> bool:
        """Whether it selects whatever object has this target."""
        decided = self._by_kind_alone and bool(target.kind) and not target.subresource
        return decided and not (user and self._user_tests) and self.may_select(target)


class Filter:
    """A match or exclude block: any or all of its filters, or the one that it is itself."""

    def __init__(self, block: Mapping[str, Any]) -> None:
        some, every = maps(block, "any"), maps(block, "all")
        self._all = not some and bool(every)
        itself = {key: value for key, value in block.items() if key not in ("any", "all")}
        self.blocks = [Block(one) for one in (some or every or [itself])]

    def selects(self, subject: Subject, *, user: bool) -> bool:
        """Whether it selects. Raises UndecidedError."""
        combine = all_of if self._all else any_of
        return combine(partial(one.selects, subject, user=user) for one in self.blocks)

    def may_select(self, target: Target) -> bool:
        """Whether it may, as far as the target says."""
        found = (block.may_select(target) for block in self.blocks)
        return all(found) if self._all else any(found)

    def surely_selects(self, target: Target, *, user: bool) -> bool:
        """Whether it selects whatever object has this target."""
        found = (block.surely_selects(target, user=user) for block in self.blocks)
        return all(found) if self._all else any(found)

    @property
    def needs_roles(self) -> bool:
        """Whether it asks for roles, which only the cluster knows."""
        return any(block.needs_roles for block in self.blocks)


def _resource_tests(resources: Mapping[str, Any], kinds: Sequence[KindSelector]) -> Iterator[Test]:
    if kinds:
        yield lambda subject: any(selects(one, subject.target, subject.kind) for one in kinds)
    name = str(resources.get("name") or "")
    if name:
        yield lambda subject: matches(name, subject.name)
    names = texts(resources, "names")
    if names:
        yield lambda subject: matches_any(names, subject.name)
    namespaces = texts(resources, "namespaces")
    if namespaces:
        yield lambda subject: matches_any(
            namespaces, subject.name if subject.is_namespace else subject.namespace
        )
    annotations = mapping(resources, "annotations")
    if annotations:
        yield lambda subject: _annotated(annotations, subject.texts("annotations"))
    selector = selector_of(resources, "selector")
    if selector is not None:
        yield lambda subject: selected(selector, subject.texts("labels"))
    namespace_selector = selector_of(resources, "namespaceSelector")
    if namespace_selector is not None:
        yield lambda subject: namespace_selected(namespace_selector, subject)


def selector_of(written: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """A label selector. Raises ValueError."""
    found = mapping(written, name)
    if found is not None:
        refuse_unknown(found, _SELECTOR_FIELDS, name)
        mapping(found, "matchLabels")
        maps(found, "matchExpressions")
    return found


def _annotated(wanted: Mapping[str, Any], there: Mapping[str, str]) -> bool:
    paired(wanted, there)
    return all(
        any(matches(key, name) and matches(str(value), found) for name, found in there.items())
        for key, value in wanted.items()
    )


def selected(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """As Kubernetes selects; matchLabels may have wildcards on both sides."""
    wanted = selector.get("matchLabels") or {}
    plain = dict(_expanded(wanted, labels))
    try:
        return label_selects({**selector, "matchLabels": plain}, labels)
    except SelectorError:
        return False


def _expanded(wanted: Mapping[str, Any], labels: Mapping[str, str]) -> Iterable[tuple[str, Any]]:
    paired(wanted, labels)
    for key, value in wanted.items():
        if not has_wildcard(key) and not has_wildcard(str(value)):
            yield key, value
            continue
        fits = (
            (name, found)
            for name, found in labels.items()
            if matches(key, name) and matches(str(value), found)
        )
        yield next(fits, (key, value))


def namespace_selected(selector: Mapping[str, Any], subject: Subject) -> bool:
    """Whether the object's Namespace is selected. Raises UndecidedError."""
    if subject.is_namespace:
        return False
    if not subject.namespace:
        return selected(selector, {})
    known = namespace_labels(subject.review)
    labels = {key: str(value) for key, value in known.labels.items()}
    if not known.complete and _asks_others(selector, labels):
        raise UndecidedError(f"the labels of the namespace {subject.namespace} are not known here")
    return selected(selector, labels)


def _asks_others(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether labels decide that are not among `labels`: what is wrong with those decides first."""
    wanted = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    known = {
        "matchLabels": {key: value for key, value in wanted.items() if key in labels},
        "matchExpressions": [one for one in expressions if one.get("key") in labels],
    }
    asks_all = (len(known["matchLabels"]), len(known["matchExpressions"])) == (
        len(wanted),
        len(expressions),
    )
    return not asks_all and selected(known, labels)


def _user_tests(block: Mapping[str, Any]) -> Iterator[Test]:
    if block.get("roles") or block.get("clusterRoles"):
        yield _roles
    subjects = maps(block, "subjects")
    if subjects:
        yield lambda subject: _asks(subjects, subject.review.identity)


def _roles(subject: Subject) -> bool:
    if subject.review.identity is None:
        return False
    raise UndecidedError(NEEDS_ROLES)


def _asks(subjects: Sequence[Mapping[str, Any]], who: Identity | None) -> bool:
    if who is None:
        return False
    paired(subjects, who.groups)
    return any(_is(one, who) for one in subjects)


def _is(subject: Mapping[str, Any], who: Identity) -> bool:
    name = str(subject.get("name", ""))
    match subject.get("kind"):
        case "ServiceAccount":
            account = f"system:serviceaccount:{subject.get('namespace', '')}:{name}"
            return matches(account, who.username)
        case "Group":
            return any(matches(name, group) for group in who.groups)
        case "User":
            return matches(name, who.username)
    return False
