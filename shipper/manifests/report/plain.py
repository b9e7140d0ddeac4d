"""For programs: the report as plain values, for JSON."""

from __future__ import annotations

from typing import Any

from shipper.manifests.result import Report, Result


def to_plain(report: Report) -> dict[str, Any]:
    """All of the report."""
    return {
        "summary": {
            "objects": len(report.manifests),
            "policies": report.policies,
            "rules": report.rules,
            "denied": report.count("deny"),
            "warnings": report.count("warn"),
            "undecided": report.count("undecided"),
            "passed": report.passed,
            "rulesSha256": report.rules_sha256,
        },
        "results": [_plain(result) for result in report.results],
        "unbound": list(report.unbound),
        "notAsked": list(report.not_asked),
        "passedBy": list(report.passed_by),
    }


def _plain(result: Result) -> dict[str, Any]:
    one = result.manifest
    return {
        "level": result.level,
        "policy": result.policy,
        "rule": result.rule,
        "message": result.message,
        "file": one.document.file,
        "line": result.line,
        "template": one.template,
        "object": {
            "group": one.group,
            "version": one.version,
            "kind": one.kind,
            "namespace": one.namespace,
            "name": one.name,
        },
    }
