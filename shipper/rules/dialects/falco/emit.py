"""From the tree of a Falco condition to CEL.

As libsinsp compares (falcosecurity/libs, userspace/libsinsp/sinsp_filtercheck.cpp): a field that is
not available makes every comparison false, `!=` too; `in` asks whether all texts of a list are in
the set, `intersects` whether one is. Macros are written out. Refuses, with the place, what has no
counterpart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from shipper.rules.cel.library.regex import compiled
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
from shipper.rules.dialects.falco.condition import Check, ConditionError, Junction, Macro, Node, Not
from shipper.rules.dialects.falco.fields import Field, FieldError, checked, in_cel, presence_in_cel

_CODE = "event.responseStatus.code"
_ORDER = ("<", "<=", ">", ">=")
_SETS = ("in", "intersects", "pmatch")
_TIMES = ("jevt.rawtime", "json.rawtime", "evt.rawtime")


class Names(Protocol):
    """What the names in a condition stand for."""

    def macro(self, name: str) -> str:
        """A macro's condition in CEL."""

    def values(self, written: Iterable[str]) -> tuple[str, ...]:
        """The values, those that are names of lists replaced by what these hold."""

    def listed(self, values: Sequence[str]) -> str:
        """A list of texts in CEL."""


def emitted(node: Node, names: Names) -> str:
    """The condition `node` in CEL. Raises ConditionError, and what `names` raises."""
    if isinstance(node, Macro):
        try:
            return names.macro(node.name)
        except UnsupportedError as error:
            raise ConditionError(node.offset, str(error)) from error
    if isinstance(node, Not):
        return negated(emitted(node.part, names))
    if isinstance(node, Junction):
        return (both if node.word == "and" else either)(emitted(p, names) for p in node.parts)
    try:
        return _check(node, names)
    except (FieldError, UnsupportedError) as error:
        raise ConditionError(node.offset, str(error)) from error


def _check(check: Check, names: Names) -> str:
    field = checked(check.field).alias
    values = names.values(check.values) if check.lists else check.values
    if check.operator not in ("exists", "in", "intersects") and field.is_list:
        reason = f"{field.name} is a list: only exists, in and intersects go with it"
        raise UnsupportedError(reason)
    if field.name in _TIMES and check.operator == "exists":
        return TRUE
    if field.name in _TIMES and check.operator in ("=", "==") and len(check.values[0]) < 12:
        return FALSE  # nobody's events are from 1970
    if field.name == "ka.response.code" and not check.of:
        found = _of_code(check.operator, values)
        if found is not None:
            return found
    getter = in_cel(field)
    if getter is not None:
        return _of_getter(getter, presence_in_cel(field), check, values, names)
    return _of_texts(field, check, values, names)


def _of_getter(getter: str, present: str, check: Check, values: Sequence[str], names: Names) -> str:
    """Of an expression that always has a text, empty if there is none."""
    if check.operator == "exists":
        return present
    condition = _compared(_cased(getter, check), check, values, names)
    return both((present, condition)) if _fits_empty(check, values) else condition


def _of_texts(field: Field, check: Check, values: Sequence[str], names: Names) -> str:
    """Of a list of texts."""
    texts = f"{'body' if field.of_body else 'fields'}[{literal(str(field))}]"
    if check.operator == "exists":
        return f"size({texts}) > 0"
    condition = _compared(_cased("v", check), check, values, names)
    if condition == FALSE:
        return FALSE
    if check.operator == "in" and field.is_list:
        return both((f"size({texts}) > 0", f"{texts}.all(v, {condition})"))
    return f"{texts}.exists(v, {condition})"


def _cased(text: str, check: Check) -> str:
    return f"{text}.{check.case}Ascii()" if check.case else text


