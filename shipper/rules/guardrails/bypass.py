"""The built-in rule `guardrail-bypass`: what a policy should have stopped and did not.

Holds what it is called and how it is told by default; decides nothing.
"""

from __future__ import annotations

from shipper.rules.rule import API_VERSION, AuditRule, RuleMatch, RuleMetadata, RuleSpec

BYPASS = "guardrail-bypass"

RULE = AuditRule(
    api_version=API_VERSION,
    kind="AuditRule",
    metadata=RuleMetadata(name=BYPASS),
    spec=RuleSpec(
        title="Write that a policy should have stopped",
        severity="high",
        description="The API server stored an object that a policy in force says no to.",
        attack=("T1562",),
        match=RuleMatch(verbs=("create", "update", "patch", "delete")),
    ),
)
"""Its severity is that of a write that should have been denied."""
