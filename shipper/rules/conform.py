"""A plain value as a struct, or everything in it that does not conform.

msgspec stops at the first mistake; this walks on, and names the nearest known key. It knows nothing
of rules.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec

from shipper.rules.document import Path

T = TypeVar("T", bound=msgspec.Struct)
Mistake = tuple[Path, str, bool]
"""Where, what, and whether it is the key itself that is wrong."""


def conform(value: Any, kind: type[T]) -> tuple[T | None, list[Mistake]]:
    """`value` as a `kind`, or None and every mistake in it."""
    mistakes: list[Mistake] = []
    _walk(value, kind, (), mistakes)
    if mistakes:
        return None, mistakes
    try:
        return msgspec.convert(value, kind), []
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        # what the walk does not know; never silent
        return None, [((), str(error), False)]


def _walk(value: Any, kind: Any, path: Path, mistakes: list[Mistake]) -> None:
    kind, limits = _unwrapped(kind)
    options = [option for option in get_args(kind) if option is not type(None)]
    origin = get_origin(kind)
    if value is None and len(options) == 1 and type(None) in get_args(kind):
        return
    if len(options) == 1 and type(None) in get_args(kind):
        _walk(value, options[0], path, mistakes)
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
        _walk_struct(value, kind, path, mistakes)
    elif origin is tuple and _is_struct(options[0]) and isinstance(value, list):
        _convert(value, Annotated[(tuple[Any, ...], *limits)] if limits else Any, path, mistakes)
        for index, item in enumerate(value):
            _walk(item, options[0], (*path, index), mistakes)
    else:
        _convert(value, Annotated[(kind, *limits)] if limits else kind, path, mistakes)


def _unwrapped(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type, and the limits that it is annotated with."""
    if get_origin(kind) is not Annotated:
        return kind, ()
    inner, *limits = get_args(kind)
    return inner, tuple(limits)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _walk_struct(
    value: dict[str, Any], kind: type[msgspec.Struct], path: Path, mistakes: list[Mistake]
) -> None:
    fields = _fields(kind)
    for key, item in value.items():
        if key in fields:
            _walk(item, fields[key].type, (*path, key), mistakes)
        else:
            near = difflib.get_close_matches(key, fields, n=1, cutoff=0.5)
            known = f"did you mean {near[0]}?" if near else f"known: {', '.join(fields)}"
            mistakes.append(((*path, key), f"unknown key; {known}", True))
    for key, field in fields.items():
        if field.required and key not in value:
            mistakes.append((path, f"{key} is missing", False))


@cache
def _fields(kind: type[msgspec.Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _convert(value: Any, kind: Any, path: Path, mistakes: list[Mistake]) -> None:
    try:
        msgspec.convert(value, kind)
    except UnicodeEncodeError:  # a lone surrogate, which YAML can write
        mistakes.append((path, "is no text", False))
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        steps = where.rstrip("`").replace("[", ".[").split(".")
        inner = [int(step[1:-1]) for step in steps if step[1:-1].isdecimal() and step[0] == "["]
        mistakes.append(((*path, *inner[:1]), what, False))