def _compared(text: str, check: Check, values: Sequence[str], names: Names) -> str:
    if check.operator in _SETS:
        if check.operator == "pmatch":
            return either(_prefixed(text, value) for value in values)
        if len(set(values)) == 1:
            return f"{text} == {literal(values[0])}"
        return f"{text} in {names.listed(values)}" if values else FALSE
    each = [_one(text, check.operator, value) for value in values]
    if not each:
        return FALSE
    if check.of == "one":
        return f"[{', '.join(each)}].filter(c, c).size() == 1"
    return both(each) if check.of == "all" else either(each)


def _one(text: str, operator: str, value: str) -> str:
    """`text`, which is there, compared with one value."""
    if operator in ("=", "=="):
        return f"{text} == {literal(value)}"
    if operator == "!=" or operator in _ORDER:
        return f"{text} {operator} {literal(value)}"
    if operator in _METHODS:
        return f"{text}.{_METHODS[operator]}({literal(value)})"
    if operator == "icontains":
        return f"{text}.lowerAscii().contains({literal(value.lower())})"
    if operator in ("glob", "iglob"):
        return _matches(text, globbed(value, ignore_case=operator == "iglob"))
    if operator == "regex":
        return _matches(text, rf"\A(?:{value})\z")
    raise UnsupportedError(f"the operator {operator} is for bytes, and this field is text")


_METHODS = {"contains": "contains", "startswith": "startsWith", "endswith": "endsWith"}


def _matches(text: str, regex: str) -> str:
    return f"{text}.matches({pattern(regex)})"


def _prefixed(text: str, value: str) -> str:
    """Whether `value` is a path that leads to `text` or to what it stands in."""
    path = "/" * value.startswith("/") + "/".join(part for part in value.split("/") if part)
    if any(mark in path for mark in "*?["):
        inner = globbed(path, ignore_case=False).removeprefix(r"(?s)\A").removesuffix(r"\z")
        return _matches(text, rf"(?s)\A{inner}(?:/.*)?\z")
    return f"({text} == {literal(path)} || {text}.startsWith({literal(path.rstrip('/') + '/')}))"


def globbed(glob: str, *, ignore_case: bool) -> str:
    """The regular expression of a pattern of fnmatch(3) without flags: `*` stands for `/` too."""
    out, at = [], 0
    while at < len(glob):
        character, at = glob[at], at + 1
        if character == "*":
            out.append(".*")
        elif character == "?":
            out.append(".")
        elif character == "[" and (found := re.match(r"([!^]?)(\]?[^\]]*)\]", glob[at:])):
            at += found.end()
            inside = found[2].replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
            out.append(f"[{'^' * bool(found[1])}{inside}]")
        elif character == "\\" and at < len(glob):
            out.append(quoted_regex(glob[at]))
            at += 1
        else:
            out.append(quoted_regex(character))
    return rf"(?s{'i' * ignore_case})\A{''.join(out)}\z"


def _fits_empty(check: Check, values: Sequence[str]) -> bool:
    """Whether the comparison may hold of an empty text, which stands for none here."""
    if check.operator in ("!=", "<", "<=") or "" in values:
        return True
    if check.operator in ("glob", "iglob", "regex"):
        return any(
            compiled(value if check.operator == "regex" else globbed(value, ignore_case=False))
            .search(b"")
            for value in values
        )  # fmt: skip
    return False


def _of_code(operator: str, values: Sequence[str]) -> str | None:
    """Of the answer's code, a number of three digits; None: ask its text."""
    numbers = [int(value) for value in values if re.fullmatch(r"[1-9][0-9]{2}", value)]
    if operator == "exists":
        return f"{_CODE} != 0"
    if operator in ("=", "==", "in", "intersects"):
        return either(f"{_CODE} == {number}" for number in numbers)
    if operator == "!=":
        return both((f"{_CODE} != 0", *(f"{_CODE} != {number}" for number in numbers)))
    if operator in _ORDER and numbers:
        return both((f"{_CODE} != 0", f"{_CODE} {operator} {numbers[0]}"))
    if operator == "startswith" and re.fullmatch(r"[1-9]", values[0]):
        low = int(values[0]) * 100
        return both((f"{_CODE} >= {low}", f"{_CODE} < {low + 100}"))
    return None
