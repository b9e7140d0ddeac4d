"""The alerting rules, and the Prometheus operator's form of them.

`make monitoring` writes the latter; a test says whether it is up to date.
"""

from __future__ import annotations

from typing import Any

import yaml

from tests.conftest import ROOT

MONITORING = ROOT / "deploy" / "monitoring"
RULES = MONITORING / "rules.yaml"
OPERATOR = MONITORING / "prometheusrule.yaml"

HEAD = "# Made from rules.yaml by `make monitoring`: change that, not this.\n"


def alerts() -> list[dict[str, Any]]:
    """Every alert of every group."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def for_the_operator() -> str:
    """The same rules as a PrometheusRule."""
    made = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "audit-shipper", "namespace": "audit-shipper"},
        "spec": yaml.safe_load(RULES.read_text()),
    }
    return HEAD + yaml.safe_dump(made, sort_keys=False, width=100)


if __name__ == "__main__":
    OPERATOR.write_text(for_the_operator())
