"""`audit-shipper rules backtest` over the archive that capture made, and over the same plain log.

Whole processes, as a person starts them, start-up included; CPU is user + sys of all of them. With
one rule, with the catalog's, and with policies: ValidatingAdmissionPolicies of two validations each
about what pods and their controllers are made of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.bench import MB, Bench
from bench.daemon import PROGRAM
from bench.process import MIB, Usage, measure
from bench.table import Row, at_least, known, under

POLICIES = 20
"""As a cluster has them."""

_GIB = 1024**3
_ACCESS = (
    "allowPrivilegeEscalation", "privileged", "readOnlyRootFilesystem", "runAsNonRoot",
)  # fmt: skip


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    runs = _Runs(bench)
    size = runs.size
    for name, rules in (("one rule", runs.rule()), ("the catalog", None)):
        used = runs.sealed(name, rules)
        yield at_least(
            f"backtest, {name}, MB per CPU-second", size / MB / used.cpu_seconds, 100, ""
        )
    policies = runs.policies()
    used = runs.sealed(f"{POLICIES} policies", policies)
    seconds = used.wall_seconds * _GIB / size
    yield under(f"backtest, {POLICIES} policies, wall time of 1 GiB", seconds, 30, "s", digits=1)
    yield known("the same, MB per CPU-second", size / MB / used.cpu_seconds, "")
    yield known("the same, peak memory of all its processes", used.peak_tree_pss / MIB, "MiB")
    used = runs.plain(f"{POLICIES} policies, plain log", policies)
    seconds = used.wall_seconds * _GIB / size
    yield known(f"backtest, {POLICIES} policies, a plain log of 1 GiB", seconds, "s", digits=1)


class _Runs:
    """Runs over one history, with different rules."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._installation, self.size = bench.captured()
        self._log, _ = bench.input()
        self._directory = bench.directory / "backtest"
        self._directory.mkdir()

    def sealed(self, name: str, rules: Path | None) -> Usage:
        """Over the archive."""
        installed = self._installation
        history = [f"file://{installed.store}", "--key", installed.public_key]
        return self._run(name, history, rules)

    def plain(self, name: str, rules: Path | None) -> Usage:
        """Over the log itself."""
        return self._run(name, [str(self._log)], rules)

    def rule(self) -> Path:
        """One rule that looks into pods."""
        return self._written("rule", [_rule()])

    def policies(self) -> Path:
        """The policies, each with its binding."""
        documents = [one for number in range(POLICIES) for one in _policy(number)]
        return self._written("policies", documents)

    def _run(self, name: str, history: Sequence[str], rules: Path | None) -> Usage:
        self._bench.say(f"rules backtest, {name}")
        tried = ["--rules", str(rules)] if rules else []
        command = [PROGRAM, "rules", "backtest", *history, *tried, "--output", "json"]
        return measure(command, log=self._directory / "output", sample_tree=True)

    def _written(self, name: str, documents: Sequence[dict[str, Any]]) -> Path:
        path = self._directory / f"{name}.yaml"
        path.write_text("\n---\n".join(map(json.dumps, documents)))  # JSON is YAML
        return path


def _rule() -> dict[str, Any]:
    return {
        "apiVersion": "audit-shipper/v1",
        "kind": "AuditRule",
        "metadata": {"name": "privileged"},
        "spec": {
            "title": "Privileged",
            "severity": "high",
            "match": {"verbs": ["create"], "resources": ["pods"]},
            "when": "containers.exists(c, has(c.securityContext.privileged)"
            " && c.securityContext.privileged)",
        },
    }


def _policy(number: int) -> Iterator[dict[str, Any]]:
    """A policy about pods and one about their controllers in turn, as real ones are written."""
    group, version = "admissionregistration.k8s.io", "v1"
    field = _ACCESS[number % len(_ACCESS)]
    pods = number % 2 == 0
    spec = "object.spec" if pods else "object.spec.template.spec"
    resources = ["pods"] if pods else ["deployments", "replicasets", "statefulsets", "daemonsets"]
    rule = {
        "apiGroups": [""] if pods else ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": resources,
    }
    names = {"name": f"policy-{number}"}
    yield {
        "apiVersion": f"{group}/{version}",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": names,
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "variables": [{"name": "containers", "expression": f"{spec}.containers"}],
            "validations": [
                {
                    "expression": "variables.containers.all(c, !has(c.securityContext) ||"
                    f" !has(c.securityContext.{field}) || c.securityContext.{field} != true)",
                    "message": f"{field} {number}",
                },
                {
                    "expression": "variables.containers.all(c,"
                    f" !c.image.startsWith('registry-{number}.example.com/'))",
                    "message": f"registry {number}",
                },
            ],
        },
    }
    yield {
        "apiVersion": f"{group}/{version}",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": names,
        "spec": {"policyName": names["name"], "validationActions": ["Deny"]},
    }
