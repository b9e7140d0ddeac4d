"""Gatekeeper: the suites of gatekeeper-library, for templates that have CEL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shipper.rules.dialects.gatekeeper import Gatekeeper
from shipper.rules.dialects.policy import Source
from tests.conformance.case import Case, entries
from tests.rules.dialects.objects import ident_of, review

TARGETS: Mapping[str, float] = {"Gatekeeper, CEL": 100, "Gatekeeper, Rego alone": 100}
EXPLAINED: Mapping[str, str] = {}

_WEIGHTS = ("pass", "indeterminate", "fail", "problem")


def cases(corpus: Path) -> Iterator[Case]:
    """Each object against its one constraint. Rego alone must come out indeterminate."""
    templates = {
        document["metadata"]["name"]: document
        for entry in entries(corpus / "gatekeeper-templates.jsonl.zst")
        for document in entry["documents"]
        if document["kind"] == "ConstraintTemplate"
    }
    dialect = Gatekeeper()
    for entry in entries(corpus / "gatekeeper-cases.jsonl.zst"):
        outcomes = set(_outcomes(dialect, templates[entry["template"]], entry))
        expected = "fail" if entry["expect_violation"] else "pass"
        got = max(outcomes, key=_WEIGHTS.index, default="pass")
        group = "Gatekeeper, CEL"
        if not entry["has_cel"]:
            group, expected = "Gatekeeper, Rego alone", "indeterminate"
        name = f"{entry['suite']}: {entry['test']}: {entry['case']}"
        yield Case(group, name, expected=expected, got=got)


def _outcomes(
    dialect: Gatekeeper, template: dict[str, Any], entry: dict[str, Any]
) -> Iterator[str]:
    values = [template, entry["constraint"]]
    found = dialect.link({ident_of(value): Source(value, None) for value in values})
    yield from ("problem" for _ in found.problems)
    of = entry["review"]
    asked = review(of["object"], operation=of["operation"] or "CREATE", old=of.get("oldObject"))
    for policy in found.policies:
        yield from (one.outcome for one in policy.judge(asked) if not one.exempt)
