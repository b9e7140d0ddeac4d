"""The Pod Security Standards, and what is excluded of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.dialects.kyverno.policies import cron_job, deployment, pod, policy, says, verdicts
from tests.rules.dialects.objects import review

_GOOD_CONTEXT = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def _spec(spec: dict[str, Any] | None = None, **context: Any) -> dict[str, Any]:
    """A pod spec that is fine under restricted, but for what is given."""
    container = {"name": "web", "image": "nginx:1.27", "securityContext": _GOOD_CONTEXT | context}
    return {"containers": [container], **(spec or {})}


def _rule(level: str, version: str = "latest", *exclude: dict[str, Any]) -> dict[str, Any]:
    match = {"any": [{"resources": {"kinds": ["Pod"]}}]}
    security = {"level": level, "version": version, "exclude": list(exclude)}
    return policy({"podSecurity": security}, match=match)


def test_a_good_pod_passes_both_levels() -> None:
    """And anything passes the privileged one."""
    assert says(_rule("restricted"), pod(_spec())) == "pass"
    assert says(_rule("baseline"), pod(_spec())) == "pass"
    assert says(_rule("privileged"), pod(_spec(privileged=True))) == "pass"


@pytest.mark.parametrize(
    "spec",
    [
        _spec(privileged=True),
        _spec({"hostNetwork": True}),
        _spec({"hostPID": True}),
        _spec({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}),
        {"containers": [{"name": "a", "ports": [{"hostPort": 80}]}]},
        {"containers": [{"name": "a", "livenessProbe": {"httpGet": {"host": "127.0.0.1"}}}]},
        _spec(procMount="Unmasked"),
        _spec(capabilities={"add": ["NET_ADMIN"]}),
        _spec({"securityContext": {"windowsOptions": {"hostProcess": True}}}),
        _spec(seLinuxOptions={"type": "spc_t"}),
        _spec({"securityContext": {"seLinuxOptions": {"user": "root"}}}),
        _spec({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}),
        _spec({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}),
        _spec({"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}}),
        _spec({"initContainers": [{"name": "i", "securityContext": {"privileged": True}}]}),
        _spec({"ephemeralContainers": [{"name": "e", "securityContext": {"privileged": True}}]}),
    ],
)
def test_what_the_baseline_forbids(spec: dict[str, Any]) -> None:
    """In every kind of container, and of the pod itself."""
    assert says(_rule("baseline"), pod(spec)) == "fail"


@pytest.mark.parametrize(
    "spec",
    [
        _spec(allowPrivilegeEscalation=True),
        {"containers": [{"name": "web", "securityContext": {}}]},
        _spec(capabilities={"drop": ["NET_RAW"]}),
        _spec(capabilities={"drop": ["ALL"], "add": ["CHOWN"]}),
        _spec(runAsNonRoot=False),
        _spec(runAsUser=0),
        _spec(seccompProfile={"type": "Unconfined"}),
        _spec({"volumes": [{"name": "v", "nfs": {"server": "x"}}]}),
        {
            "containers": [
                {"name": "web", "securityContext": {**_GOOD_CONTEXT, "seccompProfile": None}}
            ]
        },
    ],
)
def test_what_restricted_forbids_beyond_the_baseline(spec: dict[str, Any]) -> None:
    """What is not set is not as it must be."""
    assert says(_rule("restricted"), pod(spec)) == "fail"


def test_versions_differ() -> None:
    """What a version does not know it does not forbid, and what a later one allows it does."""
    sysctl = _spec({"securityContext": {"sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "1"}]}})
    assert says(_rule("baseline", "v1.31"), pod(sysctl)) == "fail"
    assert says(_rule("baseline", "v1.32"), pod(sysctl)) == "pass"
    windows = {"os": {"name": "windows"}, "containers": [{"name": "a"}]}
    found = verdicts(_rule("restricted", "v1.24"), pod(windows))[0].message
    assert "capabilities_restricted" in found
    found = verdicts(_rule("restricted", "v1.25"), pod(windows))[0].message
    assert "capabilities_restricted" not in found


def test_controllers_are_judged_by_their_template() -> None:
    """The place of the failure is in the template."""
    bad = _spec(privileged=True)
    for made, prefix in ((deployment(bad), 3), (cron_job(bad), 5)):
        (verdict,) = verdicts(_rule("baseline"), made)
        assert verdict.outcome == "fail"
        assert verdict.path[prefix - 1 :] == (
            "spec", "containers", 0, "securityContext", "privileged",
        )  # fmt: skip


def test_a_control_is_excluded_for_the_pod_or_for_images() -> None:
    """Without images: the pod's own fields; with them: those of such containers."""
    host = pod(_spec({"hostNetwork": True}))
    assert says(_rule("baseline", "latest", {"controlName": "Host Namespaces"}), host) == "pass"
    capable = pod(_spec(capabilities={"add": ["NET_ADMIN"]}))
    control = {"controlName": "Capabilities"}
    assert says(_rule("baseline", "latest", control), capable) == "fail"
    of_nginx = {**control, "images": ["nginx*"]}
    assert says(_rule("baseline", "latest", of_nginx), capable) == "pass"
    of_other = {**control, "images": ["busybox*"]}
    assert says(_rule("baseline", "latest", of_other), capable) == "fail"


def test_an_exclusion_may_name_the_field_and_the_values() -> None:
    """Other fields and other values of the control are forbidden still."""
    field = "spec.containers[*].securityContext.capabilities.add"
    allowed = {
        "controlName": "Capabilities",
        "images": ["*"],
        "restrictedField": field,
        "values": ["NET_ADMIN", "SYS_*"],
    }
    rule = _rule("baseline", "latest", allowed)
    assert says(rule, pod(_spec(capabilities={"add": ["NET_ADMIN", "SYS_TIME"]}))) == "pass"
    assert says(rule, pod(_spec(capabilities={"add": ["NET_ADMIN", "NET_RAW"]}))) == "fail"
    init = {"initContainers": [{"name": "i", "image": "a", "securityContext": {
        "capabilities": {"add": ["NET_ADMIN"]}}}]}  # fmt: skip
    assert says(rule, pod(_spec(init))) == "fail"


def test_the_exclusion_of_one_container_spares_no_other() -> None:
    """They are told apart by their place, not by what they say."""
    bad = {"capabilities": {"add": ["NET_ADMIN"]}}
    both = {
        "containers": [
            {"name": "a", "image": "good", "securityContext": bad},
            {"name": "b", "image": "bad", "securityContext": bad},
        ]
    }
    rule = _rule("baseline", "latest", {"controlName": "Capabilities", "images": ["good"]})
    assert says(rule, pod(both)) == "fail"


def test_what_is_no_pod_is_the_rules_error() -> None:
    """As in Kyverno; nothing is asked of what is deleted."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {}}
    rule = _rule("baseline")
    rule["spec"]["rules"][0]["match"] = {"any": [{"resources": {"kinds": ["Service"]}}]}
    (verdict,) = verdicts(rule, service)
    assert "no pod" in verdict.message
    gone = review(pod(_spec(privileged=True)), operation="DELETE")
    assert says(_rule("baseline"), gone) == "nothing"
