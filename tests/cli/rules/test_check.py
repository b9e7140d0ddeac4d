"""`rules check`: what it prints, and its exit codes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from shipper.cli.main import commands
from tests.conftest import ROOT
from tests.manifests.support import pod, text_of

PACK = ROOT / "deploy" / "guardrails" / "base" / "policies"
PRIVILEGED = pod(
    containers=[
        {"name": "app", "image": "registry.k8s.io/a:1", "securityContext": {"privileged": True}}
    ]
)


def check(*args: str | Path, input_: str | None = None) -> Result:
    return CliRunner().invoke(commands, ["rules", "check", *map(str, args)], input=input_)


def policy(name: str, expression: str, **spec: Any) -> dict[str, Any]:
    pods = {
        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"],
    }  # fmt: skip
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [pods]},
            "validations": [{"expression": expression, "message": "not so"}],
            **spec,
        },
    }


def binding(name: str, *actions: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": list(actions), **spec},
    }


def written(path: Path, *documents: Any) -> Path:
    path.write_text(text_of(*documents))
    return path


def test_what_the_pack_denies_is_denied(tmp_path: Path) -> None:
    """Exit code 1; file, line, object, policy and remedy on one line each; counts at the end."""
    manifest = written(tmp_path / "m.yaml", "# Source: web/templates/p.yaml", PRIVILEGED)
    done = check(manifest, "--rules", PACK)
    assert done.exit_code == 1
    assert (
        f"{manifest}:3: deny       Pod shop/p: ValidatingAdmissionPolicy guardrails-no-privileged:"
        " validations[0]: privileged containers: app; take securityContext.privileged out"
    ) in done.stdout
    assert done.stderr.startswith("1 objects, 15 policies, 0 rules: ")


def test_warnings_pass(tmp_path: Path) -> None:
    """A binding that only warns or audits does not fail a pipeline."""
    rules = written(
        tmp_path / "r.yaml", policy("a", "false"), binding("a", "Warn"),
        policy("b", "false"), binding("b", "Audit"),
    )  # fmt: skip
    done = check(written(tmp_path / "m.yaml", pod()), "--rules", rules)
    assert done.exit_code == 0
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["warn", "warn"]
    assert "0 denied, 2 warnings, 0 undecided" in done.stderr


def test_a_policy_without_a_binding_denies_and_says_so(tmp_path: Path) -> None:
    """Who tries a policy wants to know what it would do; one that is bound stays as bound."""
    rules = written(
        tmp_path / "r.yaml", policy("new", "false"), policy("old", "false"), binding("old", "Warn")
    )
    done = check(written(tmp_path / "m.yaml", pod()), "--rules", rules)
    assert done.exit_code == 1
    assert "has no binding: asked as if it denied everywhere" in done.stderr
    assert done.stderr.count("ValidatingAdmissionPolicy new") == 1
    assert {line.split()[1] for line in done.stdout.splitlines()} == {"deny", "warn"}
    page = json.loads(check(tmp_path / "m.yaml", "--rules", rules, "--format", "json").stdout)
    assert page["unbound"] == ["ValidatingAdmissionPolicy new"]


def test_what_only_the_cluster_knows_is_undecided(tmp_path: Path) -> None:
    """Who asks, and labels of a namespace that is nowhere: neither denied nor passed."""
    rules = written(
        tmp_path / "r.yaml",
        policy("who", 'request.userInfo.username == "alice"'),
        binding("who", "Deny"),
        policy("where", "false"),
        binding(
            "where", "Deny", matchResources={"namespaceSelector": {"matchLabels": {"env": "prod"}}}
        ),
    )
    done = check(written(tmp_path / "m.yaml", pod()), "--rules", rules)
    assert done.exit_code == 0
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["undecided", "undecided"]
    assert "2 undecided" in done.stderr
    shop = {"apiVersion": "v1", "kind": "Namespace"}
    labelled = shop | {"metadata": {"name": "shop", "labels": {"env": "prod"}}}
    done = check(written(tmp_path / "m.yaml", pod(), labelled), "--rules", rules)
    assert (done.exit_code, "1 denied, 0 warnings, 1 undecided" in done.stderr) == (1, True)


def test_what_is_exempt_passes(tmp_path: Path) -> None:
    """As the binding lets it pass in the cluster: by the namespace's name."""
    one = PRIVILEGED | {"metadata": {"name": "p", "namespace": "kube-system"}}
    done = check(written(tmp_path / "m.yaml", one), "--rules", PACK / "no-privileged.yaml")
    assert (done.exit_code, done.stdout) == (0, "")


