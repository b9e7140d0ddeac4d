"""What befalls the daemon in a soak, one thing after the other: rules that change, a store that
goes away."""

from __future__ import annotations

import itertools
import os
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.daemon import Place
from tests.process import Daemon
from tests.soak.stores import Store

RULE = """\
apiVersion: audit-shipper/v1
kind: AuditRule
metadata: {name: soak}
spec:
  title: A lease was renewed, in edition %d
  severity: low
  match: {verbs: [update], resources: [leases]}
  when: event.user.username != "edition-%d"
  message: "{{ event.user.username }} renewed {{ event.objectRef.name }}"
  threshold: {count: 100, within: 1m, by: [event.user.username]}
"""


class Troubles:
    """Each call of `next` is one of them; they come in turns."""

    def __init__(self, place: Place, store: Store) -> None:
        self.counts: Counter[str] = Counter()
        self._rules = place.root / "rules.yaml"
        self._store = store
        self._edition = itertools.count()
        self._turns: Iterator[str] = itertools.cycle(
            ("rule file changed", "outage", "back", "SIGHUP", "flaky store", "back")
        )
        self._write_rules()

    def sections(self) -> dict[str, dict[str, Any]]:
        """The daemon's configuration: as shipped, with one more rule and small batches."""
        return {
            "rules": {"catalog": "default", "paths": [str(self._rules)]},
            "batch": {"max_age": "1s", "heartbeat": "10s"},
            "shutdown": {"drain": "10s"},
        }

    def next(self, daemon: Daemon) -> None:
        """Let it happen."""
        turn = next(self._turns)
        self.counts[turn] += 1
        match turn:
            case "rule file changed":
                self._write_rules()
            case "SIGHUP":
                self._write_rules()
                daemon.process.send_signal(signal.SIGHUP)
            case "outage":
                self._store.away()
            case "flaky store":
                self._store.flaky()
            case _:
                self._store.back()

    def _write_rules(self) -> None:
        edition = next(self._edition)
        fresh = self._rules.with_suffix(".new")
        fresh.write_text(RULE % (edition, edition))
        os.replace(fresh, self._rules)
