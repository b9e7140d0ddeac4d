"""What the tests of detection languages share: rules from a text, and what they say of events."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shipper.rules.dialects import registry
from shipper.rules.document import read
from shipper.rules.engine import Engine
from shipper.rules.load import load_tested
from shipper.rules.ruleset import RuleSet
from tests.rules.support import line


def loaded(directory: Path, *texts: str) -> RuleSet:
    """The rules in the texts, each a file; they are loaded in their order."""
    for number, text in enumerate(texts):
        (directory / f"{number:02}.yaml").write_text(text)
    return load_tested([directory])


def problems(*texts: str) -> list[str]:
    """What a translation finds wrong with the texts, as `file:line: reason`."""
    documents, found = [], []
    for number, text in enumerate(texts):
        more, unreadable = read(text, f"{number:02}.yaml")
        documents += more
        found += unreadable
    language = registry.detection_of(documents[0].value)
    assert language is not None
    return [str(problem) for problem in [*found, *language.make().translate(documents).problems]]


def notes(rules: RuleSet, directory: Path) -> list[str]:
    """What was left out."""
    return [str(note).removeprefix(f"{directory}/") for note in rules.notes]


def said(rules: RuleSet, *lines: bytes) -> list[tuple[str, str]]:
    """Which rules say what of the events."""
    return [(one.rule, one.verdict) for one in Engine(rules).evaluate(lines)]


def messages(rules: RuleSet, *lines: bytes) -> list[str]:
    """What the findings tell."""
    return [one.message for one in Engine(rules).evaluate(lines)]


def request(
    verb: str = "create",
    resource: str = "pods",
    *,
    code: int = 201,
    body: Mapping[str, Any] | None = None,
    **fields: Any,
) -> bytes:
    """A request about an object, with the body that was sent."""
    ref = {"resource": resource, "namespace": "default", "name": "one", "apiVersion": "v1"}
    event = {
        "verb": verb,
        "user": {"username": "bob", "groups": ["system:authenticated"]},
        "objectRef": ref,
        "responseStatus": {"code": code},
        **({"requestObject": body} if body is not None else {}),
    }
    return line(**{**event, **fields})
