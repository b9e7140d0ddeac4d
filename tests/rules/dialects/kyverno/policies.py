"""Policies, objects and questions for the tests of Kyverno's language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shipper.rules.dialects.kyverno import Kyverno
from shipper.rules.dialects.kyverno.meter import Meter
from shipper.rules.dialects.kyverno.question import Question
from shipper.rules.dialects.kyverno.subject import Subject
from shipper.rules.dialects.policy import Verdict
from shipper.rules.dialects.review import Review
from tests.rules.dialects.objects import linked, only, review

PODS: dict[str, Any] = {"any": [{"resources": {"kinds": ["Pod"]}}]}


def policy(
    validate: dict[str, Any], *, spec: dict[str, Any] | None = None, **rule: Any
) -> dict[str, Any]:
    """A ClusterPolicy of one rule, `check`, for pods."""
    written = {"name": "check", "match": PODS, "validate": validate, **rule}
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "policy"},
        "spec": {"rules": [written], **(spec or {})},
    }


def pod(spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """A Pod `web` in the namespace `shop`."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", **metadata},
        "spec": spec or {"containers": [{"name": "web", "image": "nginx:1.27"}]},
    }


def deployment(spec: dict[str, Any]) -> dict[str, Any]:
    """A Deployment of pods with `spec`."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": spec}},
    }


def cron_job(spec: dict[str, Any]) -> dict[str, Any]:
    """A CronJob of pods with `spec`."""
    template = {"spec": {"template": {"spec": spec}}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"jobTemplate": template},
    }


def verdicts(
    document: dict[str, Any], asked: Review | dict[str, Any], *beside: dict[str, Any]
) -> Sequence[Verdict]:
    """What a policy says of a review, or of the creation of an object."""
    made = only(linked(Kyverno(), document, *beside))
    of = asked if isinstance(asked, Review) else review(asked)
    return made.judge(of) if made.may_concern(of.target) else []


def says(document: dict[str, Any], asked: Review | dict[str, Any], *beside: dict[str, Any]) -> str:
    """The outcome of the one rule that speaks; `nothing`; exemptions are marked."""
    found = verdicts(document, asked, *beside)
    if not found:
        return "nothing"
    (verdict,) = found
    return f"{verdict.outcome}, exempt" if verdict.exempt else verdict.outcome


def question(value: dict[str, Any] | None = None, *, meter: Meter | None = None) -> Question:
    """The question about the creation of an object."""
    return Question(Subject(review(value or pod())), meter or Meter())
