"""The operations page cannot lie about the daemon's log lines."""

from __future__ import annotations

import re

from tests.conftest import ROOT

ASKED = re.compile(r"_asked\([^\"]*\"(\w+)\"\)")
LOGGED = re.compile(
    r"_logger\.(?:debug|info|warning|error|critical)\(\s*(?:#[^\n]*\n\s*)?\"(\w+)\""
)


def test_every_log_event_is_explained() -> None:
    """Each event that the daemon logs above debug stands in docs/operations.md, and none else."""
    source = "".join(
        re.sub(r"_logger\.debug\([^)]*\)", "", path.read_text())
        for path in (ROOT / "shipper").rglob("*.py")
    )
    logged = {*LOGGED.findall(source), *ASKED.findall(source)}
    table = (ROOT / "docs" / "operations.md").read_text().split("## What the daemon says")[1]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    explained = set(re.findall(r"`(\w+)`", "".join(rows)))
    assert logged == explained
