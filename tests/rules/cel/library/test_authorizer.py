"""The authorizer in expressions: it compiles, and is known to the cluster alone."""

from __future__ import annotations

import pytest

from shipper.rules.cel import CelError, CompileError
from tests.rules.cel.asking import ENVIRONMENT, ask

EXPRESSIONS = [
    "authorizer.path('/healthz').check('get').allowed()",
    "authorizer.group('').resource('pods').namespace('default').check('create').allowed()",
    "authorizer.group('apps').resource('deployments').subresource('scale').name('x')"
    ".check('update').errored()",
    "authorizer.group('').resource('pods').fieldSelector('a=b').labelSelector('c=d')"
    ".check('list').reason() == ''",
    "authorizer.serviceAccount('default', 'me').group('').resource('pods').check('get').error()"
    " == ''",
    "authorizer.requestResource.check('update').allowed()",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_what_the_authorizer_would_say_is_unknown(text: str) -> None:
    """A policy that asks the authorizer loads; its answer depends on what is not known here."""
    answer = ask(text)
    assert isinstance(answer, CelError)
    assert (answer.kind, answer.name) == ("unbound", "authorizer")
    assert ENVIRONMENT.compile(text).references == {"authorizer"}


def test_the_answer_may_not_depend_on_it() -> None:
    """False and unknown is false, true or unknown is true."""
    allowed = "authorizer.path('/').check('get').allowed()"
    assert ask(f"false && {allowed}") is False
    assert ask(f"{allowed} || true") is True


@pytest.mark.parametrize("text", ["authorizer.path(1)", "authorizer.allowed()", "authorizer.x"])
def test_a_mistake_about_the_authorizer_is_refused(text: str) -> None:
    """Its functions are checked like any other."""
    with pytest.raises(CompileError):
        ENVIRONMENT.compile(text, expect="any")
