"""Kyverno: the cases of kyverno/policies (its own tests, for the command line tool)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shipper.rules.dialects.kyverno import Kyverno
from shipper.rules.dialects.policy import Ident, Policy, Source, Verdict
from shipper.rules.dialects.review import Identity, Review
from shipper.rules.terms import UNBOUND
from tests.conformance.case import Case, entries
from tests.rules.dialects.objects import ident_of, review

TARGETS: Mapping[str, float] = {
    "Kyverno cel": 99,
    "Kyverno ValidatingPolicy": 95,
    "Kyverno pattern": 99,
    "Kyverno deny": 98,
    "Kyverno foreach": 99,
    "Kyverno podSecurity": 90,
}
EXPLAINED: Mapping[str, str] = {}

_GROUPS = {"anyPattern": "pattern"}


def cases(corpus: Path) -> Iterator[Case]:
    """Each resource against each rule that is tested on it."""
    documents = {
        entry["policy_path"]: entry["documents"]
        for entry in entries(corpus / "kyverno-policies.jsonl.zst")
    }
    dialect = Kyverno()
    seen: dict[str, int] = {}
    for entry in entries(corpus / "kyverno-cases.jsonl.zst"):
        kind = _GROUPS.get(entry["rule_kind"], entry["rule_kind"])
        metadata = entry["resource"].get("metadata", {})
        name = f"{entry['policy_path']}: {entry['rule']}: {entry['resource']['kind']}"
        name = f"{name} {metadata.get('name', '')}"
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name = f"{name} ({seen[name]})"
        got, note = judged(dialect, documents[entry["policy_path"]], entry)
        expected = entry["expected"]
        if entry["deps"] and got == "indeterminate":
            expected = got
        if f"Kyverno {kind}" in TARGETS:  # the others are of rules that mutate
            yield Case(f"Kyverno {kind}", name, expected=expected, got=got, note=note)


def judged(
    dialect: Kyverno, documents: list[dict[str, Any]], entry: Mapping[str, Any]
) -> tuple[str, str]:
    """What the case's rule says of its resource, and why."""
    given = _Given(entry)
    objects: dict[Ident, Source] = {
        ident_of(value): Source(given.filled(value), None)
        for value in documents
        if value["metadata"]["name"] == entry["policy"]
    }
    found = dialect.link(objects)
    if found.problems:
        return "problem", str(found.problems[0])
    asked = given.review(entry["resource"])
    verdicts = [
        verdict
        for policy in found.policies
        for verdict in _asked(policy, asked)
        if _is_of(verdict.rule, rule_of(entry))
    ]
    return _worst(verdicts), "; ".join(verdict.message for verdict in verdicts)[:300]


def _asked(policy: Policy, asked: Review) -> list[Verdict]:
    return list(policy.judge(asked)) if policy.may_concern(asked.target) else []


def rule_of(entry: Mapping[str, Any]) -> str | None:
    """The rule that is tested; a ValidatingPolicy has none of that name."""
    return None if entry["policy_kind"] == "ValidatingPolicy" else entry["rule"]


def _is_of(name: str, rule: str | None) -> bool:
    return rule is None or name in (rule, f"autogen-{rule}", f"autogen-cronjob-{rule}")


def _worst(verdicts: list[Verdict]) -> str:
    outcomes = {verdict.outcome for verdict in verdicts if not verdict.exempt}
    return next((one for one in ("fail", "indeterminate", "pass") if one in outcomes), "skip")


class _Given:
    """What a case says beside its policy and its resource: values, and who asks."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self._rule = rule_of(entry)
        self._name = entry["resource"].get("metadata", {}).get("name")
        self._user = entry["userinfo"] or []
        self._namespaces: dict[str, Any] = {}
        self.values: dict[str, Any] = {}
        for document in entry["values"] or ():
            self._take(document, entry["policy"])

    def _take(self, document: Mapping[str, Any], policy: str) -> None:
        self.values |= document.get("globalValues") or {}
        for namespace in document.get("namespaces") or ():
            self._namespaces[namespace["metadata"]["name"]] = namespace
        for selected in document.get("namespaceSelector") or ():
            metadata = {"name": selected["name"], "labels": selected.get("labels") or {}}
            self._namespaces[selected["name"]] = {
                "apiVersion": "v1", "kind": "Namespace", "metadata": metadata,
            }  # fmt: skip
        for given in document.get("policies") or ():
            if given["name"] != policy:
                continue
            for rule in given.get("rules") or ():
                if _is_of(rule["name"], self._rule):
                    self.values |= rule.get("values") or {}
            for resource in given.get("resources") or ():
                if resource["name"] == self._name:
                    self.values |= resource.get("values") or {}

    def filled(self, policy: Any) -> Any:
        """The policy, with what the case says in the place of what only a cluster knows."""
        if isinstance(policy, list):
            return [self.filled(item) for item in policy]
        if not isinstance(policy, dict):
            return policy
        name = policy.get("name")
        if isinstance(name, str) and {"apiCall", "configMap", "imageRegistry"} & policy.keys():
            value = _nested(name, self.values)
            if value is not None:
                return {"name": name, "variable": {"value": value}}
        return {key: self.filled(item) for key, item in policy.items()}

    def review(self, resource: dict[str, Any]) -> Review:
        """The review that the case is about."""
        identity = self._identity()
        operation = self.values.get("request.operation", "CREATE")
        return review(
            resource,
            identity=identity,
            operation=operation,
            old=resource if operation == "UPDATE" else None,  # as Kyverno's tool has it
            namespace_object=self._namespace(resource),
        )

    def _namespace(self, resource: Mapping[str, Any]) -> Any:
        """The Namespace: where the case gives any, one that it does not give has a name alone."""
        name = resource.get("metadata", {}).get("namespace", "default")
        bare = {"metadata": {"name": name}} if self._namespaces else UNBOUND
        return self._namespaces.get(name, bare)

    def _identity(self) -> Identity | None:
        account = self.values.get("serviceAccountName")
        if account:
            return Identity(username=f"system:serviceaccount:default:{account}")
        return None


def _nested(name: str, values: Mapping[str, Any]) -> Any:
    """`saMap.data.x: v` as a map."""
    found: Any = values.get(name)
    for key, value in values.items():
        path = key.split(".")
        if path[0] == name and len(path) > 1:
            found = found if isinstance(found, dict) else {}
            inner = found
            for step in path[1:-1]:
                inner = inner.setdefault(step, {})
            inner[path[-1]] = value
    return found
