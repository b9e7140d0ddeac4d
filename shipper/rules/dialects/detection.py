"""What every detection language gives: rules like those of a rule file, each with its place.

Says nothing about how they are asked: what comes back is compiled like any other rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from shipper.rules.document import Document, Problem
from shipper.rules.rule import AuditRule


class Translated(NamedTuple):
    """Rules, each with the document that it was read from, and what can not be translated.

    `notes`: what is left out for a good reason, such as a rule that is disabled. `params`: what
    the rules name as `params.…`, with its value.
    """

    rules: Sequence[tuple[Document, AuditRule]]
    problems: Sequence[Problem]
    notes: Sequence[Problem] = ()
    params: Mapping[str, Any] = MappingProxyType({})


class Translator(Protocol):
    """One detection language."""

    def translate(self, documents: Sequence[Document]) -> Translated:
        """The rules in `documents`: all of this language that there are, in their order.

        All at once, since lists and macros may stand in another file.
        """
