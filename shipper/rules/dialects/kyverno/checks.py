"""What a rule demands of the object: pattern, anyPattern, deny, foreach.

Source: kyverno pkg/engine/handlers/validation/validate_resource.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from shipper.rules.dialects.kyverno.conditions import Conditions
from shipper.rules.dialects.kyverno.context import Context
from shipper.rules.dialects.kyverno.errors import EvaluationError, NotFoundError, UndecidedError
from shipper.rules.dialects.kyverno.pattern import Match, Mismatch, compiled
from shipper.rules.dialects.kyverno.question import Question
from shipper.rules.dialects.kyverno.shape import refuse_unknown
from shipper.rules.dialects.kyverno.variables import Document
from shipper.rules.dialects.policy import Path
from shipper.rules.terms import UNBOUND

MAX_NESTING = 8
"""Loops within loops."""


_DEMANDS = ("pattern", "anyPattern", "deny", "foreach")
_LOOP_FIELDS = frozenset((*_DEMANDS, "list", "elementScope", "context", "preconditions", "order"))


class Result(NamedTuple):
    """What a check says. `skip`: it does not speak of this object after all."""

    kind: Literal["pass", "fail", "skip"]
    message: str = ""
    path: Path = ()


PASS, SKIP = Result("pass"), Result("skip")


class Check(Protocol):
    """One demand. `skips_deletions`: it says nothing of a DELETE."""

    skips_deletions: bool

    @property
    def documents(self) -> Iterator[Document]:
        """All texts of it that may have variables."""

    @property
    def unanswerable(self) -> Iterable[str]:
        """What of it can not be answered here."""

    def ask(self, question: Question) -> Result:
        """What it says. Raises EvaluationError, UndecidedError."""


class Pattern:
    """`pattern`: an overlay; compiled once where it has no variables."""

    skips_deletions = True
    unanswerable: Iterable[str] = ()

    def __init__(self, written: Any) -> None:
        self._document = Document(written)
        self._match = compiled(self._document.value) if self._document.constant else None

    @property
    def documents(self) -> Iterator[Document]:
        """The pattern."""
        yield self._document

    def match(self, question: Question) -> Mismatch | None:
        """None where the pattern holds. Raises EvaluationError, UndecidedError."""
        match: Match = self._match or compiled(self._document.fill(question))
        return match(shown(question), (), question.meter)

    def ask(self, question: Question) -> Result:
        """Whether the object is as the pattern has it."""
        if deleted(question):
            return SKIP
        missed = self.match(question)
        if missed is None:
            return PASS
        return Result("skip" if missed.skips else "fail", missed.reason, missed.path)


class AnyPattern:
    """`anyPattern`: one of several overlays."""

    skips_deletions = True
    unanswerable: Iterable[str] = ()

    def __init__(self, written: Any) -> None:
        if not isinstance(written, list):
            raise ValueError("anyPattern must be a list")  # noqa: TRY004 - of the policy's text
        self._patterns = [Pattern(one) for one in written]

    @property
    def documents(self) -> Iterator[Document]:
        """The patterns."""
        for pattern in self._patterns:
            yield from pattern.documents

    def ask(self, question: Question) -> Result:
        """Whether the object is as one of them has it."""
        if deleted(question):
            return SKIP
        failed: Mismatch | None = None
        skipped = False
        for pattern in self._patterns:
            missed = pattern.match(question)
            if missed is None:
                return PASS
            if missed.skips:
                skipped = True
            else:
                failed = failed or missed
        if failed is not None:
            return Result("fail", failed.reason, failed.path)
        return SKIP if skipped else PASS


class Deny:
    """`deny`: refused where the conditions hold; always, where there are none."""

    skips_deletions = False
    unanswerable: Iterable[str] = ()

    def __init__(self, written: Mapping[str, Any]) -> None:
        conditions = written.get("conditions")
        self._conditions = Conditions(conditions) if conditions else None

    @property
    def documents(self) -> Iterator[Document]:
        """What the conditions compare."""
        yield from self._conditions.documents if self._conditions else ()

    def ask(self, question: Question) -> Result:
        """Whether it is refused."""
        if self._conditions is None:
            return Result("fail")
        if not self._conditions.hold(question):
            return PASS
        return Result("fail", "; ".join(self._conditions.messages(question)))


class ForEach:
    """`foreach`: each element of lists, with preconditions and a demand of its own."""

    skips_deletions = False

    def __init__(self, written: Any, depth: int = 1) -> None:
        if not isinstance(written, list) or not all(isinstance(one, Mapping) for one in written):
            raise ValueError("foreach must be a list of maps")
        if depth > MAX_NESTING:
            raise ValueError(f"foreach is nested deeper than {MAX_NESTING}")
        self._loops = [_Loop(one, depth) for one in written]

    @property
    def documents(self) -> Iterator[Document]:
        """All that its loops hold."""
        for loop in self._loops:
            yield from loop.documents

    @property
    def unanswerable(self) -> Iterator[str]:
        """What its loops' contexts need."""
        for loop in self._loops:
            yield from loop.context.unanswerable
            yield from loop.check.unanswerable if loop.check else ()

    def ask(self, question: Question) -> Result:
        """The first failure; else whether any element was spoken of."""
        applied = False
        unknown: UndecidedError | None = None
        broken: EvaluationError | None = None
        for loop in self._loops:
            try:
                found = loop.ask(question)
            except NotFoundError:
                continue  # the list itself is not there
            except UndecidedError as error:
                unknown = unknown or error
                continue
            except _ListError as error:
                broken = broken or error
                continue
            if found.kind == "fail":
                return found
            applied = applied or found.kind == "pass"
        if unknown is not None:
            raise unknown
        if broken is not None and not applied:
            raise broken
        return PASS if applied else SKIP


