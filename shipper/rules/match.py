"""Match blocks as closures: wildcards and negation, over the few fields that identify a request.

Pure text comparison in time linear in the text; no regular expressions, no CEL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from shipper.rules.event import Event, user_of
from shipper.rules.rule import Match

Predicate = Callable[[str], bool]
Quantifier = Callable[[Iterable[bool]], bool]

Identity = tuple[str, tuple[str, ...]]
"""A user's name and groups."""

ANSWERED = "Answered"
"""The stage, whichever it is, in which a request's answer is first known: once for each request."""

_LONG_VERBS = frozenset(("watch", "proxy"))
_LONG_SUBRESOURCES = frozenset(("attach", "exec", "log", "portforward", "proxy"))
"""What the API server takes for long-running (its BasicLongRunningRequestCheck): answered at
ResponseStarted, where everything else is at ResponseComplete."""


class Key(NamedTuple):
    """What a match block looks at. Two events with the same key match the same blocks.

    `resource` is None for a request that names no object (`/healthz`). `rejected`: nobody was
    authenticated (401). `identities`: the authenticated user and, where there is one, the
    impersonated.
    """

    stage: str
    rejected: bool
    verb: str
    api_group: str
    resource: str | None
    subresource: str
    namespace: str
    identities: tuple[Identity, ...]

    @property
    def answered(self) -> bool:
        """Whether this event is the first of its request that has the answer.

        A 401 is one ResponseStarted event and nothing after it.
        """
        long_running = self.verb in _LONG_VERBS or self.subresource in _LONG_SUBRESOURCES
        if self.stage == "ResponseStarted":
            return long_running or self.rejected
        return self.stage == "ResponseComplete" and not long_running


def key_of(event: Event) -> Key:
    """What match blocks look at."""
    ref, status = event.objectRef, event.responseStatus
    identities = [(event.user.username, event.user.groups)]
    if event.impersonatedUser:
        acting = user_of(event.impersonatedUser)
        identities.append((acting.username, acting.groups))
    return Key(
        stage=event.stage,
        rejected=status is not None and status.code == 401,
        verb=event.verb,
        api_group=ref.apiGroup if ref else "",
        resource=ref.resource if ref else None,
        subresource=ref.subresource if ref else "",
        namespace=ref.namespace if ref else "",
        identities=tuple(identities),
    )


KeyPredicate = Callable[[Key], bool]


def stages_of(written: Sequence[str]) -> frozenset[str]:
    """The stages in which events may pass a rule's block that names `written`."""
    stages = frozenset(written or (ANSWERED,))
    answered = frozenset(("ResponseStarted", "ResponseComplete"))
    return stages - {ANSWERED} | (answered if ANSWERED in stages else frozenset())


def compile_match(match: Match) -> KeyPredicate:
    """A rule's block. Impersonation can not hide anybody: who asks and as whom are both judged.

    A positive pattern holds if it fits either of them, a negated one excludes only if it fits both.
    """
    return _compile(match, match.stages or (ANSWERED,), some=any, every=all)


def compile_exemption(match: Match) -> KeyPredicate:
    """An exception's block: any stage, and nobody borrows it by impersonating.

    A positive pattern must fit all identities, a negated one spoils it if it fits any.
    """
    return _compile(match, match.stages, some=all, every=any)


def _compile(
    match: Match, stages: Sequence[str], *, some: Quantifier, every: Quantifier
) -> KeyPredicate:
    tests: list[KeyPredicate] = []
    if stages:
        allowed = frozenset(stages)
        tests.append(lambda key: key.stage in allowed or (ANSWERED in allowed and key.answered))
    if match.verbs:
        verb = one_of(match.verbs)
        tests.append(lambda key: verb(key.verb))
    if match.resources:
        resource = _resource(match.resources)
        tests.append(lambda key: key.resource is not None and resource(key))
    if match.api_groups:
        api_group = one_of(match.api_groups)
        tests.append(lambda key: key.resource is not None and api_group(key.api_group))
    if match.namespaces:
        namespace = one_of(match.namespaces)
        tests.append(lambda key: namespace(key.namespace))
    if match.users:
        tests.append(_identities(match.users, _user, some=some, every=every))
    if match.groups:
        tests.append(_identities(match.groups, _any_group, some=some, every=every))
    return _all(tests)


