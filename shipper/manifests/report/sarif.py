"""SARIF 2.1.0, which code scanning reads.

What could not be decided is of kind `open`, which is no failure and no pass. Source:
docs.oasis-open.org/sarif/sarif/v2.1.0, sections 3.27.9 (kind), 3.27.10 (level), 3.4 (URIs).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shipper import __version__
from shipper.manifests.read import STDIN_NAME
from shipper.manifests.result import Report, Result

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "%SRCROOT%"
_LEVELS = {"deny": "error", "warn": "warning", "undecided": "none"}


def to_sarif(report: Report) -> dict[str, Any]:
    """The report as one run."""
    titles = {result.name: result.title for result in report.results}
    numbers = {name: number for number, name in enumerate(titles)}
    rules = [{"id": name, "shortDescription": {"text": title}} for name, title in titles.items()]
    driver = {"name": "audit-shipper", "version": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(result, numbers[result.name]) for result in report.results],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(result: Result, number: int) -> dict[str, Any]:
    identity = f"{result.name}\n{result.manifest}"  # the same when lines move
    return {
        "ruleId": result.name,
        "ruleIndex": number,
        "kind": "open" if result.level == "undecided" else "fail",
        "level": _LEVELS[result.level],
        "message": {"text": f"{result.manifest}: {result.message}"},
        "locations": [_location(result)],
        "partialFingerprints": {"ruleAndObject/v1": hashlib.sha256(identity.encode()).hexdigest()},
    }


def _location(result: Result) -> dict[str, Any]:
    one = result.manifest
    file, line = one.document.file, max(result.line, 1)
    if file == STDIN_NAME and one.template:
        file, line = one.template, 1  # no line of what was piped is one of the template's
    artifact: dict[str, Any] = {"uri": _uri(file)}
    if not artifact["uri"].startswith("file:"):
        artifact["uriBaseId"] = _ROOT
    return {
        "physicalLocation": {
            "artifactLocation": artifact,
            "region": {"startLine": line},
        },
        "logicalLocations": [{"fullyQualifiedName": str(one), "kind": "object"}],
    }


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
