"""From a rule as it is written to a rule that can be asked; finds every mistake a load can find.

Compiles CEL, checks that the fields of `event`, `request` and `params` exist, reads the moments and
durations. Evaluates nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import msgspec

from shipper.config import parse_duration
from shipper.errors import ConfigError
from shipper.model import Severity
from shipper.rules import message, needs
from shipper.rules.cel import CompileError, Environment, Program
from shipper.rules.dialects import texts
from shipper.rules.document import Document, Path, Problem
from shipper.rules.fields import NAMES
from shipper.rules.levels import Level
from shipper.rules.match import KeyPredicate, compile_exemption, compile_match
from shipper.rules.raw import Raw
from shipper.rules.rule import AuditRule, Exemption, Match, Mode, Overriding, RuleSpec, Threshold

MAX_WINDOW_SECONDS = 7 * 86400.0

REQUEST_FIELDS: Mapping[str, tuple[str, ...] | None] = {
    "operation": (),
    "kind": ("group", "version", "kind"),
    "resource": ("group", "version", "resource"),
    "subResource": (),
    "name": (),
    "namespace": (),
    "userInfo": ("username", "groups", "uid", "extra"),
    "dryRun": (),
}
"""The fields of `request`, with the fields below each."""

_FIELDS: Mapping[str, Mapping[str, tuple[str, ...] | None]] = {
    "event": {**NAMES, "requestObject": None, "responseObject": None},
    "request": REQUEST_FIELDS,
}


class Exempted(NamedTuple):
    """An exemption that can be asked: `match` on the key, `when` on the event, until a moment."""

    reason: str
    match: KeyPredicate | None
    when: Program | None
    until: datetime | None


class Window(NamedTuple):
    """A threshold that can be counted."""

    least: int
    seconds: float
    within: str
    by: tuple[tuple[str, Program], ...]


class Rule(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A rule that can be asked; `severity`, `mode`, `exceptions` as the config overrides them."""

    name: str
    title: str
    description: str
    severity: Severity
    mode: Mode
    attack: tuple[str, ...]
    false_positives: tuple[str, ...]
    match: Match
    file: str
    line: int
    language: str
    """The detection language that it was translated from; empty: our own."""
    needs_level: Level
    matches: KeyPredicate
    raw: Raw | None
    when: Program | None
    message: tuple[str | Program, ...]
    exceptions: tuple[Exempted, ...]
    window: Window | None
    written: AuditRule
    """With the overrides."""

    @property
    def programs(self) -> list[Program]:
        """All that must be asked before the rule has a verdict."""
        programs = [self.when, *(exempted.when for exempted in self.exceptions)]
        return [program for program in programs if program is not None]


class Compiler:
    """Compiles rules against the parameters that exist; collects what is wrong with them."""

    def __init__(self, environment: Environment, params: Mapping[str, Any]) -> None:
        self._environment = environment
        self._params = params
        self._programs: dict[tuple[str, str], Program] = {}
        self.problems: list[Problem] = []

    def rule(
        self,
        document: Document,
        written: AuditRule,
        override: Overriding | None = None,
        *,
        language: str = "",
    ) -> Rule | None:
        """The rule in `document`, as the configuration overrides it; or None and problems."""
        before = len(self.problems)
        spec = written.spec
        when = self._cel(document, ("spec", "when"), spec.when) if spec.when else None
        raw = self._raw(document, spec.match.raw) if spec.match.raw else None
        template = self._message(document, spec)
        exceptions = [
            self._exception(document, ("spec", "exceptions", number), exemption)
            for number, exemption in enumerate(spec.exceptions)
        ]
        if override is not None:
            config = Document(f"rules.overrides.{written.metadata.name}", 0, None, {})
            exceptions += [
                self._exception(config, ("exceptions", number), exemption)
                for number, exemption in enumerate(override.exceptions)
            ]
            spec = _overridden(spec, override)
        window = self._window(document, spec.threshold) if spec.threshold else None
        self._check_tests(document, spec)
        if len(self.problems) > before:
            return None
        return Rule(
            name=written.metadata.name,
            title=spec.title,
            description=spec.description,
            severity=spec.severity,
            mode=spec.mode,
            attack=spec.attack,
            false_positives=spec.false_positives,
            match=spec.match,
            file=document.file,
            line=document.line,
            language=language,
            needs_level=needs.level(spec.match, [when] if when else []),
            matches=compile_match(spec.match),
            raw=raw,
            when=when,
            message=template,
            exceptions=tuple(exceptions),
            window=window,
            written=msgspec.structs.replace(written, spec=spec),
        )

    def check(self, document: Document) -> None:
        """Look for mistakes in the expressions of a rule that has others."""
        spec = document.value.get("spec")
        when = spec.get("when") if isinstance(spec, dict) else None
        if isinstance(when, str):
            self._cel(document, ("spec", "when"), when)

    def _cel(
        self,
        document: Document,
        path: Path,
        text: str,
        *,
        expect: Literal["bool", "string"] = "bool",
        row: int = 1,
    ) -> Program | None:
        program = self._programs.get((text, expect))  # messages name the same fields
        try:
            if program is None:
                program = self._environment.compile(text, expect=expect)
                self._programs[text, expect] = program
        except CompileError as error:
            reason = f"CEL, column {error.column}: {error.reason}"
            self.problems.append(document.problem(path, reason, row=row + error.line - 1))
            return None
        for reason in unknown_fields(program.paths, self._params):
            self.problems.append(document.problem(path, reason, row=row))
        return program

    def _raw(self, document: Document, pattern: str) -> Raw | None:
        try:
            return Raw(pattern)
        except ValueError as error:
            self.problems.append(document.problem(("spec", "match", "raw"), str(error)))
            return None

    def _message(self, document: Document, spec: RuleSpec) -> tuple[str | Program, ...]:
        found: list[str | Program] = []
        for part in message.split(spec.message or spec.title):
            if not part.expression:
                found.append(part.text)
                continue
            path = ("spec", "message")
            program = self._cel(document, path, part.text, expect="string", row=part.row)
            if program is not None:
                found.append(program)
        return tuple(found)

    def _exception(self, document: Document, path: Path, written: Exemption) -> Exempted:
        if written.match is None and written.when is None:
            self.problems.append(document.problem(path, "give match or when, or both"))
        until = None
        if written.until is not None:
            until = parse_until(written.until)
            if until is None:
                reason = f"{written.until!r} is no moment; write 2027-01-31 or 2027-01-31T12:00:00Z"
                self.problems.append(document.problem((*path, "until"), reason))
        return Exempted(
            reason=written.reason,
            match=compile_exemption(written.match) if written.match else None,
            when=self._cel(document, (*path, "when"), written.when) if written.when else None,
            until=until,
        )

    def _window(self, document: Document, written: Threshold) -> Window:
        path: Path = ("spec", "threshold")
        seconds = 0.0
        try:
            seconds = float(parse_duration(written.within))
            if not 0 < seconds <= MAX_WINDOW_SECONDS:
                self.problems.append(document.problem((*path, "within"), "give at most 7d"))
        except ConfigError as error:
            self.problems.append(document.problem((*path, "within"), str(error)))
        by = [
            (text, self._cel(document, (*path, "by", number), text, expect="string"))
            for number, text in enumerate(written.by)
        ]
        programs = tuple((text, program) for text, program in by if program is not None)
        return Window(written.count, seconds, written.within, programs)

    def _check_tests(self, document: Document, spec: RuleSpec) -> None:
        for number, test in enumerate(spec.tests):
            path: Path = ("spec", "tests", number)
            if (test.event is None) == (test.events is None):
                self.problems.append(document.problem(path, "give event or events, one of them"))
            for reason in wrong_params(test.params, self._params):
                self.problems.append(document.problem((*path, "params"), reason))


