"""Which audit level a rule needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.rules.support import rule, rules_of


@pytest.mark.parametrize(
    ("level", "verbs", "when"),
    [
        ("Metadata", None, None),
        ("Metadata", None, "event.responseStatus.code == 403 && request.dryRun"),
        ("Request", ["create"], "has(object.spec)"),
        ("Request", ["create", "update"], "containers.size() > 0"),
        ("RequestResponse", ["create", "patch"], "has(podSpec.hostPID)"),
        ("RequestResponse", None, "has(object.spec)"),
        ("RequestResponse", ["!get"], "has(object.spec)"),
        ("Metadata", ["get", "list"], "object == null"),
        ("Request", ["patch"], "has(event.requestObject.spec)"),
        ("RequestResponse", ["get"], "has(event.responseObject.data)"),
        ("RequestResponse", ["delete"], "oldObject.metadata.name == 'x'"),
        ("Request", ["create"], "request.kind.kind == 'Pod'"),
        ("Request", ["create", "patch"], "body['ka.req.pod.host_pid'] == []"),
        ("RequestResponse", ["create"], "body['ka.resp.name'] == []"),
        ("Metadata", ["get"], "body['sigma.hostPath'] == []"),
        ("Metadata", None, "fields['ka.uri.param[x]'] == []"),
    ],
)
def test_the_level_that_a_rule_needs(
    tmp_path: Path, level: str, verbs: list[str] | None, when: str | None
) -> None:
    """The lowest at which no event that it looks at lacks a body: a patch's result is an answer."""
    spec: dict[str, Any] = {"match": {"verbs": verbs}} if verbs else {}
    if when:
        spec["when"] = when
    assert rules_of(tmp_path, rule(**spec)).rules[0].needs_level == level
