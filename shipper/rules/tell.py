"""What happens once a rule has matched: its threshold counts, and the message is filled in.

Bounded: a message and each part of a threshold's key have an end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shipper.rules.bind import Binder
from shipper.rules.cel import Activation, CelError, Program
from shipper.rules.cel.paths import path_of
from shipper.rules.cel.tree import Call, Const, Tree
from shipper.rules.compile import Rule, Window
from shipper.rules.getters import GETTERS, Getter
from shipper.rules.message import MAX_MESSAGE, MAX_VALUE, UNKNOWN
from shipper.rules.report import Report
from shipper.rules.terms import Terms
from shipper.rules.threshold import Counter
from shipper.text import cut, harmless

MAX_KEY = 256
"""Characters of one part of a threshold's key."""


_MAX_SHOWN = 80
"""Characters of an expression in a message."""


class Teller:
    """Tells of one rule's matches; keeps what its threshold has counted."""

    def __init__(self, rule: Rule, binder: Binder) -> None:
        self._rule = rule
        self._binder = binder
        self._nothing = binder.nothing()
        self._parts = [part if isinstance(part, str) else _quick(part) for part in rule.message]
        self._asked = binder.plan(part for part in self._parts if isinstance(part, Program))
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
        message = cut("".join(self._filled_in(terms)), MAX_MESSAGE)
        report.match(self._rule, terms.event, line=line, message=message + counted)

    def _key(self, terms: Terms) -> tuple[str, ...]:
        return tuple([get(terms)[:MAX_KEY] for get in self._keys])

    def _filled_in(self, terms: Terms) -> list[str]:
        if self._asked.wanted or self._asked.params is not None:
            activation = self._binder.bound(self._asked, terms)
        else:
            activation = self._nothing
        return [
            part
            if isinstance(part, str)
            else _text(part, activation, UNKNOWN)
            if isinstance(part, Program)
            else harmless(part(terms), MAX_VALUE)
            for part in self._parts
        ]


def _getter(program: Program) -> Callable[[Terms], str] | None:
    """What gives a plain field, as nearly all parts of keys are."""
    path = path_of(program.tree, frozenset())
    getter = GETTERS.get(path) if path else None
    return getter.get if getter is not None and getter.kind is str else None


def _quick(program: Program) -> Program | Callable[[Terms], str]:
    """What gives a plain field, or a text where it is empty, without CEL; else the program."""
    match program.tree:
        case Call(
            function="_?_:_",
            args=(
                Call(function="_!=_", args=(asked, Const(value=none))),
                shown,
                Const(value=str(no)),
            ),
        ):
            yes, test = _shown(shown), _shown(asked)
            if yes and test and yes[0] == test[0] and none == yes[1].kind():
                get = yes[1].get
                return lambda terms: str(get(terms) or no)
        case tree:
            plain = _shown(tree)
            if plain is not None:
                get_plain = plain[1].get
                return lambda terms: str(get_plain(terms))
    return program


def _shown(tree: Tree) -> tuple[tuple[str, ...], Getter] | None:
    """The field whose text `tree` is, and its path."""
    if isinstance(tree, Call) and tree.function == "string" and len(tree.args) == 1:
        tree = tree.args[0]
    if isinstance(tree, Call) and tree.function == "orValue" and tree.target is not None:
        return _annotation(path_of(tree.target, frozenset()), tree.args)
    path = path_of(tree, frozenset())
    getter = GETTERS.get(path) if path else None
    return (path, getter) if path and getter and getter.kind in (str, int) else None


def _annotation(
    path: tuple[str, ...] | None, otherwise: Sequence[Tree]
) -> tuple[tuple[str, ...], Getter] | None:
    """`event.annotations[?"name"].orValue("")`."""
    is_one = path is not None and len(path) == 3 and path[:2] == ("event", "annotations")
    if not is_one or path is None or not isinstance(otherwise[0], Const) or otherwise[0].value:
        return None
    name = path[2]
    return path, Getter(lambda terms: terms.annotations.get(name, ""), str)


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
