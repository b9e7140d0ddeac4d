"""Writes CEL for the languages that are translated: literals, and conditions folded as they grow.

Bounded: a text that outgrows what the engine compiles is refused while it is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from shipper.rules.cel.environment import MAX_TEXT_CHARS
from shipper.rules.cel.library.function import CallError
from shipper.rules.cel.library.regex import compiled

TRUE, FALSE = "true", "false"

_EQUAL = re.compile(r'([\w.]+(?:\(\))?) == ("[^"\\]*"|[0-9]+)')


class UnsupportedError(ValueError):
    """It has no counterpart, or is too large to be asked of events."""


def literal(text: str) -> str:
    """`text` as CEL writes it. A brace is escaped: a message ends its expression at two of them."""
    quoted = msgspec.json.encode(text).decode()
    return quoted.replace("{", "\\u007b").replace("}", "\\u007d").replace("\x7f", "\\u007f")


def listed(texts: Iterable[str]) -> str:
    """A list of texts, each of them once."""
    return bounded(f"[{', '.join(literal(text) for text in dict.fromkeys(texts))}]")


def both(parts: Iterable[str]) -> str:
    """All of `parts`; what is known already is folded, and what asks for bodies stands last."""
    return _joined(parts, " && ", neutral=TRUE, deciding=FALSE)


def either(parts: Iterable[str]) -> str:
    """One of `parts`; comparisons of one thing with several literals become one."""
    literals: dict[str, list[str]] = {}
    others = []
    for part in parts:
        equal = _EQUAL.fullmatch(part)
        if equal is None:
            others.append(part)
        else:
            literals.setdefault(equal[1], []).append(equal[2])
    for left, values in literals.items():
        several = list(dict.fromkeys(values))
        among = f"{left} in [{', '.join(several)}]" if len(several) > 1 else ""
        others.append(bounded(among) or f"{left} == {several[0]}")
    return _joined(others, " || ", neutral=FALSE, deciding=TRUE)


def negated(part: str) -> str:
    """The opposite."""
    return {TRUE: FALSE, FALSE: TRUE}.get(part) or bounded(f"!({part})")


def pattern(text: str) -> str:
    """A literal of the regular expression. Raises UnsupportedError if it is none, or too costly."""
    try:
        compiled(text)
    except CallError as error:
        raise UnsupportedError(f"{error}: {text[:80]!r}") from None
    return literal(text)


def quoted_regex(text: str) -> str:
    """A regular expression that matches `text` itself."""
    return re.sub(r"([^A-Za-z0-9_ /:%-])", _escaped, text)


def bounded(text: str) -> str:
    """`text`. Raises UnsupportedError if it is longer than an expression may be."""
    if len(text) > MAX_TEXT_CHARS:
        raise UnsupportedError(
            f"longer than {MAX_TEXT_CHARS} characters once all that it names is written out"
        )
    return text


def _joined(parts: Iterable[str], word: str, *, neutral: str, deciding: str) -> str:
    left = list(dict.fromkeys(part for part in parts if part != neutral))
    if deciding in left:
        return deciding
    if len(left) < 2:
        return left[0] if left else neutral
    left.sort(key=_asks_for_bodies)
    return bounded(f"({word.join(left)})")


def _asks_for_bodies(part: str) -> int:
    return 2 if 'body["' in part else 1 if 'fields["' in part else 0


def _escaped(found: re.Match[str]) -> str:
    character = found[1]
    return (
        f"\\x{{{ord(character):x}}}"
        if ord(character) < 32 or ord(character) > 126
        else ("\\" + character)
    )