def test_a_namespace_can_be_given(tmp_path: Path) -> None:
    """For what Helm renders without one: as `kubectl apply -n`."""
    manifest = written(
        tmp_path / "m.yaml",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {}},
    )
    denied = check(manifest, "--rules", PACK)
    assert denied.exit_code == 1
    assert "nothing belongs into the namespace default" in denied.stdout
    assert check(manifest, "--rules", PACK, "-n", "shop").exit_code == 0


def test_the_catalog_is_asked_where_nothing_else_is_named(tmp_path: Path) -> None:
    """Rules of one's own alone, the configuration's, or the catalog."""
    manifest = written(tmp_path / "m.yaml", PRIVILEGED)
    assert "AuditRule privileged-container" in check(manifest).stdout
    assert "AuditRule" not in check(manifest, "--rules", PACK).stdout
    config = tmp_path / "c.yaml"
    section = {"catalog": "none", "paths": [str(PACK)]}
    config.write_text(
        "source: {path: /log}\nseal: {key_file: /key}\nstore: {url: 'file:///s'}\n"
        f"rules: {json.dumps(section)}\n"
    )
    assert check(manifest, "--config", config).stdout == check(manifest, "--rules", PACK).stdout


def test_every_format_on_standard_output_alone(tmp_path: Path) -> None:
    """What is piped into a file is whole; the summary goes elsewhere."""
    manifest = written(tmp_path / "m.yaml", PRIVILEGED)
    sarif = json.loads(check(manifest, "--rules", PACK, "--format", "sarif").stdout)
    assert {one["level"] for one in sarif["runs"][0]["results"]} == {"error"}
    junit = ElementTree.fromstring(check(manifest, "--rules", PACK, "--format", "junit").stdout)
    assert junit.find(".//failure") is not None


def test_mistakes_are_exit_code_2(tmp_path: Path) -> None:
    """In the rules, in a manifest, in the command line; nothing is judged then."""
    good = written(tmp_path / "m.yaml", PRIVILEGED)
    bad_rules = written(tmp_path / "r.yaml", policy("a", "1 +"), binding("a", "Deny"))
    bad = written(tmp_path / "bad.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {}")
    for args, named in (
        ((good, "--rules", bad_rules), "r.yaml:"),
        (
            (good, bad, "--rules", PACK),
            "bad.yaml:3: metadata: no object of Kubernetes: has no name",
        ),
        ((tmp_path / "gone.yaml",), "gone.yaml: cannot be read"),
        ((good, "--rules", PACK.parent.parent), "nothing would ever be denied"),
        ((), "MANIFESTS"),
        ((good, "--rules", PACK, "--config", "x"), "exclude each other"),
    ):
        done = CliRunner().invoke(commands, ["rules", "check", *map(str, args)])
        code = done.exit_code if isinstance(done.exception, SystemExit) else 2
        said = done.output + str(done.exception)
        assert (code, done.stdout) == (2, ""), said
        assert named in said


def test_kustomize_is_piped() -> None:
    """What it prints of the project's own manifests, judged by the project's own guardrails."""
    if shutil.which("kubectl") is None:
        pytest.skip("needs kubectl, for kustomize")
    overlay = ROOT / "deploy" / "kubernetes" / "overlays" / "kubeadm"
    made = subprocess.run(
        ["kubectl", "kustomize", overlay], capture_output=True, text=True, check=True, timeout=60
    )
    done = check("-", "--rules", PACK, input_=made.stdout)
    assert (done.exit_code, done.stdout) == (0, "")


KYVERNO = """apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: team}
spec:
  validationFailureAction: Enforce
  rules:
    - name: label
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate:
        message: needs the label team
        pattern: {metadata: {labels: {team: "?*"}}}
"""
GATEKEEPER = """apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: team}
spec:
  crd: {spec: {names: {kind: Team}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      code:
        - engine: K8sNativeValidation
          source:
            validations:
              - expression: has(object.metadata.labels) && "team" in object.metadata.labels
                message: needs the label team
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: Team
metadata: {name: everywhere}
spec: {match: {kinds: [{apiGroups: [""], kinds: [Pod]}]}}
"""


@pytest.mark.parametrize("rules", [KYVERNO, GATEKEEPER], ids=["Kyverno", "Gatekeeper"])
def test_every_admission_language_is_asked(tmp_path: Path, rules: str) -> None:
    """Denied in the policy's words; passed with the label."""
    (tmp_path / "r.yaml").write_text(rules)
    good = pod()
    good["metadata"]["labels"] = {"team": "a"}
    denied = check(written(tmp_path / "m.yaml", pod()), "--rules", tmp_path / "r.yaml")
    assert denied.exit_code == 1
    assert "needs the label team" in denied.stdout
    passed = check(written(tmp_path / "m.yaml", good), "--rules", tmp_path / "r.yaml")
    assert (passed.exit_code, passed.stdout) == (0, "")
