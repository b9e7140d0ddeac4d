"""The catalog as shipped, and the tables that say what it must tell; shared by the tests of it.

Holds no expectation of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
import zstandard

from shipper.config import Rules
from shipper.model import Finding
from shipper.rules.engine import Engine
from shipper.rules.load import load_rules
from shipper.rules.ruleset import RuleSet
from tests.conftest import DATA

GRADES = ("info", "low", "medium", "high", "critical")


@lru_cache(maxsize=8)
def shipped() -> RuleSet:
    """The whole catalog with its own parameters."""
    return load_rules(Rules())


def with_params(params: Mapping[str, Any]) -> RuleSet:
    """The whole catalog, with parameters as a site may set them."""
    return load_rules(Rules(params=dict(params))) if params else shipped()


def table(name: str) -> Any:
    """A table of expectations, `tests/data/catalog/<name>.yaml`."""
    return yaml.safe_load((DATA / "catalog" / f"{name}.yaml").read_text(encoding="utf-8"))


def ask(lines: Iterable[bytes], *, rules: RuleSet | None = None) -> list[Finding]:
    """What a fresh engine says of `lines`: nothing that came before counts."""
    return Engine(rules or shipped()).evaluate(list(lines))


def told(findings: Iterable[Finding]) -> list[str]:
    """The rules that matched, each once, in the order of their names."""
    return sorted({finding.rule for finding in findings if finding.verdict == "match"})


def grave(findings: Iterable[Finding]) -> list[Finding]:
    """Those that wake somebody."""
    return [
        finding for finding in findings if GRADES.index(finding.severity) >= GRADES.index("high")
    ]


def lines_of(path: Path) -> list[bytes]:
    """The lines of a recording compressed with zstd."""
    with zstandard.open(path, "rb") as recording:
        return [line for line in recording.read().split(b"\n") if line]
