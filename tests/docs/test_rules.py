"""`docs/rules.md` says what the rule file is: every key, every variable, and examples that work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from shipper import config
from shipper.cli.rules import VERBS
from shipper.rules import compile as compiling
from shipper.rules import message, needs, threshold
from shipper.rules.cel.environment import VARIABLES
from shipper.rules.compile import REQUEST_FIELDS
from shipper.rules.fields import NAMES
from shipper.rules.load import load_tested
from shipper.rules.schema import schema
from shipper.rules.testing import run_tests

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rules.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
CELLS = [line.strip("|").split("|")[0] for line in PAGE.splitlines() if line.startswith("|")]
SHOWN = {name for cell in CELLS for name in re.findall(r"`([^`]+)`", cell)}


def section(name: str) -> str:
    """The part of the page below a heading."""
    return re.split(r"\n##", PAGE.split(f"# {name}\n", 1)[1])[0]


def properties(name: str) -> Iterator[str]:
    yield from schema()["$defs"][name]["properties"]


def test_every_key_stands_in_the_page() -> None:
    """Of a rule, of its match block, and of what stands in its lists."""
    assert {f"spec.{key}" for key in properties("RuleSpec")} <= SHOWN
    assert {f"match.{key}" for key in properties("RuleMatch")} <= SHOWN
    for name, struct in (
        ("spec.exceptions", "Exemption"),
        ("spec.threshold", "Threshold"),
        ("spec.tests", "Test"),
    ):
        assert all(f"`{key}`" in section(name) for key in properties(struct)), name


def test_no_other_key_does() -> None:
    """What the page names is there."""
    spec = {f"spec.{key}" for key in properties("RuleSpec")}
    match = {f"match.{key}" for key in properties("RuleMatch")}
    shown = {name for name in SHOWN if re.match(r"(spec|match)\.", name)}
    assert shown == spec | match


def test_every_variable_and_field_stands_in_the_page() -> None:
    """What an expression may name, and no more."""
    assert set(VARIABLES) <= SHOWN
    fields = {f"event.{name}" for name in NAMES} | {f"request.{name}" for name in REQUEST_FIELDS}
    bodies = {"event.requestObject", "event.responseObject"}
    shown = {name for name in SHOWN if re.match(r"(event|request)\.", name)}
    assert shown == fields | bodies
    below = {**NAMES, **REQUEST_FIELDS}
    rows = (
        re.match(r"\| `(?:event|request)\.(\w+)`.*\| `(.*) \|$", line) for line in PAGE.splitlines()
    )
    listed = {row[1]: set(re.findall(r"`?(\w+)`", row[2])) for row in rows if row and below[row[1]]}
    assert len(listed) == 5
    assert all(fields == set(below[name] or ()) for name, fields in listed.items()), listed


def test_every_verb_of_the_command_stands_in_the_page() -> None:
    """And no other."""
    assert set(re.findall(r"^    audit-shipper rules +(\w+)", PAGE, re.MULTILINE)) == set(VERBS)


def test_the_first_rule_works(tmp_path: Path) -> None:
    """The example is a rule, its tests pass, and the parameters beside it are read."""
    first, parameters = EXAMPLES[0], next(text for text in EXAMPLES if "AuditParams" in text)
    (tmp_path / "shell.yaml").write_text(f"{first}\n---\n{parameters}")
    outcomes = list(run_tests(load_tested([tmp_path])))
    assert [one.says for one in outcomes] == ["", ""]


def test_the_example_of_overrides_is_a_configuration() -> None:
    """Its keys are those of the page."""
    text = next(text for text in EXAMPLES if "overrides" in text)
    least: dict[str, Any] = {
        "source": {"path": "/a"},
        "seal": {"key_file": "/k"},
        "store": {"url": "file:///s"},
    }
    loaded = config.parse(yaml.safe_dump(least | yaml.safe_load(text)), {})
    assert set(loaded.rules.overrides) == {"shell-in-payments"}


def test_the_limits_are_those_of_the_program() -> None:
    """Numbers in the page, as the program has them."""
    assert f"at most {threshold.MAX_KEYS:,} keys" in PAGE
    assert f"At most {message.MAX_MESSAGE:,} characters" in PAGE
    assert f"cut at {message.MAX_VALUE}" in PAGE
    assert f"at most `{compiling.MAX_WINDOW_SECONDS / 86400:.0f}d`" in PAGE
    assert all(f"`{verb}`" in PAGE for verb in needs.VERBS)
