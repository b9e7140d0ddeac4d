"""What the tests of rules share: rules from a text, events from a few fields, and an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from shipper.model import Finding
from shipper.rules.engine import Engine
from shipper.rules.event import Event, decode_events
from shipper.rules.load import load_tested
from shipper.rules.ruleset import RuleSet
from shipper.rules.terms import Terms


def rule(name: str = "r", **spec: Any) -> dict[str, Any]:
    """A rule document with what no rule is without filled in."""
    return {
        "apiVersion": "audit-shipper/v1",
        "kind": "AuditRule",
        "metadata": {"name": name},
        "spec": {"title": "A title", "severity": "high", **spec},
    }


def params(**values: Any) -> dict[str, Any]:
    """A document that declares parameters."""
    return {
        "apiVersion": "audit-shipper/v1",
        "kind": "AuditParams",
        "metadata": {"name": "p"},
        "spec": values,
    }


def written(directory: Path, *documents: dict[str, Any] | str) -> Path:
    """A rule file with the documents; JSON is YAML."""
    path = directory / "rules.yaml"
    texts = [
        one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in documents
    ]
    path.write_text("\n---\n".join(texts))
    return path


def rules_of(directory: Path, *documents: dict[str, Any] | str) -> RuleSet:
    """The rules in the documents, in force."""
    return load_tested([written(directory, *documents)])


def line(**fields: Any) -> bytes:
    """An audit event as a log line, compact as the API server writes it."""
    least = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": "id",
        "stage": "ResponseComplete",
        "requestURI": "/",
        "stageTimestamp": "2026-11-23T15:00:00.000001Z",
    }
    return msgspec.json.encode(least | fields)


def pod(spec: dict[str, Any], *, code: int = 201, **fields: Any) -> bytes:
    """The creation of a pod, as stored if it was."""
    body = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}, "spec": spec}
    bodies = {"requestObject": body} | ({"responseObject": body} if code < 300 else {})
    return line(
        **{
            "verb": "create",
            "user": {"username": "bob", "groups": ["system:authenticated"]},
            "objectRef": {"resource": "pods", "namespace": "default", "apiVersion": "v1"},
            "responseStatus": {"code": code},
        }
        | bodies
        | fields
    )


def event(**fields: Any) -> Event:
    """The same event as `line`, decoded."""
    decoded = decode_events([line(**fields)])[0]
    assert decoded is not None
    return decoded


def terms(raw: bytes) -> Terms:
    """The terms of an event in a line."""
    decoded = decode_events([raw])[0]
    assert decoded is not None
    return Terms(decoded, raw)


def found(rules: RuleSet, *lines: bytes) -> list[Finding]:
    """The findings of a new engine in the lines."""
    return Engine(rules).evaluate(lines)


def names(findings: list[Finding]) -> list[str]:
    """The rules that matched, in order."""
    return [finding.rule for finding in findings if finding.verdict == "match"]
