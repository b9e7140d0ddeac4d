"""One review asked of one rule: what its variables name, and what asking may cost.

Source: kyverno pkg/engine/context. Everything is made when it is first asked for; what the review
can not answer is UndecidedError.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipper.rules.dialects.kyverno import images
from shipper.rules.dialects.kyverno.errors import EvaluationError, UndecidedError
from shipper.rules.dialects.kyverno.lazy import Lazy, Scope
from shipper.rules.dialects.kyverno.meter import Meter
from shipper.rules.dialects.kyverno.query import Interpreter, QueryError, compiled
from shipper.rules.dialects.kyverno.selection import NEEDS_ROLES
from shipper.rules.dialects.kyverno.subject import Subject
from shipper.rules.dialects.review import Identity, Review
from shipper.rules.terms import UNBOUND

_ACCOUNT = "system:serviceaccount:"


class Question:
    """What one rule asks; `inner` makes the question of one element of a loop."""

    __slots__ = ("_first", "_interpreter", "_scope", "element", "meter", "nesting", "subject")

    def __init__(
        self,
        subject: Subject,
        meter: Meter,
        *,
        first: Question | None = None,
        scope: Scope | None = None,
        element: Mapping[str, Any] | None = None,
        nesting: int = 0,
    ) -> None:
        """`first`: the one that this one came from; without a scope it makes one on its."""
        self.subject = subject
        self.meter = meter
        self.element = element
        self.nesting = nesting
        self._first = first
        self._scope = scope
        self._interpreter: Interpreter | None = None

    def fresh(self) -> Question:
        """The same for another rule: a scope of its own on the same request."""
        return Question(self.subject, self.meter, first=self)

    @property
    def scope(self) -> Scope:
        """What variables name; many rules never ask."""
        if self._scope is None:
            first = self._first
            self._scope = Scope({}, first.scope) if first else _root(self.subject)
        return self._scope

    @property
    def interpreter(self) -> Interpreter:
        """What asks queries, one for all questions that come from the first."""
        if self._first is not None:
            return self._first.interpreter
        if self._interpreter is None:
            self._interpreter = Interpreter(self.meter)
        return self._interpreter

    def inner(self, element: Any, index: int, *, scoped: bool) -> Question:
        """The question about one element of a loop."""
        names = {"element": element, "elementIndex": index}
        names |= {f"{name}{self.nesting}": value for name, value in names.items()}
        scope = Scope(names, self.scope)
        return self._with(scope, element if scoped else self.element, self.nesting + 1)

    def at(self, scope: Scope) -> Question:
        """The same in another scope: where an entry of the context is asked for."""
        return self._with(scope, self.element, self.nesting)

    def query(self, text: str) -> Any:
        """The value of a JMESPath. Raises EvaluationError, UndecidedError."""
        if self.subject.deleting:
            text = text.replace("request.object", "request.oldObject")
        try:
            query = compiled(text)
        except QueryError as error:
            raise EvaluationError(str(error)) from None
        return self.interpreter.ask(query, self.scope)

    def search(self, text: str, document: Any) -> Any:
        """The same, of another document."""
        try:
            return self.interpreter.ask(compiled(text), document)
        except QueryError as error:
            raise EvaluationError(str(error)) from None

    def _with(self, scope: Scope, element: Any, nesting: int) -> Question:
        return Question(
            self.subject,
            self.meter,
            first=self._first or self,
            scope=scope,
            element=element,
            nesting=nesting,
        )


def _root(subject: Subject) -> Scope:
    root = Scope({})
    request = _request(subject)
    root.define("request", lambda _scope: request)
    root.define("images", lambda _scope: images.of_object(_known(subject.shown), subject.kind))
    root.define("serviceAccountName", lambda _scope: _account(subject.review.identity)[1])
    root.define("serviceAccountNamespace", lambda _scope: _account(subject.review.identity)[0])
    return root


def _request(subject: Subject) -> Lazy:
    review, target = subject.review, subject.target
    kind = {"group": target.group, "version": target.version, "kind": subject.kind}
    resource = {"group": target.group, "version": target.version, "resource": target.resource}
    return Lazy(
        {
            "object": lambda: _known(review.object),
            "oldObject": lambda: _known(review.old_object),
            "operation": lambda: target.operation,
            "namespace": lambda: review.namespace,
            "name": lambda: review.name or subject.name,
            "kind": lambda: kind,
            "requestKind": lambda: kind,
            "resource": lambda: resource,
            "requestResource": lambda: resource,
            "subResource": lambda: target.subresource,
            "requestSubResource": lambda: target.subresource,
            "dryRun": lambda: review.dry_run,
            "userInfo": lambda: _user_info(review),
            "options": lambda: _unknown("the request's options"),
            "uid": lambda: _unknown("the request's uid"),
            "roles": lambda: _unknown_roles(),
            "clusterRoles": lambda: _unknown_roles(),
        }
    )


def _known(shown: Any) -> Any:
    if shown is UNBOUND:
        raise UndecidedError("the object is not in the record")
    return shown


def _user_info(review: Review) -> dict[str, Any]:
    who = review.identity
    if who is None:
        raise UndecidedError("nobody asks here, so request.userInfo is not known")
    return {
        "username": who.username,
        "uid": who.uid,
        "groups": list(who.groups),
        "extra": dict(who.extra),
    }


def _account(who: Identity | None) -> tuple[str, str]:
    """Namespace and name of the service account that asks; empty where it is none."""
    if who is None:
        raise UndecidedError("nobody asks here, so the service account is not known")
    parts = who.username.removeprefix(_ACCOUNT).split(":")
    is_account = who.username.startswith(_ACCOUNT) and len(parts) >= 2
    return (parts[0], parts[1]) if is_account else ("", "")


def _unknown(what: str) -> Any:
    raise UndecidedError(f"{what} is not known here")


def _unknown_roles() -> Any:
    raise UndecidedError(NEEDS_ROLES)
