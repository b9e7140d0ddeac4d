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
from shipper.rules.dialects.kyverno.subject import Subject
from shipper.rules.dialects.kyverno.wildcards import has_wildcard, matches, matches_any
from shipper.rules.dialects.labels import namespace_labels
from shipper.rules.dialects.review import Identity, Target
from shipper.rules.dialects.selectors import SelectorError
from shipper.rules.dialects.selectors import selects as label_selects

Test = Callable[[Subject], bool]

_USER = ("roles", "clusterRoles", "subjects")
NEEDS_ROLES = "the roles of the user need the cluster"


class Block:
    """One filter: its resources, and the users who ask."""

    def __init__(self, block: Mapping[str, Any]) -> None:
        resources = block.get("resources") or {}
        self.resources: Mapping[str, Any] = resources
        self.kinds: Sequence[KindSelector] = [parsed(kind) for kind in texts(resources, "kinds")]
        self.operations = frozenset(texts(resources, "operations"))
        self._tests = list(_resource_tests(resources, self.kinds))
        self._user_tests = list(_user_tests(block))
        self.needs_roles = bool(block.get("roles") or block.get("clusterRoles"))
        self._of_resources = bool(self._tests or self.operations)

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


class Filter:
    """A match or exclude block: any or all of its filters, or the one that it is itself."""

    def __init__(self, block: Mapping[str, Any]) -> None:
        self._all = not block.get("any") and bool(block.get("all"))
        listed = block.get("any") or block.get("all")
        self.blocks = [Block(one) for one in (listed or [block])]

    def selects(self, subject: Subject, *, user: bool) -> bool:
        """Whether it selects. Raises UndecidedError."""
        combine = all_of if self._all else any_of
        return combine(partial(one.selects, subject, user=user) for one in self.blocks)

    def may_select(self, target: Target) -> bool:
        """Whether it may, as far as the target says."""
        found = (block.may_select(target) for block in self.blocks)
        return all(found) if self._all else any(found)

    @property
    def needs_roles(self) -> bool:
        """Whether it asks for roles, which only the cluster knows."""
        return any(block.needs_roles for block in self.blocks)


def texts(block: Mapping[str, Any], name: str) -> list[str]:
    """The texts in a list; none where there is no list."""
    found = block.get(name)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def _resource_tests(resources: Mapping[str, Any], kinds: Sequence[KindSelector]) -> Iterator[Test]:
    if kinds:
        yield lambda subject: any(selects(one, subject.target, subject.kind) for one in kinds)
    name = resources.get("name")
    if isinstance(name, str) and name:
        yield lambda subject: matches(name, subject.name)
    names = texts(resources, "names")
    if names:
        yield lambda subject: matches_any(names, subject.name)
    namespaces = texts(resources, "namespaces")
    if namespaces:
        yield lambda subject: matches_any(
            namespaces, subject.name if subject.is_namespace else subject.namespace
        )
    annotations = resources.get("annotations")
    if annotations:
        yield lambda subject: _annotated(annotations, subject.texts("annotations"))
    selector = resources.get("selector")
    if selector is not None:
        yield lambda subject: selected(selector, subject.texts("labels"))
    namespace_selector = resources.get("namespaceSelector")
    if namespace_selector is not None:
        yield lambda subject: namespace_selected(namespace_selector, subject)


def _annotated(wanted: Mapping[str, Any], there: Mapping[str, str]) -> bool:
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
    asked = {*(selector.get("matchLabels") or {})}
    asked |= {
        one.get("key") for one in selector.get("matchExpressions") or () if isinstance(one, Mapping)
    }
    if not known.complete and not asked <= set(known.labels):
        raise UndecidedError(f"the labels of the namespace {subject.namespace} are not known here")
    return selected(selector, {key: str(value) for key, value in known.labels.items()})


def _user_tests(block: Mapping[str, Any]) -> Iterator[Test]:
    if block.get("roles") or block.get("clusterRoles"):
        yield _roles
    subjects = block.get("subjects")
    if subjects:
        yield lambda subject: _asks(subjects, subject.review.identity)


def _roles(subject: Subject) -> bool:
    if subject.review.identity is None:
        return False
    raise UndecidedError(NEEDS_ROLES)


def _asks(subjects: Sequence[Mapping[str, Any]], who: Identity | None) -> bool:
    return who is not None and any(_is(one, who) for one in subjects)


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
