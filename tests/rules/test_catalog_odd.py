"""Odd objects: what lacks a field is judged without it, and is no mistake of the rule."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from shipper.rules.compile import Rule
from shipper.rules.engine import Engine
from shipper.rules.ruleset import RuleSet
from shipper.rules.testing import lines_of
from tests.rules.catalog import shipped

BODIES = ("requestObject", "responseObject")
READS_BODIES = [rule for rule in shipped().rules if rule.needs_level != "Metadata"]


def _paths(value: Any) -> Iterator[tuple[str | int, ...]]:
    """Where a member of a map stands, the deepest first within each."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from ((key, *path) for path in _paths(item))
            yield (key,)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from ((index, *path) for path in _paths(item))


def _without(event: dict[str, Any], path: tuple[str | int, ...], *, null: bool) -> bytes:
    odd: Any = copy.deepcopy(event)
    inner = odd
    for step in path[:-1]:
        inner = inner[step]
    if null:
        inner[path[-1]] = None
    else:
        del inner[path[-1]]
    return msgspec.json.encode(odd)


def _odd(event: dict[str, Any]) -> Iterator[bytes]:
    for body in BODIES:
        for path in _paths(event.get(body)):
            yield _without(event, (body, *path), null=False)
            if body == "responseObject":
                yield _without(event, (body, *path), null=True)


@pytest.mark.parametrize("rule", READS_BODIES, ids=lambda rule: str(rule.name))
def test_a_field_that_is_not_there_is_no_error(rule: Rule) -> None:
    """Each member of each body of the rule's own events left out, or null: decided all the same."""
    whole = shipped()
    alone = RuleSet([rule], environment=whole.environment, params=whole.params)
    for test in rule.written.spec.tests:
        event = msgspec.json.decode(lines_of(test)[0])
        findings = Engine(alone).evaluate(list(_odd(event)))
        undecided = {found.message for found in findings if found.verdict == "indeterminate"}
        assert undecided == set(), test.name
