"""ValidatingAdmissionPolicy: the cases of kubescape/cel-admission-library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shipper.rules.dialects.policy import Ident, Source, Verdict
from shipper.rules.dialects.vap import Vap
from tests.conformance.case import Case, entries
from tests.rules.dialects.objects import ident_of, review

TARGETS: Mapping[str, float] = {"ValidatingAdmissionPolicy": 99}

_C0020 = (
    "kubescape-c-0020-deny-resources-having-volumes-with-potential-access-to-known-cloud"
    "-credentials: Cloud Provider is not configured and"
)
_SAME_PARAMS = (
    "the test has parameters of its own, without cloudProvider; the corpus has the default ones"
)
EXPLAINED: Mapping[str, str] = {
    f'{_C0020} {kind} having volume with hostPath "/etc/kubernetes" is allowed': _SAME_PARAMS
    for kind in ("Pod", "Deployment")
}


def cases(corpus: Path) -> Iterator[Case]:
    """Each resource against its one policy, bound to its parameters."""
    policies = {
        document["metadata"]["name"]: document
        for entry in entries(corpus / "vap-policies.jsonl.zst")
        for document in entry["documents"]
        if document["kind"] == "ValidatingAdmissionPolicy"
    }
    dialect = Vap()
    for entry in entries(corpus / "vap-cases.jsonl.zst"):
        got, note = _judged(dialect, policies[entry["policy"]], entry)
        yield Case(
            "ValidatingAdmissionPolicy",
            f"{entry['policy']}: {entry['test']}",
            expected=entry["expected"],
            got=got,
            note=note,
        )


def _judged(dialect: Vap, policy: dict[str, Any], entry: dict[str, Any]) -> tuple[str, str]:
    spec: dict[str, Any] = {"policyName": entry["policy"], "validationActions": ["Deny"]}
    values = [policy]
    if entry.get("params"):
        spec["paramRef"] = {"name": entry["params"]["metadata"]["name"]}
        values.append(entry["params"])
    metadata = {"name": "bound"}
    kind, version = "ValidatingAdmissionPolicyBinding", policy["apiVersion"]
    values.append({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})
    objects: dict[Ident, Source] = {ident_of(value): Source(value, None) for value in values}
    found = dialect.link(objects)
    if found.problems:
        return "problem", str(found.problems[0])
    verdicts = [v for one in found.policies for v in one.judge(review(entry["resource"]))]
    return _worst(verdicts), ""


def _worst(verdicts: list[Verdict]) -> str:
    outcomes = {verdict.outcome for verdict in verdicts if not verdict.exempt}
    return next((one for one in ("fail", "indeterminate") if one in outcomes), "pass")
