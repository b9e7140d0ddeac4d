"""A mistake in an object that policies are made of, at its place.

An object of the log has no file: there the object itself is named.
"""

from __future__ import annotations

from shipper.rules.dialects.policy import Ident, Source
from shipper.rules.document import Path, Problem


def problem_in(ident: Ident, source: Source, path: Path, reason: str, *, row: int = 1) -> Problem:
    """A mistake in the value at `path` of an object; `row` counts the lines of a text from 1."""
    if source.document is not None:
        return source.document.problem(path, reason, row=row)
    where = ".".join(map(str, path))
    return Problem(str(ident), 0, f"{where}: {reason}" if where else reason)
