"""What the tests of expressions share: one environment, and a question asked in one line."""

from __future__ import annotations

from typing import Any

from shipper.rules.cel import CelError, Environment
from shipper.rules.cel.program import Expect

ENVIRONMENT = Environment()


def ask(text: str, /, **variables: Any) -> Any:
    """The value of `text`, of whatever type, or its CelError."""
    return ask_for("any", text, **variables)


def ask_for(expect: Expect, text: str, /, **variables: Any) -> Any:
    """The value of `text` as what is expected, or its CelError."""
    program = ENVIRONMENT.compile(text, expect=expect)
    return program.evaluate(ENVIRONMENT.activation(variables))


def refused(text: str, /, **variables: Any) -> bool:
    """Whether evaluating `text` ends with an error of the data, and a reason."""
    answer = ask(text, **variables)
    return isinstance(answer, CelError) and answer.kind == "error" and bool(answer.reason)
