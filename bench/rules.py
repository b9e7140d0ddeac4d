"""What guardrail rules cost: `audit-shipper rules run` over the input, as whole processes.

It reads, splits, decodes and asks, and nothing else, so that the rules do not hide behind
compression and signatures. CPU of a run over an empty log, which loads the rules, is taken off.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from bench.bench import MB, Bench
from bench.daemon import PROGRAM
from bench.process import MIB, Usage, measure
from bench.table import Row, at_most, known
from shipper.config import Rules
from shipper.rules.costs import Costs
from shipper.rules.engine import Engine
from shipper.rules.load import load_rules

_FEW, _MANY = 50, 5_000
_BLOCK_BYTES, _MOST_BLOCKS, _TURNS = 2**20, 100, 5
_FOUND_SOMETHING = '"$@" || [ $? -eq 1 ]'
"""1 is the exit code of a run that found something, which is no failure here."""


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    log, size = bench.input()
    runs = Runs(bench, log)
    events = runs.events()
    without = runs.cpu_seconds("none", {"catalog": "none"})
    catalog = runs.cpu_seconds("catalog", {"catalog": "default"})
    peak = runs.peak_rss
    few, many = (runs.distinct(count) for count in (_FEW, _MANY))
    yield known("rules run, no rules, MB per CPU-second", size / MB / without, "")
    yield known("rules run, the catalog, MB per CPU-second", size / MB / catalog, "")
    each = (catalog - without) / events * 1e6
    yield known("the catalog, CPU per event", each, "us", digits=1)
    yield known("rules run, the catalog, peak RSS", peak / MIB, "MiB", digits=1)
    bench.say("what each rule costs, measured and not")
    measured = sampling_percent(log)
    yield at_most("cost by rule, more CPU of the rules", measured, 1, "%", digits=2)
    more = (many / few - 1) * 100
    yield at_most(f"{_MANY:,} distinct rules over {_FEW}, more CPU", more, 15, "%", digits=1)


def sampling_percent(log: Path) -> float:
    """How much more CPU the catalog takes where each rule's cost is estimated.

    Block by block with and without, in turns and several times, of which the middle ones count:
    the difference is smaller than what two runs of a program differ by.
    """
    rules = load_rules(Rules())
    kinds = (Engine(rules), None), (Engine(rules), Costs(time.thread_time))
    took = [0.0, 0.0]
    with log.open("rb") as file:
        for _ in range(_MOST_BLOCKS):
            lines = file.readlines(_BLOCK_BYTES)
            each: tuple[list[float], list[float]] = [], []
            for turn in range(2 * _TURNS):
                n = (turn + turn // 2) % 2
                began = time.thread_time()
                kinds[n][0].evaluate(lines, costs=kinds[n][1])
                each[n].append(time.thread_time() - began)
            took = [total + median(times) for total, times in zip(took, each, strict=True)]
    return (took[1] / took[0] - 1) * 100


class Runs:
    """Runs over one log, with different rules."""

    def __init__(self, bench: Bench, log: Path) -> None:
        self._bench = bench
        self._log = log
        self._directory = bench.directory / "rules"
        self._directory.mkdir(exist_ok=True)
        self._empty = self._directory / "empty.log"
        self._empty.touch()
        self.peak_rss = 0

    def events(self) -> int:
        """How many lines the log has."""
        with self._log.open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))

    def cpu_seconds(self, name: str, section: dict[str, Any]) -> float:
        """CPU that the log takes under the `rules` section, loading them apart."""
        self._bench.say(f"rules run, {name}")
        config = self._directory / f"{name}.yaml"
        page = {
            "source": {"path": str(self._log)},
            "seal": {"key_file": "/key.pem"},
            "store": {"url": "file:///store"},
            "rules": section,
        }
        config.write_text(json.dumps(page))  # JSON is YAML
        used = self._run(self._log, config)
        self.peak_rss = max(self.peak_rss, used.peak_rss)
        return used.cpu_seconds - self._run(self._empty, config).cpu_seconds

    def distinct(self, count: int) -> float:
        """The same with so many rules, each about a resource of its own and none in the log."""
        rules = self._directory / f"{count}-rules.yaml"
        rules.write_text("\n---\n".join(json.dumps(_distinct(number)) for number in range(count)))
        return self.cpu_seconds(f"{count} rules", {"catalog": "none", "paths": [str(rules)]})

    def _run(self, log: Path, config: Path) -> Usage:
        program = [PROGRAM, "rules", "run", str(log), "--config", str(config), "--output", "json"]
        command = ["/bin/sh", "-c", _FOUND_SOMETHING, "sh", *program]
        return measure(command, log=self._directory / "output")


def _distinct(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "audit-shipper/v1",
        "kind": "AuditRule",
        "metadata": {"name": f"distinct-{number}"},
        "spec": {
            "title": "One of many",
            "severity": "low",
            "match": {"verbs": ["create", "update"], "resources": [f"things{number}"]},
            "when": "has(object.spec.privileged) && object.spec.privileged",
        },
    }
