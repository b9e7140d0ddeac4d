"""Conditions of preconditions and deny: any and all, or the old plain list (all of it).

Source: kyverno pkg/engine/variables/evaluate.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from shipper.rules.dialects.kyverno.kleene import all_of, any_of
from shipper.rules.dialects.kyverno.operators import operator_of
from shipper.rules.dialects.kyverno.question import Question
from shipper.rules.dialects.kyverno.variables import Document


class Condition:
    """`{key, operator, value, message}`."""

    def __init__(self, written: Mapping[str, Any]) -> None:
        name = written.get("operator")
        found = operator_of(name) if isinstance(name, str) else None
        if found is None:
            raise ValueError(f"there is no operator {name!r}"[:100])
        self._operator = found
        self._key = Document(written.get("key"))
        self._value = Document(written.get("value"))
        message = written.get("message")
        self.message = message if isinstance(message, str) else ""

    def holds(self, question: Question) -> bool:
        """Whether it does. Raises EvaluationError, UndecidedError."""
        key = self._key.fill(question)
        return self._operator(key, self._value.fill(question), question.meter)

    @property
    def documents(self) -> tuple[Document, Document]:
        """What it compares."""
        return self._key, self._value


class Conditions:
    """All that must hold together. Raises ValueError: no conditions."""

    def __init__(self, written: Any) -> None:
        blocks = written if isinstance(written, list) else [written]
        if not all(isinstance(block, Mapping) for block in blocks):
            raise ValueError("conditions must be maps")
        is_old = any("operator" in block for block in blocks)
        self._blocks = [_Block({"all": blocks})] if is_old else [_Block(one) for one in blocks]

    def hold(self, question: Question) -> bool:
        """Whether they do. Raises EvaluationError, UndecidedError."""
        return all_of(partial(one.holds, question) for one in self._blocks)

    def messages(self, question: Question) -> Iterator[str]:
        """What those that hold have to say."""
        for block in self._blocks:
            yield from block.messages(question)

    @property
    def documents(self) -> Iterator[Document]:
        """All that is compared."""
        for block in self._blocks:
            for condition in (*block.any, *block.all):
                yield from condition.documents


class _Block:
    def __init__(self, written: Mapping[str, Any]) -> None:
        unknown = set(written) - {"any", "all"}
        if unknown:
            raise ValueError(f"conditions have any and all, not {min(unknown)}"[:100])
        self._has_any = written.get("any") is not None
        self.any: Sequence[Condition] = _listed(written.get("any"))
        self.all: Sequence[Condition] = _listed(written.get("all"))

    def holds(self, question: Question) -> bool:
        tests = [partial(one.holds, question) for one in self.all]
        if self._has_any:
            some = [partial(one.holds, question) for one in self.any]
            tests = [partial(any_of, some), *tests]
        return all_of(tests)

    def messages(self, question: Question) -> Iterator[str]:
        for condition in (*self.any, *self.all):
            if condition.message and condition.holds(question):
                yield condition.message


def _listed(written: Any) -> list[Condition]:
    if written is None:
        return []
    if not isinstance(written, list) or not all(isinstance(one, Mapping) for one in written):
        raise ValueError("any and all must be lists of conditions")
    return [Condition(one) for one in written]
