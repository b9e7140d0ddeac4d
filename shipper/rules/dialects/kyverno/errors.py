"""Why a rule has no answer, and whose fault that is. No behaviour.

EvaluationError      Kyverno itself could not evaluate it: its own result would be "error"
  NotFoundError      a path names a field that is not there
UndecidedError       what it asks can not be answered here, or would cost too much
"""

from __future__ import annotations


class EvaluationError(Exception):
    """The policy asks what the object can not answer. Kyverno refuses the request or reports it."""


class NotFoundError(EvaluationError):
    """A field is not there; most of a query takes it for null, its head does not."""

    def __init__(self, key: str) -> None:
        super().__init__(f'unknown key "{key[:100]}" in path')


class UndecidedError(Exception):
    """It needs the cluster, a registry, the clock, or more work than one question is worth."""


def too_much(what: str) -> UndecidedError:
    """The limit that was reached, in words."""
    return UndecidedError(f"cost limit: {what}")