def _identities(
    patterns: Sequence[str],
    fits: Callable[[Predicate, Identity], bool],
    *,
    some: Quantifier,
    every: Quantifier,
) -> KeyPredicate:
    wanted, unwanted = split(patterns)

    def test(key: Key) -> bool:
        if wanted is not None and not some(fits(wanted, who) for who in key.identities):
            return False
        return unwanted is None or not every(fits(unwanted, who) for who in key.identities)

    return test


def _user(predicate: Predicate, who: Identity) -> bool:
    return predicate(who[0])


def _any_group(predicate: Predicate, who: Identity) -> bool:
    return any(map(predicate, who[1]))


def exact(patterns: Sequence[str]) -> frozenset[str] | None:
    """The only texts that can pass `patterns`; None if there is no such list."""
    positive = [pattern for pattern in patterns if not pattern.startswith("!")]
    if not positive or any("*" in pattern for pattern in positive):
        return None
    return frozenset(positive)


def one_of(patterns: Sequence[str]) -> Predicate:
    """Any pattern without `!`, if there is one, and none of those with it."""
    wanted, unwanted = split(patterns)
    if wanted is None:
        return (lambda text: not unwanted(text)) if unwanted else (lambda _text: True)
    if unwanted is None:
        return wanted
    return lambda text: wanted(text) and not unwanted(text)


def split(patterns: Sequence[str]) -> tuple[Predicate | None, Predicate | None]:
    """Whether a text is wanted, and whether it is unwanted; None where no pattern says so."""
    return (
        _any([pattern for pattern in patterns if not pattern.startswith("!")]),
        _any([pattern[1:] for pattern in patterns if pattern.startswith("!")]),
    )


def glob(pattern: str) -> Predicate:
    """`*` stands for any text, also none. Time is linear in the text, whatever the pattern."""
    if "*" not in pattern:
        return lambda text: text == pattern
    first, *middle, last = pattern.split("*")
    if not any(middle):
        if not last:
            return lambda text: text.startswith(first)
        least = len(first) + len(last)
        return lambda text: len(text) >= least and text.startswith(first) and text.endswith(last)
    return lambda text: _in_order(text, first, middle, last)


def _in_order(text: str, first: str, middle: Sequence[str], last: str) -> bool:
    if not text.startswith(first):
        return False
    at = len(first)
    for part in middle:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(text) - at >= len(last) and text.endswith(last)


def _any(patterns: Sequence[str]) -> Predicate | None:
    """Whether one of `patterns` fits; None without patterns."""
    texts = frozenset(pattern for pattern in patterns if "*" not in pattern)
    globs = [glob(pattern) for pattern in patterns if "*" in pattern]
    if not globs:
        return texts.__contains__ if texts else None
    if len(globs) == 1 and not texts:
        return globs[0]
    return lambda text: text in texts or any(fits(text) for fits in globs)


def _resource(patterns: Sequence[str]) -> KeyPredicate:
    """Patterns of `resource` or `resource/subresource`; a lone `*` is both."""
    wanted = [_one_resource(p) for p in patterns if not p.startswith("!")]
    unwanted = [_one_resource(p[1:]) for p in patterns if p.startswith("!")]
    if not wanted:
        return lambda key: not any(fits(key) for fits in unwanted)
    return lambda key: any(fits(key) for fits in wanted) and not any(fits(key) for fits in unwanted)


def _one_resource(pattern: str) -> KeyPredicate:
    if pattern == "*":
        return lambda _key: True
    resource, slash, subresource = pattern.partition("/")
    fits = glob(resource)
    if not slash:
        return lambda key: not key.subresource and fits(key.resource or "")
    below = glob(subresource)
    return lambda key: bool(key.subresource) and below(key.subresource) and fits(key.resource or "")


def _all(tests: Sequence[KeyPredicate]) -> KeyPredicate:
    if len(tests) == 1:
        return tests[0]
    return lambda key: all(test(key) for test in tests)
