"""What of an object to change so that a policy lets it pass, drawn as a diff.

Texts of the object and of the policy are made harmless; what is long is cut, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
import yaml

from shipper.backtest.offence import offending
from shipper.rules.dialects.policies import asked
from shipper.rules.dialects.policy import Path, Policy, Verdict
from shipper.rules.dialects.review import Review
from shipper.text import harmless

MAX_PLACES = 5
"""Places in one object that are drawn."""

MAX_LINES = 8
"""Lines of one value."""

MAX_COLUMNS = 160
"""Characters of a line."""

MAX_DEPTH = 6
"""Levels of one value."""

_MISSING = object()


def change(policy: Policy, verdict: Verdict, review: Review) -> tuple[str, ...]:
    """The lines of the diff; none where it is not known what of the object is wrong.

    The place is the policy's own word; where it has none, it is asked again without this or that.
    """
    if not isinstance(review.object, dict):
        return ()
    try:
        return _lines(policy, verdict, review)
    except RecursionError:  # nested by somebody who wants to see what happens
        return ()


def _lines(policy: Policy, verdict: Verdict, review: Review) -> tuple[str, ...]:
    places = [verdict.path] if verdict.path else _proven(policy, verdict, review)
    lines = [line for place in places[:MAX_PLACES] for line in drawn(review.object, place)]
    if len(places) > MAX_PLACES:
        lines.append(f"@@ and {len(places) - MAX_PLACES} more places")
    return tuple(harmless(line, MAX_COLUMNS) for line in lines)


def _proven(policy: Policy, verdict: Verdict, review: Review) -> Sequence[Path]:
    def passes(value: Any) -> bool:
        again = asked(policy, msgspec.structs.replace(review, object=value))
        said = [one for one in again if one.rule == verdict.rule]
        return bool(said) and all(one.outcome == "pass" and not one.exempt for one in said)

    return offending(review.object, passes)


def drawn(value: Any, place: Path) -> Iterator[str]:
    """The lines that lead to `place`, and what stands there; or what is missing there."""
    yield f"@@ {_dotted(place)}"
    column = 0
    for at, step in enumerate(place):
        below = _step(value, step)
        last = at == len(place) - 1 or below is _MISSING
        if last:
            yield from _hunk(step, below, column)
            return
        if isinstance(step, int):
            name = below.get("name") if isinstance(below, dict) else None
            yield f" {'  ' * column}- " + (f"name: {name}" if isinstance(name, str) else "…")
            column += 1
        else:
            yield f" {'  ' * column}{step}:"
            column += not isinstance(below, list)  # YAML's lists need no indentation
        value = below


def _hunk(step: str | int, value: Any, column: int) -> Iterator[str]:
    margin = "  " * column
    if value is _MISSING:
        yield f"+{margin}{step}: …" if isinstance(step, str) else f"+{margin}- …"
        return
    short = _short(value, MAX_DEPTH)
    entry: Any = {step: short} if isinstance(step, str) else [short]
    lines = yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, width=10_000).splitlines()
    for line in lines[:MAX_LINES]:
        yield f"-{margin}{line}"
    if len(lines) > MAX_LINES:
        yield f" {margin}…"


def _short(value: Any, depth: int) -> Any:
    """No more of the value than could be shown."""
    if isinstance(value, str):
        return value[:MAX_COLUMNS]
    if isinstance(value, (dict, list)) and not depth:
        return "…"
    if isinstance(value, dict):
        some = islice(value.items(), MAX_LINES + 1)
        return {key[:MAX_COLUMNS]: _short(below, depth - 1) for key, below in some}
    if isinstance(value, list):
        return [_short(below, depth - 1) for below in value[: MAX_LINES + 1]]
    return value


def _step(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        inside = isinstance(value, list) and -len(value) <= step < len(value)
        return value[step] if inside else _MISSING
    return value.get(step, _MISSING) if isinstance(value, dict) else _MISSING


def _dotted(place: Path) -> str:
    """`spec.containers[0].image`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")
