"""The JSON schema of a rule file's documents, for editors. Made from the types that are checked."""

from __future__ import annotations

from typing import Any

import msgspec

from shipper.rules.rule import AuditParams, AuditRule


def schema() -> dict[str, Any]:
    """One schema for both kinds of document, told apart by `kind`."""
    (rule, params), definitions = msgspec.json.schema_components(
        (AuditRule, AuditParams), ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "audit-shipper rule file",
        "oneOf": [rule, params],
        "$defs": definitions,
    }
