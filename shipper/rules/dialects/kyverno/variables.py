"""Documents with variables: `"{{ request.object.metadata.name }}-x"`, filled in per question.

Source: kyverno pkg/engine/variables/vars.go. A text that is one variable becomes its value, of
whatever type; within a longer text the value is written into it, and what then looks like a
variable is one. Every round and every character is paid for.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shipper.rules.dialects.kyverno.anchors import anchor
from shipper.rules.dialects.kyverno.errors import EvaluationError, too_much
from shipper.rules.dialects.kyverno.question import Question

Fill = Callable[[Question], Any]

MAX_ROUNDS = 16
MAX_TEXT_CHARS = 256 * 1024

_VARIABLE = re.compile(r"(^|[^\\])(\{\{(?:\{[^{}]*\}|[^{}])*\}\})")
_REFERENCE = re.compile(r"\A\$\(.[^\ ]*\)|[^\\]\$\(.[^\ ]*\)")
_ESCAPED_REFERENCE = re.compile(r"\\\$\(.[^\ \)]*\)")
_OPERATORS = (">=", "<=", ">", "<", "!")


class Document:
    """A JSON value with variables in its texts and keys. `constant`: it has none."""

    def __init__(self, value: Any) -> None:
        value = resolved(value)
        self.queries = frozenset(query for text in _texts(value) for query in queries_of(text))
        self.constant = not any("{{" in text for text in _texts(value))
        self._value = value
        self._fill = (lambda _question: value) if self.constant else _filler(value, ())

    def fill(self, question: Question) -> Any:
        """The value with every variable filled in. Raises EvaluationError, UndecidedError."""
        return self._fill(question)

    @property
    def value(self) -> Any:
        """As it is written."""
        return self._value


def queries_of(text: str) -> Iterator[str]:
    """The JMESPath texts of the variables in `text` that have no other within."""
    for found in _VARIABLE.finditer(text):
        query, _ = _stripped(found[2])
        yield query


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _filler(value: Any, path: tuple[str | int, ...]) -> Fill:
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, dict):
        entries = [(_text(key, path), _filler(item, (*path, key))) for key, item in value.items()]
        return lambda question: _map(entries, question)
    if isinstance(value, list):
        items = [_filler(item, (*path, at)) for at, item in enumerate(value)]
        return lambda question: [item(question) for item in items]
    return lambda _question: value


def _map(entries: list[tuple[Fill, Fill]], question: Question) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for key, item in entries:
        name = key(question)
        if not isinstance(name, str):
            raise EvaluationError("a variable in a key is no text")
        filled[name] = item(question)
    return filled


def _text(text: str, path: tuple[str | int, ...]) -> Fill:
    if "{{" not in text:
        return lambda _question: text
    whole = _VARIABLE.fullmatch(text)
    if whole is not None and not whole[1]:
        query, _ = _stripped(text)
        query = _here(query, path)
        return lambda question: question.query(query)
    return lambda question: _written(text, path, question)


def _stripped(variable: str) -> tuple[str, bool]:
    """The JMESPath in the braces; and whether its value is not to be looked into (`{{- x }}`)."""
    query = variable.replace("{{", "").replace("}}", "").strip()
    return (query[1:].strip(), True) if query.startswith("-") else (query, False)


def _here(query: str, path: tuple[str | int, ...]) -> str:
    """`@` is the object's value at the place of the pattern that holds it."""
    if query != "@":
        return query
    steps = [step if isinstance(step, int) else anchor(step).key for step in path]
    shown = "".join(
        f"[{step}]" if isinstance(step, int) else f".{json.dumps(step)}" for step in steps
    )
    return f"request.object{shown}"


def _written(text: str, path: tuple[str | int, ...], question: Question) -> Any:
    for _ in range(MAX_ROUNDS):
        found = [part[2] for part in _VARIABLE.finditer(text)]
        if not found:
            return text.replace("\\{{", "{{")
        before, shallow = text, False
        for variable in found:
            query, shallow = _stripped(variable)
            value = question.query(_here(query, path))
            if before == variable:
                return value
            put = _put(value, shallow=shallow)
            question.meter.grow(len(text) + len(put))
            text = text.replace(variable, put, 1)
            if len(text) > MAX_TEXT_CHARS:
                raise too_much("variables that fill a text without end")
        if shallow:
            return text.replace("\\{{", "{{")
    raise too_much(f"variables within variables, more than {MAX_ROUNDS} deep")


def _put(value: Any, *, shallow: bool) -> str:
    if isinstance(value, str):
        return value.replace("{{", "\\{{") if shallow else value
    try:
        return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        raise EvaluationError("a variable has no text form") from None


# ---- references into the pattern itself: `$(./../limits/memory)`


def resolved(value: Any) -> Any:
    """`value` with its references filled in, which its own text decides."""
    if not any("$(" in text for text in _texts(value)):
        return value
    return _resolved(value, "", dict(_leaves(value, "")))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}/{anchor(key).key}")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _leaves(item, f"{path}/{at}")
    else:
        yield path, value


def _resolved(value: Any, path: str, leaves: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {
            key: _resolved(item, f"{path}/{anchor(key).key}", leaves) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_resolved(item, f"{path}/{at}", leaves) for at, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    text = value
    for found in _REFERENCE.findall(value):
        reference = found if found.startswith("$(") else found[1:]
        text = text.replace(reference, _referred(reference, path, leaves), 1)
    return _ESCAPED_REFERENCE.sub(lambda escaped: escaped[0][1:], text)


def _referred(reference: str, path: str, leaves: Mapping[str, Any]) -> str:
    """The value of the leaf, behind the operator that the reference has."""
    inner = reference.strip("$()")
    op = next((sign for sign in _OPERATORS if inner.startswith(sign)), "")
    place = posixpath.normpath(posixpath.join(path, inner[len(op) :]))
    found = leaves.get(place)
    if found is None or isinstance(found, bool):
        raise ValueError(f"the reference {reference} leads to no value of the pattern")
    return f"{op}{found}"
