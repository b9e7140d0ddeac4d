"""Reads one Sigma rule by pySigma, within bounds, and names what is wrong with it by file and line.

Decides nothing about fields: emit.py does.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from sigma.exceptions import SigmaError
from sigma.policy import SigmaPolicy
from sigma.policy.regex_engine import RegexEngine
from sigma.rule import SigmaRule

from shipper.rules.cel.library.function import CallError
from shipper.rules.cel.library.regex import compiled
from shipper.rules.dialects.cel_text import UnsupportedError
from shipper.rules.dialects.sigma.emit import Emitted, FieldedError, emitted, one_of
from shipper.rules.dialects.walk import text_of
from shipper.rules.document import Document, Path, Problem

MAX_CONDITION_CHARS = 8192
MAX_PARENTHESES = 64
MAX_VALUES = 20_000
"""In one rule's detection: more could not be asked of an event."""


class MistakeError(Exception):
    """The rule cannot be translated."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


class _Regexes(RegexEngine):
    """The engine's own regular expressions: bounded, and silent about what a rule holds."""

    error = CallError

    def compile(self, pattern: str, flags: int = 0) -> Any:
        """The compiled pattern. Raises CallError."""
        names = {re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s"}
        chosen = "".join(name for flag, name in names.items() if flags & flag)
        return compiled(f"(?{chosen}){pattern}" if chosen else pattern)


_POLICY = SigmaPolicy(regex_engine=_Regexes())


def condition(document: Document) -> Emitted:
    """The rule's condition. Raises MistakeError."""
    value = document.value
    _bound(document)
    try:
        rule = SigmaRule.from_dict(copy.deepcopy(value), policy=_POLICY)
        parsed = rule.detection.parsed_condition
        return one_of([emitted(one.parsed) for one in parsed])
    except FieldedError as error:
        raise MistakeError(document.problem(_path_of(value, error.field), str(error))) from error
    except UnsupportedError as error:
        raise MistakeError(document.problem(("detection",), str(error))) from error
    except SigmaError as error:
        raise MistakeError(document.problem(_path_of_error(error), _reason(error))) from error
    except RecursionError:
        raise MistakeError(document.problem(("detection",), "nested too deeply")) from None


def _bound(document: Document) -> None:
    """Refuses what would take pySigma long to read."""
    detection = document.value["detection"]
    written = detection.get("condition") if isinstance(detection, dict) else None
    for text in map(text_of, written if isinstance(written, list) else [written]):
        if len(text) > MAX_CONDITION_CHARS or text.count("(") > MAX_PARENTHESES:
            reason = (
                f"longer than {MAX_CONDITION_CHARS} characters,"
                f" or more than {MAX_PARENTHESES} parentheses"
            )
            raise MistakeError(document.problem(("detection", "condition"), reason))
    left, many = [detection], 0
    while left:
        one = left.pop()
        many += 1
        if isinstance(one, dict | list):
            left.extend(one.values() if isinstance(one, dict) else one)
        if many > MAX_VALUES:
            reason = f"more than {MAX_VALUES:,} values"
            raise MistakeError(document.problem(("detection",), reason))


def _path_of(value: Mapping[str, Any], field: str) -> Path:
    """Where `field` stands in the detection."""
    for name, selection in value["detection"].items():
        maps = selection if isinstance(selection, list) else [selection]
        for number, one in enumerate(maps):
            for key in one if isinstance(one, dict) else ():
                if key.partition("|")[0] == field:
                    step = (number,) if isinstance(selection, list) else ()
                    return ("detection", name, *step, key)
    return ("detection",)


def _path_of_error(error: SigmaError) -> Path:
    kind = type(error).__name__
    if "Condition" in kind:
        return ("detection", "condition")
    for word, key in (("Level", "level"), ("Status", "status"), ("Logsource", "logsource")):
        if word in kind:
            return (key,)
    return ("detection",)


def _reason(error: SigmaError) -> str:
    return " ".join(str(error).split())[:500] or type(error).__name__