class _ListError(EvaluationError):
    """The list of a loop is no answer."""


class _Loop:
    def __init__(self, written: Mapping[str, Any], depth: int) -> None:
        refuse_unknown(written, _LOOP_FIELDS, "foreach")
        items = written.get("list")
        if not isinstance(items, str):
            raise ValueError("foreach needs a list")  # noqa: TRY004 - of the policy's text
        self._list = Document(items)
        self._query = items
        self._scope = written.get("elementScope")
        self.context = Context(written.get("context"))
        conditions = written.get("preconditions")
        self._preconditions = Conditions(conditions) if conditions else None
        self.check = check_of(written, depth + 1)

    @property
    def documents(self) -> Iterator[Document]:
        yield Document(f"{{{{ {self._query} }}}}")
        yield from self.context.documents
        yield from self._preconditions.documents if self._preconditions else ()
        yield from self.check.documents if self.check else ()

    def ask(self, question: Question) -> Result:
        """The first element's failure; skips where no element was spoken of."""
        applied = False
        unknown: UndecidedError | None = None
        for index, element in enumerate(self._elements(question)):
            if element is None:
                continue
            question.meter.step(10)
            try:
                found = self._of_element(question, element, index)
            except UndecidedError as error:
                unknown = unknown or error
                continue
            except NotFoundError as error:
                raise EvaluationError(str(error)) from None
            if found.kind == "fail":
                return found
            applied = applied or found.kind == "pass"
        if unknown is not None:
            raise unknown
        return PASS if applied else SKIP

    def _elements(self, question: Question) -> Sequence[Any]:
        try:
            found = question.query(self._query)
        except NotFoundError:
            raise
        except EvaluationError as error:
            raise _ListError(str(error)) from None
        return found if isinstance(found, list) else [found]

    def _of_element(self, question: Question, element: Any, index: int) -> Result:
        is_map = isinstance(element, Mapping)
        if self._scope is True and not is_map:
            raise EvaluationError("elementScope: the element is no map")
        scoped = is_map if self._scope is None else bool(self._scope)
        inner = question.inner(element, index, scoped=scoped)
        self.context.enter(inner)
        try:
            if self._preconditions is not None and not self._preconditions.hold(inner):
                return SKIP
        except EvaluationError:
            return SKIP  # Kyverno passes such an element by
        return self.check.ask(inner) if self.check else SKIP


def check_of(written: Mapping[str, Any], depth: int = 0) -> Check | None:
    """The demand in `validate`, or in one of its loops. Raises ValueError."""
    if written.get("deny") is not None:
        deny = written["deny"]
        if not isinstance(deny, Mapping):
            raise ValueError("deny must be a map")
        return Deny(deny)
    if written.get("pattern") is not None:
        return Pattern(written["pattern"])
    if written.get("anyPattern") is not None:
        return AnyPattern(written["anyPattern"])
    if written.get("foreach") is not None:
        return ForEach(written["foreach"], depth or 1)
    return None


def deleted(question: Question) -> bool:
    """Whether there is no object left that a pattern could be held against."""
    return question.element is None and question.subject.deleting


def shown(question: Question) -> Any:
    """What patterns are held against: the loop's element, else the object."""
    if question.element is not None:
        return question.element
    found = question.subject.review.object
    if found is UNBOUND:
        raise UndecidedError("the object is not in the record")
    return found
