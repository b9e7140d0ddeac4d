"""docs/backtest.md: its policy and what it says of a real log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

from shipper.backtest.judge import PROCESSES
from shipper.backtest.tally import MOST_NAMES
from shipper.backtest.timeline import MOST_BUCKETS
from shipper.cli.main import commands
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "backtest.md").read_text()


def test_the_result_is_the_pages(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line for line, but for what a machine's speed decides."""
    monkeypatch.chdir(tmp_path)
    with (shared / "corpora" / "lifecycle" / "audit.log.zst").open("rb") as packed:
        log = zstandard.ZstdDecompressor().stream_reader(packed).read()
    Path("audit.log").write_bytes(log)
    [policy] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    Path("no-privileged.yaml").write_text(policy)
    [command] = re.findall(r"audit-shipper (rules backtest audit.log --rules .*)\n```", PAGE)
    result = CliRunner().invoke(commands, command.split(), catch_exceptions=False)
    assert result.exit_code == 0
    [shown] = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    for line in filter(None, shown.splitlines()):
        if " us an event" not in line and " MB/s" not in line and line != "…":
            assert line in result.stdout.splitlines()


def test_the_bounds_are_the_programs() -> None:
    """The numbers that the page gives."""
    assert f"beyond {MOST_NAMES:,} users" in PAGE
    assert f"below {MOST_BUCKETS:,}" in PAGE
    assert PROCESSES == 2
    assert "one or two judge" in PAGE
