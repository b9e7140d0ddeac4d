"""From the tree of a Sigma condition, as pySigma parses it, to CEL.

Texts are compared without regard to case unless `cased` is asked for; a list of values is true if
one of a field's texts is. Refuses, by name, what has no counterpart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sigma import conditions, types

from shipper.rules.dialects.cel_text import (
    FALSE,
    TRUE,
    UnsupportedError,
    both,
    either,
    literal,
    negated,
    pattern,
    quoted_regex,
)
from shipper.rules.dialects.sigma.fields import LINE, PREFIX, Part, is_of_body, part_of
from shipper.rules.dialects.sigma.values import (
    ANY,
    COMPARED,
    alternative,
    compared,
    is_wild,
    matched,
    plain,
)
from shipper.rules.dialects.translated import ALL_STAGES

MAX_DEPTH = 64

_STAGES = {name.lower(): name for name in ALL_STAGES}
_LEVELS = {name.lower(): name for name in ("Metadata", "Request", "RequestResponse")}
_MAX_RAW = 4096


class Emitted(NamedTuple):
    """A condition in CEL, and what a line must contain for it to be true: one of `words`."""

    cel: str
    words: frozenset[str] | None = None


class FieldedError(UnsupportedError):
    """What is said of one field cannot be translated."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field


def emitted(node: Any, depth: int = 0) -> Emitted:
    """The condition `node`. Raises UnsupportedError."""
    if depth > MAX_DEPTH:
        raise UnsupportedError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(node, conditions.ConditionNOT):
        return Emitted(negated(emitted(node.args[0], depth + 1).cel))
    if isinstance(node, conditions.ConditionAND):
        parts = [emitted(one, depth + 1) for one in node.args]
        words = next((part.words for part in parts if part.words), None)
        return Emitted(both(part.cel for part in parts), words)
    if isinstance(node, conditions.ConditionOR):
        grouped, others = _by_field(node.args)
        several = [Emitted(_one_of_several(*group)) for group in grouped.items()]
        return one_of([*several, *(emitted(one, depth + 1) for one in others)])
    if isinstance(node, conditions.ConditionFieldEqualsValueExpression):
        return Emitted(_field(node.field, node.value))
    if isinstance(node, conditions.ConditionValueExpression):
        return _keyword(node.value)
    raise UnsupportedError("the condition selects nothing")


def one_of(parts: Sequence[Emitted]) -> Emitted:
    """One of `parts`."""
    words = frozenset(word for part in parts for word in part.words or ())
    return Emitted(either(p.cel for p in parts), words if all(p.words for p in parts) else None)


def raw_of(words: frozenset[str] | None) -> str | None:
    """The pattern that a line must contain for any of `words` to be in it."""
    if not words:
        return None
    found = f"(?i){'|'.join(sorted(map(quoted_regex, words)))}"
    return found if len(found) <= _MAX_RAW else None


def _field(field: str, value: Any) -> str:
    part = part_of(field)
    try:
        if isinstance(value, types.SigmaExpansion):
            return either(_field(field, one) for one in value.values)
        if part is not None and part.cel:
            return _of_part(part, value)
        return _of_texts(field, value)
    except FieldedError:
        raise
    except UnsupportedError as error:
        raise FieldedError(field, str(error)) from error


def _by_field(nodes: Iterable[Any]) -> tuple[dict[str, list[Any]], list[Any]]:
    """The texts of which a field may have any, by field, and all other conditions."""
    grouped: dict[str, list[Any]] = {}
    others = []
    for node in nodes:
        is_of_field = isinstance(node, conditions.ConditionFieldEqualsValueExpression)
        if is_of_field and isinstance(node.value, types.SigmaString):
            grouped.setdefault(node.field, []).append(node.value)
        else:
            others.append(node)
    return grouped, others


def _one_of_several(field: str, values: Sequence[Any]) -> str:
    part = part_of(field)
    if len(values) == 1 or (part is not None and part.kind == "number"):
        return either(_field(field, value) for value in values)
    if part is not None and part.cel:
        return _any_of(part, field, values)
    texts = _named(field)
    try:
        condition = either(compared("v", value) for value in values)
    except UnsupportedError as error:
        raise FieldedError(field, str(error)) from error
    return f"size({texts}) > 0" if condition == TRUE else f"{texts}.exists(v, {condition})"


def _any_of(part: Part, field: str, values: Sequence[Any]) -> str:
    """Any of several values; those with wildcards as one regular expression if that is possible."""
    wild = [value for value in values if is_wild(value)]
    each = [_field(field, value) for value in values if value not in wild]
    if len(wild) > 1:
        try:
            regex = pattern(f"(?is){'|'.join(alternative(value.s) for value in wild)}")
            return either([*each, f"{part.cel}.matches({regex})"])
        except UnsupportedError:
            pass  # too large for one
    return either([*each, *(_field(field, value) for value in wild)])


