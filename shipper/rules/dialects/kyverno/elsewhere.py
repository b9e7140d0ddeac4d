"""Demands that only a registry or keys can answer: verifyImages, validate.manifests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from shipper.rules.dialects.kyverno.errors import UndecidedError
from shipper.rules.dialects.kyverno.question import Question
from shipper.rules.dialects.kyverno.variables import Document


class Elsewhere:
    """A demand that is undecided wherever it is asked."""

    skips_deletions = False

    def __init__(self, why: str) -> None:
        self.unanswerable = (why,)

    @property
    def documents(self) -> Iterator[Document]:
        """None."""
        return iter(())

    def ask(self, _question: Question) -> NoReturn:
        """Raises UndecidedError."""
        raise UndecidedError(self.unanswerable[0])
