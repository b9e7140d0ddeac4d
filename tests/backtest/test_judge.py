"""Batches through the judging processes."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shipper.backtest import judge
from shipper.backtest.judge import PROCESSES, WAITING, Judge
from shipper.backtest.tally import AUDIT_RULE, Place, Subject
from shipper.errors import ShipperError
from shipper.model import Data
from shipper.rules.load import load_tested
from shipper.rules.ruleset import RuleSet
from shipper.verify.request import Window
from tests.backtest.support import labelled
from tests.rules.support import rule, written

LOGS = ("a/b/c", "d/e/f")


def made(path: Path) -> list[RuleSet]:
    return [load_tested([path])]


def judged(path: Path, *, threshold: bool) -> Judge:
    """What is said of many small batches of two logs."""
    more: dict[str, Any] = {"threshold": {"count": 2, "within": "1h"}} if threshold else {}
    make = partial(made, written(path, rule(match={"verbs": ["create"]}, **more)))
    with Judge(make, make(), Window()) as judging:
        for number in range(4 * WAITING * PROCESSES):
            place = Place(LOGS[number % 2], number)
            judging.judge_lines(place, [labelled(number % 60), b"{}"], 0)
    return judging


def test_nothing_is_lost_between_processes(tmp_path: Path) -> None:
    """Every batch is in the result once, and samples are the first of the whole history."""
    result = judged(tmp_path, threshold=False).result
    count = 4 * WAITING * PROCESSES
    assert (result.batches, result.lines) == (count, 2 * count)
    found = result.tally.rules[Subject(AUDIT_RULE, "", "r")]
    assert found.matches == count
    assert [(one.log, one.seq) for one in found.samples] == [(LOGS[n % 2], n) for n in range(5)]


def test_a_log_stays_together_where_a_rule_counts(tmp_path: Path) -> None:
    """Two of one log make a finding, wherever its batches end; then it is quiet for an hour."""
    found = judged(tmp_path, threshold=True).result.tally.rules[Subject(AUDIT_RULE, "", "r")]
    assert found.matches == 2
    assert {sample.log for sample in found.samples} == set(LOGS)


def killed() -> list[RuleSet]:
    """As the kernel does where memory ends."""
    os.kill(os.getpid(), signal.SIGKILL)
    return []


def test_a_process_that_is_killed_is_one_clear_error(tmp_path: Path) -> None:
    """And no result: half a history is none."""
    judging = Judge(killed, made(written(tmp_path, rule())), Window())
    judging.judge_lines(Place(LOGS[0], 0), [labelled(0)], 0)
    with pytest.raises(ShipperError, match="a judging process has died"), judging:
        pass


def test_a_sealed_batch_is_judged_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the pieces fall, lines keep their numbers; the last may have no end."""
    lines = [labelled(number) for number in range(5)]
    raw = b"\n".join(lines)
    pieces = [raw[at : at + 700] for at in range(0, len(raw), 700)]
    monkeypatch.setattr(judge, "unpack", lambda _body, _size: iter(pieces))
    make = partial(made, written(tmp_path, rule(match={"verbs": ["create"]})))
    judge._begin(make, Window())  # noqa: SLF001 - what runs in the process
    data = Data(
        key="", size=1, sha256="0" * 64, raw_size=len(raw), lines=5, events_root="0" * 64,
        unterminated=True,
    )  # fmt: skip
    judge._judge(Place("log", 7), b"", data)  # noqa: SLF001
    result = judge._finish()  # noqa: SLF001
    assert (result.batches, result.lines) == (1, 5)
    samples = result.tally.rules[Subject(AUDIT_RULE, "", "r")].samples
    assert [(one.finding.line, one.finding.audit_id) for one in samples] == [
        (number, f"id-{number}") for number in range(5)
    ]


def test_an_interrupt_ends_a_process_without_a_word(tmp_path: Path) -> None:
    """Ctrl-C reaches every process of the terminal; the one that reads says that it was."""
    path, before = written(tmp_path, rule()), signal.getsignal(signal.SIGINT)
    try:
        judge._begin(partial(made, path), Window())  # noqa: SLF001 it begins in its own process
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)