def _named(field: str) -> str:
    """The list of the field's texts."""
    name = PREFIX + field
    return f"{'body' if is_of_body(name) else 'fields'}[{literal(name)}]"


def _of_texts(field: str, value: Any) -> str:
    texts = _named(field)
    if isinstance(value, types.SigmaNull):
        return f"size({texts}) == 0"
    if isinstance(value, types.SigmaExists):
        return f"size({texts}) {'>' if value.exists else '=='} 0"
    condition = compared("v", value)
    return f"size({texts}) > 0" if condition == TRUE else f"{texts}.exists(v, {condition})"


def _of_part(part: Part, value: Any) -> str:
    """Of a text of the envelope, empty if there is none, or of its one number, the code."""
    if part.kind == "number":
        return _of_code(part, value)
    if isinstance(value, types.SigmaNull):
        return f'{part.cel} == ""'
    if isinstance(value, types.SigmaExists):
        return f'{part.cel} {"!=" if value.exists else "=="} ""'
    if isinstance(value, types.SigmaString) and not isinstance(value, types.SigmaCasedString):
        text = plain(value)
        if text is not None and (usual := _usual(part, text)) is not None:
            return f"{part.cel} == {literal(usual)}"
    condition = compared(part.cel, value)
    # What the engine sees of a field that is left out is an empty text; "" itself is asked for so.
    return f'{part.cel} != ""' if condition == TRUE else condition


def _usual(part: Part, text: str) -> str | None:
    """`text` as the API server would write it in this field, where that is known."""
    if part.path == ("stage",):
        return _STAGES.get(text.lower())
    if part.path == ("level",):
        return _LEVELS.get(text.lower())
    return text.lower() if part.kind == "lower" and text.isascii() else None


def _of_code(part: Part, value: Any) -> str:
    if isinstance(value, types.SigmaNull):
        return f"{part.cel} == 0"
    if isinstance(value, types.SigmaExists):
        return f"{part.cel} {'!=' if value.exists else '=='} 0"
    if isinstance(value, types.SigmaNumber) and isinstance(value.number, int):
        return f"{part.cel} == {value.number}"
    if isinstance(value, types.SigmaCompareExpression) and isinstance(value.number.number, int):
        limit = f"{part.cel} {COMPARED[value.op.name]} {value.number.number}"
        return both((f"{part.cel} != 0", limit))
    if isinstance(value, types.SigmaString) and re.fullmatch("[1-9][0-9]{2}", plain(value) or ""):
        return f"{part.cel} == {plain(value)}"
    name = literal(f"{PREFIX}{'.'.join(part.path)}")
    return f"fields[{name}].exists(v, {compared('v', value)})"


def _keyword(value: Any) -> Emitted:
    """A value without a field: the line contains it, as it is or as JSON writes it."""
    line = f"fields[{literal(PREFIX + LINE)}]"
    if isinstance(value, types.SigmaExpansion):
        return one_of([_keyword(one) for one in value.values])
    if not isinstance(value, types.SigmaString):
        if isinstance(value, types.SigmaNumber):
            return _keyword(types.SigmaString(str(value.number)))
        if isinstance(value, types.SigmaRegularExpression):
            return Emitted(f"{line}.exists(v, {compared('v', value)})")
        raise UnsupportedError(f"a keyword of type {type(value).__name__} is not supported")
    parts = list(value.s)
    if parts[:1] == [ANY] and parts[-1:] == [ANY]:  # `contains`, which a keyword is anyway
        parts = parts[1:-1]
    cased = isinstance(value, types.SigmaCasedString)
    fixed = [one for one in parts if isinstance(one, str)]
    text = "".join(fixed) if len(fixed) == len(parts) else None
    if text == "":
        raise UnsupportedError("an empty keyword is in every event")
    if text is None:
        found = matched("v", [ANY, *parts, ANY], cased=cased)
        return Emitted(f"{line}.exists(v, {found})")
    variants = list(dict.fromkeys((text, _in_json(text))))
    found = either(matched("v", [ANY, one, ANY], cased=cased) for one in variants)
    return Emitted(FALSE if found == FALSE else f"{line}.exists(v, {found})", frozenset(variants))


def _in_json(text: str) -> str:
    """`text` as the API server writes it within a JSON string."""
    quoted = json.dumps(text, ensure_ascii=False)[1:-1]
    return re.sub(r"[<>&]", lambda found: f"\\u{ord(found[0]):04x}", quoted)
