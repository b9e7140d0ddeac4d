"""The pack as a whole: complete, in parts, and in the daemon's hands."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from shipper.model import Guardrail
from shipper.rules.engine import Engine
from shipper.rules.load import load_tested
from tests.conftest import ROOT
from tests.deploy.guardrails.asking import (
    FILES,
    GUARDRAILS,
    documents,
    failures,
    linked,
    pack,
    review,
    spec,
    workload,
)
from tests.deploy.guardrails.test_files import WITH_PODS, kustomized
from tests.deploy.guardrails.test_objects import OTHERS
from tests.deploy.guardrails.test_workloads import STOPPED, secured
from tests.rules.support import line


def test_every_policy_has_been_asked() -> None:
    """Each has at least one case that it stops; and nothing in the pack needs the cluster, but what
    was before an update that a controller may have made."""
    stopped = {policy for policy, *_ in STOPPED}
    stopped |= {policy for policy, _, said in OTHERS if said is not None}
    assert stopped | {"no-credentials-in-configmaps"} == {path.stem for path in FILES}
    assert len(pack().policies) == len(FILES)
    for policy in pack().policies:
        name = policy.ident.name.removeprefix("guardrails-")
        assert len(policy.unanswerable) == (name in WITH_PODS)
        assert all("oldObject" in one for one in policy.unanswerable)


def test_a_file_can_be_taken_alone() -> None:
    """Each without the others; with the parameters where it has some."""
    for path in FILES:
        alone = documents(path)
        needs = documents(path.with_name("parameters.yaml")) if "paramKind" in str(alone) else []
        (policy,) = linked(*alone, *needs).policies
        assert policy.ident.name == f"guardrails-{path.stem}"


@pytest.mark.parametrize(
    ("overlay", "severity", "action"), [("enforce", "high", "deny"), ("audit", "low", "warn")]
)
def test_the_daemon_sees_what_came_past(
    tmp_path: Path, overlay: str, severity: str, action: str
) -> None:
    """A privileged pod that was stored all the same: the finding names the guardrail."""
    made = kustomized(GUARDRAILS / "overlays" / overlay)
    (tmp_path / "guardrails.yaml").write_text(yaml.safe_dump_all(made))
    body = workload("Pod", spec(secured(privileged=True)))
    stored = line(
        verb="create",
        user={"username": "eve"},
        objectRef={"resource": "pods", "namespace": "shop", "name": "web", "apiVersion": "v1"},
        responseStatus={"code": 201},
        responseObject=body,
    )
    (found,) = Engine(load_tested([tmp_path])).evaluate([stored])
    assert (found.rule, found.severity, found.who.user) == ("guardrail-bypass", severity, "eve")
    assert isinstance(found.guardrail, Guardrail)
    assert (found.guardrail.name, found.guardrail.action) == ("guardrails-no-privileged", action)


@pytest.mark.parametrize("overlay", ["kubeadm", "k3s", "rke2", "talos"])
def test_the_daemon_itself_passes(overlay: str) -> None:
    """Where the pack is enforced, the daemon that watches it can be installed."""
    for one in kustomized(ROOT / "deploy" / "kubernetes" / "overlays" / overlay):
        assert failures(review(one)) == {}
