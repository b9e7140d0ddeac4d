"""docs/cel.md names every function there is, and none that there is not."""

from __future__ import annotations

import re

from shipper.rules.cel.environment import MAX_TEXT_CHARS
from shipper.rules.cel.library import FUNCTIONS
from shipper.rules.cel.library.declared import DECLARED
from shipper.rules.cel.meter import COST_LIMIT
from tests.conftest import ROOT

_TEXT = (ROOT / "docs" / "cel.md").read_text()
_TABLE = _TEXT.split("## Functions")[1].split("## Limits")[0]
_NAMED = set(re.findall(r"`([A-Za-z][A-Za-z0-9_.]+)`", _TABLE))
_TESTED = "".join(
    path.read_text() for path in sorted((ROOT / "tests" / "rules" / "cel").rglob("test_*.py"))
)


def test_every_function_is_documented() -> None:
    """What can be called stands in the table."""
    ours = {function.name for function in FUNCTIONS if "@" not in function.name}
    names = ours | {declared.name for declared in DECLARED if not declared.name.startswith("_")}
    assert names - {"string"} - _NAMED == set()


def test_every_documented_function_is_called_by_a_test() -> None:
    """A name in the table that no test calls may be a name of nothing."""
    formats = {name for name in _NAMED if name.startswith("format.")}  # called by a table of names
    assert {name for name in _NAMED - formats if f"{name}(" not in _TESTED} == set()


def test_the_limits_are_those_in_force() -> None:
    """The figures in the text are the constants in the code."""
    assert f"{COST_LIMIT:,} steps" in _TEXT
    assert f"{MAX_TEXT_CHARS:,} characters" in _TEXT
