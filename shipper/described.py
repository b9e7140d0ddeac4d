"""What the sections of a page say of their keys: the text under each field, read from the source.

Only for who asks for it: Python keeps no such text, so that the modules are parsed.
"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise
from typing import Any

from shipper.page import Section


def describe(schema: dict[str, Any], page: type[Section]) -> None:
    """Add to each key in `schema` (JSON schema, made of `page`) what its section says of it."""
    sections = {kind.__name__: kind for kind in _subclasses(Section)}
    for name, definition in schema["$defs"].items():
        for key, body in definition.get("properties", {}).items():
            text = _text(sections[name], key) if name in sections else ""
            if text:
                body["description"] = text
    schema["title"] = inspect.cleandoc(page.__doc__ or "")


def _subclasses(kind: type[Section]) -> list[type[Section]]:
    return [one for below in kind.__subclasses__() for one in (below, *_subclasses(below))]


def _text(section: type[Section], key: str) -> str:
    """Of the section itself, or of the one that it inherits the key from."""
    for kind in section.__mro__:
        if issubclass(kind, Section):
            found = _texts(kind).get(key)
            if found:
                return found
    return ""


@cache
def _texts(section: type[Section]) -> dict[str, str]:
    (definition,) = ast.parse(inspect.getsource(section)).body
    texts = {}
    if isinstance(definition, ast.ClassDef):
        for field, after in pairwise(definition.body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                text = _literal(after)
                if text:
                    texts[field.target.id] = " ".join(text.split())
    return texts


def _literal(statement: ast.stmt) -> str:
    value = statement.value if isinstance(statement, ast.Expr) else None
    constant = value.value if isinstance(value, ast.Constant) else None
    return constant if isinstance(constant, str) else ""
