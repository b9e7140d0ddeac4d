"""What the fuzzer's inputs are given to: log lines to the engine, rule files to the loader.

Nothing may raise but a `RulesError` for a rule file, and nothing may stall.
"""

from __future__ import annotations

import time
from pathlib import Path

from shipper.rules.engine import Engine
from shipper.rules.load import RulesError, load_tested
from shipper.rules.testing import run_tests
from tests.rules.support import line, params, pod, rules_of, written
from tests.rules.test_engine import HOSTILE

MAX_CPU_SECONDS = 10
"""Of one input of a few kilobytes: much less than this is a stall."""

RULE = b"""\
apiVersion: audit-shipper/v1
kind: AuditRule
metadata: {name: r}
spec:
  title: t
  severity: low
  match: {verbs: [get, '!x*'], resources: ['pods/*'], raw: 'a+'}
  when: object.spec.containers.exists(c, c.image in params.images)
  message: 'x {{ event.verb }}'
  threshold: {count: 2, within: 5m, by: [event.verb]}
  exceptions: [{reason: r, match: {users: [a]}, until: 2027-01-01}]
  tests: [{name: t, event: {verb: get}, expect: none}]
"""
LINES = [
    pod({"containers": [{"name": "c", "privileged": True}], "text": "aaa"}),
    line(verb="delete", user={"username": "bob", "groups": ["g"]}, sourceIPs=["1.1.1.1"]),
    line(stage="ResponseStarted", responseStatus={"code": 401}, annotations={"a": "b"}),
    line()[:100] + line(impersonatedUser={"username": "x"}),
]
SEEDS = [*(b"L" + seed for seed in LINES), b"R" + RULE]
"""The first byte says what the rest is."""


class Target:
    """One input after the other."""

    def __init__(self, directory: Path) -> None:
        self._engine = Engine(rules_of(directory, params(images=["x"]), *HOSTILE))
        self._directory = directory / "fuzzed"
        self._directory.mkdir()

    def __call__(self, data: bytes) -> None:
        """Raises if something is wrong with the program."""
        began = time.process_time()
        if data[:1] == b"R":
            self._rule_file(data[1:])
        else:
            for finding in self._engine.evaluate(data[1:].split(b"\n")):
                assert len(finding.message) < 20_000
        assert time.process_time() - began < MAX_CPU_SECONDS

    def _rule_file(self, data: bytes) -> None:
        declared = written(self._directory, params(images=["x"]))
        fuzzed = self._directory / "fuzzed.yaml"
        fuzzed.write_bytes(data)
        try:
            rules = load_tested([declared, fuzzed])
        except RulesError:
            return
        for _ in run_tests(rules):
            pass
        Engine(rules).evaluate(LINES)