def _overridden(spec: RuleSpec, override: Overriding) -> RuleSpec:
    return msgspec.structs.replace(
        spec,
        severity=override.severity or spec.severity,
        mode=override.mode or spec.mode,
        exceptions=(*spec.exceptions, *override.exceptions),
    )


def unknown_fields(paths: Iterable[Sequence[str]], params: Mapping[str, Any]) -> list[str]:
    """What is wrong with the fields that an expression names."""
    known = {**_FIELDS, "params": dict.fromkeys(params)}
    return [
        reason
        for path in sorted(map(tuple, paths))
        if path[0] in known or path[0] in texts.ROOTS
        for reason in (
            _unknown_field(path, known[path[0]]) if path[0] in known else _unknown_text(path)
        )
    ]


def _unknown_text(path: Sequence[str]) -> list[str]:
    root, *steps = path
    if len(steps) != 1:
        return [f'name one field of {root}: {root}["…"]']
    reason = texts.mistake(root, steps[0])
    return [reason] if reason else []


def _unknown_field(path: Sequence[str], known: Mapping[str, tuple[str, ...] | None]) -> list[str]:
    root, *steps = path
    if not steps:
        return []
    if steps[0] not in known:
        return [_there_is_no(root, steps[0], known)]
    below = known[steps[0]]
    if below is None or len(steps) == 1 or steps[1] in below:
        return []
    return [_there_is_no(f"{root}.{steps[0]}", steps[1], below)]


def _there_is_no(before: str, name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"there is no {before}.{name}" + (f"; did you mean {before}.{near[0]}?" if near else "")


def wrong_params(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    """What is wrong with parameters that are set: each must be known, and of its default's type."""
    found = []
    for name, value in given.items():
        if name not in defaults:
            near = difflib.get_close_matches(name, defaults, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            found.append(f"there is no parameter {name}{hint}")
        elif not same_type(value, defaults[name]):
            found.append(f"{name}: expected {_type(defaults[name])}, got {_type(value)}")
    return found


def same_type(value: Any, default: Any) -> bool:
    """Whether `value` may stand for `default`; a list's items must be like the default's."""
    if isinstance(default, bool) or isinstance(value, bool) or default is None:
        return type(value) is type(default)
    if isinstance(default, float):
        return isinstance(value, int | float)
    if isinstance(default, list) and isinstance(value, list):
        return all(same_type(item, default[0]) for item in value) if default else True
    return type(value) is type(default)


def _type(value: Any) -> str:
    names = {dict: "a mapping", str: "a text", bool: "true or false", int: "a number"}
    if isinstance(value, list):
        return f"a list of {_type(value[0])}" if value else "a list"
    return names.get(type(value), "a number" if isinstance(value, float) else "nothing")


def parse_until(text: str) -> datetime | None:
    """The moment from which an exception no longer holds. A date is its whole day, in UTC."""
    try:
        moment = datetime.fromisoformat(text)
        if len(text) == len("2027-01-31"):
            return moment.replace(tzinfo=UTC) + timedelta(days=1)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):  # 9999-12-31 is no way to say "for ever"
        return None
