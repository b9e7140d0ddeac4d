"""Gatekeeper: the suites of gatekeeper-library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shipper.rules.dialects.gatekeeper import Gatekeeper
from shipper.rules.dialects.gatekeeper.policy import OURS, REGO
from shipper.rules.dialects.policy import Linked, Source
from tests.conformance.case import Case, entries
from tests.rules.dialects.objects import ident_of, review

TARGETS: Mapping[str, float] = {
    "Gatekeeper, CEL": 100,
    "Gatekeeper, CEL of our own": 100,
    "Gatekeeper, other Rego": 100,
}
EXPLAINED: Mapping[str, str] = {}

_WEIGHTS = ("pass", "indeterminate", "fail", "problem")


def cases(corpus: Path) -> Iterator[Case]:
    """Each object against its one constraint; Rego that nothing stands for must be undecided."""
    templates = {
        document["metadata"]["name"]: document
        for entry in entries(corpus / "gatekeeper-templates.jsonl.zst")
        for document in entry["documents"]
        if document["kind"] == "ConstraintTemplate"
    }
    dialect = Gatekeeper()
    for entry in entries(corpus / "gatekeeper-cases.jsonl.zst"):
        values = [templates[entry["template"]], entry["constraint"]]
        found = dialect.link({ident_of(value): Source(value, None) for value in values})
        needs = [one for policy in found.policies for one in policy.unanswerable]
        expected = "fail" if entry["expect_violation"] else "pass"
        group = "Gatekeeper, CEL of our own" if OURS in needs else "Gatekeeper, CEL"
        if REGO in needs:
            group, expected = "Gatekeeper, other Rego", "indeterminate"
        got = max(_outcomes(found, entry["review"]), key=_WEIGHTS.index, default="pass")
        name = f"{entry['suite']}: {entry['test']}: {entry['case']}"
        yield Case(group, name, expected=expected, got=got)


def _outcomes(found: Linked, of: dict[str, Any]) -> Iterator[str]:
    yield from ("problem" for _ in found.problems)
    asked = review(of["object"], operation=of["operation"] or "CREATE", old=of.get("oldObject"))
    for policy in found.policies:
        yield from (one.outcome for one in policy.judge(asked) if not one.exempt)
