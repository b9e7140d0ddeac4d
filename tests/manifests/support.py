"""What the tests of manifests share: files from texts, and a check of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from shipper.manifests.check import check
from shipper.manifests.read import read_manifests
from shipper.manifests.result import Report
from shipper.rules.load import load_tested
from shipper.rules.ruleset import RuleSet

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def pod(name: str = "p", namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    """A Pod of one container."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": "app", "image": "r.example.com/app:1"}], **spec},
    }


def text_of(*documents: dict[str, Any] | str) -> str:
    """Many documents in one file; JSON is YAML."""
    return "\n---\n".join(
        one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in documents
    )


def rules_in(directory: Path, *documents: dict[str, Any]) -> RuleSet:
    """The rules and policies in the documents, and no others."""
    path = directory / "rules.yaml"
    path.write_text(text_of(*documents))
    return load_tested([path])


def checked(
    directory: Path, rules: RuleSet, *documents: dict[str, Any] | str, namespace: str = "default"
) -> Report:
    """What the rules say of manifests in a file `m.yaml`."""
    path = directory / "m.yaml"
    path.write_text(text_of(*documents))
    return check(read_manifests([str(path)], namespace=namespace), rules, now=NOW)
