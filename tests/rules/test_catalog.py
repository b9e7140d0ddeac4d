"""The catalog: complete, documented, quiet where a site has said nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shipper.rules.compile import Rule
from shipper.rules.testing import run_tests
from tests.rules.catalog import shipped

# What must come out of the box, in the words of the project's facts, and the rules that tell of it.
ITEMS = {
    "Anonymous request allowed": ["anonymous-request-allowed", "anonymous-bound"],
    "exec/attach": ["pod-exec", "exec-in-protected-namespace"],
    "ephemeral container": ["ephemeral-container", "privileged-ephemeral-container"],
    "exec with shell, curl or metadata-service commands": [
        "exec-shell-or-download",
        "exec-credential-access",
    ],
    "pod in kube-system": ["pod-in-protected-namespace", "workload-in-protected-namespace"],
    "cluster-admin binding": [
        "cluster-admin-bound",
        "controller-role-bound",
        "everybody-bound",
        "admin-bound-cluster-wide",
    ],
    "CSR created or approved": ["csr-created", "csr-approved", "csr-for-system-masters"],
    "service account token minted": [
        "service-account-token-minted",
        "token-minted-by-service-account",
        "system-token-minted",
        "service-account-token-secret",
    ],
    "CronJob/Job": ["job-created"],
    "DaemonSet": ["daemonset-created"],
    "webhook configuration changed": ["webhook-changed", "webhook-deleted"],
    "aws-auth edited": ["aws-auth-changed"],
    "privileged, hostPID/IPC/Network, sensitive hostPath, dangerous capabilities": [
        "privileged-container",
        "host-process-namespace",
        "host-network",
        "sensitive-host-path",
        "host-path-volume",
        "dangerous-capabilities",
        "privileged-workload-changed",
    ],
    "wildcard, escalate, bind, impersonate, pods/exec or nodes/proxy role": [
        "wildcard-role-written",
        "admin-role-written",
        "escalation-role-written",
        "exec-role-written",
        "role-aggregated",
    ],
    "nodes/proxy use": ["node-proxy-used", "node-proxy-command"],
    "privileged impersonation": ["privileged-impersonation", "impersonation-refused"],
    "controller service account on a pod": ["controller-service-account-used"],
    "secrets list cluster-wide": [
        "secrets-listed-cluster-wide",
        "secrets-listed-by-service-account",
    ],
    "bulk reads": ["secret-bulk-read"],
    "denied reads": ["secret-read-refused"],
    "credentials in a ConfigMap": ["credentials-in-configmap"],
    "events deleted": ["events-deleted"],
    "policy, binding, webhook or exception deleted or weakened": [
        "admission-policy-deleted",
        "admission-policy-weakened",
        "policy-exception-created",
        "webhook-deleted",
    ],
    "webhook failed open": ["webhook-failed-open"],
    "admission bypassed": ["admission-bypassed", "policy-violation-admitted", "static-pod"],
    "PodSecurity label lowered": ["pod-security-lowered"],
    "403 burst": ["forbidden-burst"],
    "SelfSubject*Review": ["self-subject-review"],
    "port-forward": ["port-forward"],
    "namespace deletion": ["namespace-deleted"],
    "CoreDNS edit": ["coredns-changed"],
    "NodePort exposure": ["service-exposed"],
    "unapproved registry": ["unapproved-registry"],
    "failed logins (401 burst)": ["failed-logins"],
    "untrusted node join": ["untrusted-node-joined", "bootstrap-token-created"],
}

SITES_OWN = {
    "allowedUsers": "user-not-allowed",
    "approvedRegistries": "unapproved-registry",
    "trustedNetworks": "request-from-untrusted-network",
    "trustedNodes": "untrusted-node-joined",
}


def test_every_rule_passes_its_own_tests() -> None:
    """Each rule says of its events what it must, and of the others nothing."""
    wrong = [f"{o.rule.name}: {o.test.name}: {o.says}" for o in run_tests(shipped()) if o.says]
    assert wrong == []


@pytest.mark.parametrize("rule", shipped().rules, ids=lambda rule: str(rule.name))
def test_every_rule_says_why_and_when_it_is_wrong(rule: Rule) -> None:
    """A technique, a one-line why, false positives, a message, an event on either side."""
    assert rule.attack
    assert rule.description.splitlines()[0].endswith(".")
    assert rule.false_positives
    assert rule.written.spec.message
    expected = {test.expect for test in rule.written.spec.tests}
    assert {"match", "none"} <= expected


@pytest.mark.parametrize("rule", shipped().rules, ids=lambda rule: str(rule.name))
def test_every_message_names_who_or_where(rule: Rule) -> None:
    """Whoever is woken learns from the message alone whose door to knock on."""
    message = rule.written.spec.message or ""
    who = ("event.user.username", "event.sourceIP", "event.objectRef.namespace")
    assert any(name in message for name in who)


def test_every_item_of_the_list_has_its_rules() -> None:
    """No rule that the list promises is missing."""
    names = {rule.name for rule in shipped().rules}
    assert {name for rules in ITEMS.values() for name in rules} <= names


def test_the_list_is_the_one_that_the_facts_give(shared: Path) -> None:
    """Every word of the facts' list belongs to an item above."""
    facts = (shared / "guardrails-facts.md").read_text(encoding="utf-8")
    text = facts.partition("## Expected out of the box (ATT&CK)")[2].partition("Asked for")[0]
    text = re.sub(r"\(T[\d./T]*\)", "", " ".join(text.split()))
    for item in sorted(ITEMS, key=len, reverse=True):
        assert item in text
        text = text.replace(item, "", 1)
    assert re.sub(r"[\s,;.]", "", text) == ""


@pytest.mark.parametrize(("param", "name"), SITES_OWN.items())
def test_what_only_a_site_can_know_is_off_until_it_says_so(param: str, name: str) -> None:
    """An empty list never means that everything is wrong."""
    assert shipped().params[param] == []
    rule = next(rule for rule in shipped().rules if rule.name == name)
    assert (rule.written.spec.when or "").startswith(f"size(params.{param}) > 0")


def test_few_rules_wake_somebody() -> None:
    """Most of what is told can wait until morning."""
    grave = [rule for rule in shipped().rules if rule.severity in ("high", "critical")]
    assert len(grave) < len(shipped().rules) / 2
