"""The pack's files: valid, alike where they must be, and what kustomize makes of them."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipper.rules.cel import CompileError, Environment
from tests.deploy.guardrails.asking import FILES, GUARDRAILS, POLICIES, QUOTA, documents

VERSIONS = ["1.32", "1.37"]
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
ALL = [*FILES, QUOTA]
NAMES = [path.stem for path in ALL]

WITH_PODS = {
    "allowed-registries", "drop-capabilities", "no-default-token", "no-host-access",
    "no-latest-tag", "no-privilege-escalation", "no-privileged", "resources", "run-as-non-root",
}  # fmt: skip
WITHOUT_DEBUGGING = {"no-default-token", "no-host-access", "resources"}
"""Of these an ephemeral container can break nothing."""


def parts(path: Path) -> tuple[Any, Any]:
    """The policy and its binding."""
    policy, binding = documents(path)
    assert (policy["kind"], binding["kind"]) == (POLICY, BINDING)
    return policy, binding


def kustomized(directory: Path) -> list[Any]:
    if shutil.which("kubectl") is None:
        pytest.skip("needs kubectl, for kustomize")
    done = subprocess.run(
        ["kubectl", "kustomize", directory],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize("version", VERSIONS)
def test_they_fit_the_schemas(version: str) -> None:
    """Strictly: no unknown field anywhere."""
    validate = pytest.importorskip("kubernetes_validate").validate
    for path in (*ALL, POLICIES / "parameters.yaml"):
        for one in documents(path):
            validate(one, version, strict=True)


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_a_policy_and_its_binding_stand_together(path: Path) -> None:
    """Named after the file; denies, and says so in the audit log; fails closed."""
    policy, binding = parts(path)
    name = f"guardrails-{path.stem}"
    assert policy["metadata"]["name"] == binding["metadata"]["name"] == name
    assert binding["spec"]["policyName"] == name
    assert binding["spec"]["validationActions"] == ["Deny", "Audit"]
    assert policy["spec"]["failurePolicy"] == "Fail"
    reference = binding["spec"].get("paramRef")
    assert ("paramKind" in policy["spec"]) == (reference is not None)
    assert reference is None or reference["parameterNotFoundAction"] == "Deny"


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_every_expression_is_cel(path: Path) -> None:
    """Conditions and validations are booleans, messages texts; what is not used is not there."""
    spec = parts(path)[0]["spec"]
    environment = Environment(("object", "oldObject", "request", "params", "variables"))
    conditions = [one["expression"] for one in spec.get("matchConditions", [])]
    validations = [one["expression"] for one in spec["validations"]]
    messages = [one.get("messageExpression") for one in spec["validations"]]
    try:
        for text in (*conditions, *validations):
            environment.compile(text, expect="bool")
        for text in filter(None, messages):
            environment.compile(text, expect="string")
    except CompileError as error:
        raise AssertionError(f"{path.name}: {error.reason}") from error
    later = "".join((*validations, *filter(None, messages)))
    for variable in reversed(spec.get("variables", [])):
        environment.compile(variable["expression"], expect="any")
        assert f"variables.{variable['name']}" in later, variable["name"]
        later += variable["expression"]


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_a_message_tells_what_to_do(path: Path) -> None:
    """One line each, as the API server asks; it names a thing to set, name, put, take or bind."""
    for one in parts(path)[0]["spec"]["validations"]:
        assert re.search(
            r"\b(set|put|take|name|push|use|replace|bind|give|stay below)\b", one["message"]
        ), one["message"]
        assert "\n" not in one["message"]


def test_all_kinds_that_make_pods_are_covered() -> None:
    """The same rules in each policy about pods, and the same place of the pod's spec."""
    kinds: dict[str, set[str]] = {}
    places = set()
    for path in FILES:
        spec = parts(path)[0]["spec"]
        if path.stem in WITH_PODS | {"required-labels"}:
            kinds[path.stem] = {
                resource
                for rule in spec["matchConstraints"]["resourceRules"]
                for resource in rule["resources"]
            }
        places |= {
            one["expression"] for one in spec.get("variables", []) if one["name"] == "podSpec"
        }
    everything = {
        "pods", "replicationcontrollers", "daemonsets", "deployments", "replicasets",
        "statefulsets", "cronjobs", "jobs",
    }  # fmt: skip
    debugging = everything | {"pods/ephemeralcontainers"}
    for name, found in kinds.items():
        without = name in WITHOUT_DEBUGGING | {"required-labels"}
        assert found == (everything if without else debugging), name
    assert len(places) == 1


def test_what_is_exempt_is_listed_here() -> None:
    """Namespaces of the cluster itself; the daemon's where it could not run."""
    clusters = {"kube-system", "kube-public", "kube-node-lease"}
    more = {
        "allowed-registries": {"audit-shipper"},
        "drop-capabilities": {"audit-shipper"},
        "run-as-non-root": {"audit-shipper"},
        "no-host-access": {"audit-shipper"},
        "namespace-labels": {"audit-shipper", "default"},
    }
    for path in ALL:
        resources = parts(path)[1]["spec"].get("matchResources")
        if path.stem in {"cluster-admins", "no-default-namespace"}:
            assert resources is None
            continue
        (expression,) = resources["namespaceSelector"]["matchExpressions"]
        assert expression["key"] == "kubernetes.io/metadata.name"
        assert expression["operator"] == "NotIn"
        assert set(expression["values"]) == clusters | more.get(path.stem, set()), path.stem


def test_patterns_can_be_asked_of_the_largest_configmap() -> None:
    """At the API server's prices: a tenth of the text times a quarter of the pattern, at most
    1,000,000 for one expression (k8s.io/apiserver, PerCallLimit; cel-go, `matches`)."""
    spec = parts(POLICIES / "no-credentials-in-configmaps.yaml")[0]["spec"]
    patterns = [
        pattern
        for one in spec["validations"]
        if "size(" not in one["expression"]
        for pattern in re.findall(r'data\[key\]\.matches\(r"(.*?)"\)', one["expression"])
    ]
    assert len(patterns) == len(spec["validations"]) - 1
    for pattern in patterns:
        assert math.ceil(2**20 / 10) * math.ceil(len(pattern) / 4) < 1_000_000, pattern


# ---- kustomize


@pytest.mark.parametrize(
    ("overlay", "actions"), [("audit", ["Warn", "Audit"]), ("enforce", ["Deny", "Audit"])]
)
def test_an_overlay_changes_the_actions_alone(overlay: str, actions: list[str]) -> None:
    """Everything in the base is in it, and nothing else is different."""
    expected = [one for path in POLICIES.glob("*.yaml") for one in documents(path)]
    for one in expected:
        if one["kind"] == BINDING:
            one["spec"]["validationActions"] = actions
    made = kustomized(GUARDRAILS / "overlays" / overlay)
    assert sorted(made, key=str) == sorted(expected, key=str)


def test_the_quota_is_a_component(tmp_path: Path) -> None:
    """An overlay of one's own takes it in; its actions change with the others."""
    copy = tmp_path / "guardrails"
    shutil.copytree(GUARDRAILS, copy)
    overlay = copy / "overlays" / "audit" / "kustomization.yaml"
    overlay.write_text(overlay.read_text() + "components: [../../components/namespace-quota]\n")
    (binding,) = [
        one
        for one in kustomized(overlay.parent)
        if one["kind"] == BINDING and one["metadata"]["name"] == "guardrails-namespace-quota"
    ]
    assert binding["spec"]["validationActions"] == ["Warn", "Audit"]
