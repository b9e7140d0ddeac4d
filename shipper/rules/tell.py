"""What happens once a rule has matched: its threshold counts, and the message is filled in.

Bounded: a message and each part of a threshold's key have an end.
"""

from __future__ import annotations

from collections.abc import Callable

from shipper.rules.bind import Binder
from shipper.rules.cel import Activation, CelError, Program
from shipper.rules.cel.paths import path_of
from shipper.rules.compile import Rule, Window
from shipper.rules.getters import GETTERS
from shipper.rules.message import MAX_MESSAGE, MAX_VALUE, UNKNOWN, cut, harmless
from shipper.rules.report import Report
from shipper.rules.terms import Terms
from shipper.rules.threshold import Counter

MAX_KEY = 256
"""Characters of one part of a threshold's key."""


_MAX_SHOWN = 80
"""Characters of an expression in a message."""


class Teller:
    """Tells of one rule's matches; keeps what its threshold has counted."""

    def __init__(self, rule: Rule, binder: Binder) -> None:
        self._rule = rule
        self._binder = binder
        self._message = binder.plan(p for p in rule.message if not isinstance(p, str))
        self._window = rule.window
        if rule.window is not None:
            getters = [_getter(program) for _, program in rule.window.by]
            self._is_cheap = rule.window.least == 1 and None not in getters
            self._keys = [
                getter or _asking(program, binder)
                for getter, (_, program) in zip(getters, rule.window.by, strict=True)
            ]
            self._counter = Counter(rule.window.least, rule.window.seconds)

    def is_quiet(self, terms: Terms) -> bool:
        """Whether a match would not be told, as far as that is cheap to say."""
        if self._window is None or not self._is_cheap:
            return False
        return self._counter.is_quiet(self._key(terms), terms.event.stageTimestamp.timestamp())

    def tell(self, terms: Terms, *, line: int, report: Report) -> None:
        """The rule matches the event in line `line`; counts only if it has a threshold."""
        counted = ""
        if self._window is not None:
            key = self._key(terms)
            if not self._counter.add(key, terms.event.stageTimestamp.timestamp()):
                return
            counted = _counted(self._window, key)
        message = cut("".join(self._parts(terms)), MAX_MESSAGE)
        report.match(self._rule, terms.event, line=line, message=message + counted)

    def _key(self, terms: Terms) -> tuple[str, ...]:
        return tuple([get(terms)[:MAX_KEY] for get in self._keys])

    def _parts(self, terms: Terms) -> list[str]:
        activation = self._binder.bound(self._message, terms)
        return [
            part if isinstance(part, str) else _text(part, activation, UNKNOWN)
            for part in self._rule.message
        ]


def _getter(program: Program) -> Callable[[Terms], str] | None:
    """What gives a plain field, as nearly all parts of keys are."""
    path = path_of(program.tree, frozenset())
    getter = GETTERS.get(path) if path else None
    return getter.get if getter is not None and getter.kind is str else None


def _asking(program: Program, binder: Binder) -> Callable[[Terms], str]:
    """What gives any other part; one that the event can not give is empty."""
    plan = binder.plan([program])
    return lambda terms: _text(program, binder.bound(plan, terms), "")


def _text(program: Program, activation: Activation, unknown: str) -> str:
    value = program.evaluate(activation)
    return unknown if isinstance(value, CelError) else harmless(str(value), MAX_VALUE)


def _counted(window: Window, key: tuple[str, ...]) -> str:
    pairs = [
        f"{harmless(text, _MAX_SHOWN)}={harmless(value, MAX_KEY)}"
        for (text, _), value in zip(window.by, key, strict=True)
    ]
    by = f" by {', '.join(pairs)}" if pairs else ""
    if window.least == 1:
        return f" (told once within {window.within}{by})"
    return f" ({window.least} or more within {window.within}{by})"
