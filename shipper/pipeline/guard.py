"""The guardrails at work on what is collected: one decode serves the record and the rules.

A new set of rules comes into force between two batches, never within one. Decides nothing about
batches; without rules it counts events and no more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple

from shipper.audit import event
from shipper.audit.event import EventScan
from shipper.config import Rules
from shipper.errors import ConfigError
from shipper.model import SEVERITIES, Finding, Severity
from shipper.rules.costs import Costs

if TYPE_CHECKING:
    from shipper.rules.engine import Engine
    from shipper.rules.event import Event
    from shipper.rules.guardrails.replay import Replay

ENGINE = "rules-engine"
"""The name under which the engine's own failure is sealed."""


class Seen(NamedTuple):
    """What a run of lines holds, and what the rules say of it. `lines`: of how many, the first
    ones, since what is found may fill a batch before its lines do."""

    scan: EventScan
    findings: list[Finding]
    lines: int


def load_engine(options: Rules) -> Engine | None:
    """The engine for these rules; None where there are none. Raises `ConfigError`."""
    if options.catalog == "none" and not options.paths and options.policies == "fixed":
        return None
    try:
        # Those who have no rules are spared 20 MB.
        from shipper.rules.engine import Engine
        from shipper.rules.load import load_rules
    except ImportError as error:
        raise ConfigError(
            f"the engine of the rules cannot be loaded: {error}",
            remedy="install the C++ library that CEL needs (Debian: libstdc++6),"
            " or go without rules: rules.catalog: none, and no rules.paths",
        ) from error

    return Engine(load_rules(options))


def is_urgent(findings: Sequence[Finding], least: Severity) -> bool:
    """Whether a finding must not wait for its batch to fill."""
    urgent = SEVERITIES[SEVERITIES.index(least) :]
    return any(
        finding.severity in urgent and finding.verdict == "match" and finding.mode == "alert"
        for finding in findings
    )


class InForce(NamedTuple):
    """The rules, and the hash of the configuration that they come from."""

    engine: Engine | None
    config_sha256: str

    @property
    def rules_sha256(self) -> str | None:
        """The hash of the rules; None without any."""
        return self.engine.rules.sha256 if self.engine else None

    @property
    def rules(self) -> int:
        """How many rules there are."""
        return len(self.engine.rules.rules) if self.engine else 0


def _nobody() -> None:
    """Nobody waits for a sign of life."""


class Guard:
    """What is in force. `look` and `renew` for the collect thread, `propose` for any."""

    def __init__(self, in_force: InForce) -> None:
        self.in_force = in_force
        self.seconds = 0.0
        """Wall time that decoding and asking have taken."""
        self.costs = Costs(time.thread_time)
        """What each rule has taken; goes on when rules are renewed."""
        self._proposed: InForce | None = None

    def propose(self, proposed: InForce) -> None:
        """This is to come into force after the batch in the making."""
        self._proposed = proposed

    @property
    def is_proposed(self) -> bool:
        """Whether something waits to come into force."""
        return self._proposed is not None

    @property
    def replay(self) -> Replay | None:
        """What keeps the policies current, where the log does."""
        return self.in_force.engine.guardrails.replay if self.in_force.engine else None

    def renew(self) -> None:
        """Put what was proposed into force. What thresholds have counted is forgotten; what the log
        has said of the policies is not, unless other files say where they begin."""
        before = self.replay
        proposed, self._proposed = self._proposed, None
        self.in_force = proposed or self.in_force
        if before is not None and self.replay not in (None, before):
            self.replay.go_on_from(before)

    def look(
        self,
        lines: Sequence[bytes],
        *,
        first_line: int,
        room_bytes: int | None = None,
        alive: Callable[[], None] = _nobody,
    ) -> Seen:
        """Look at lines of a batch, of which the first has this number there, until findings have
        filled `room_bytes`.

        `alive` is called now and then meanwhile: a megabyte of hostile policies takes its time.
        """
        engine = self.in_force.engine
        if engine is None:
            return Seen(event.scan(lines), [], len(lines))
        began = time.perf_counter()
        scans: list[EventScan] = []
        stops: list[int] = []

        def seen(events: Sequence[Event | None]) -> None:
            alive()
            scans.append(event.scan_events(events))

        try:
            findings = engine.evaluate(
                lines,
                first_line=first_line,
                seen=seen,
                costs=self.costs,
                most_bytes=room_bytes,
                stopped=stops.append,
            )
            if stops:
                return Seen(event.scan(lines[: stops[0]]), findings, stops[0])
            return Seen(reduce(event.merge, scans, event.EMPTY), findings, len(lines))
        except Exception as error:  # noqa: BLE001 the record goes on, whatever becomes of the rules
            unanswered = [_unanswered(error, lines, first_line)]
            return Seen(event.scan(lines), unanswered, len(lines))
        finally:
            self.seconds += time.perf_counter() - began


def _unanswered(error: Exception, lines: Sequence[bytes], first_line: int) -> Finding:
    """What is sealed where the engine itself failed: nobody may take silence for a pass."""
    return Finding(
        rule=ENGINE,
        title="The rules could not be asked",
        severity="high",
        verdict="indeterminate",
        message=f"{len(lines)} lines from here on: {type(error).__name__}: {str(error)[:200]}",
        audit_id="",
        line=first_line,
        time="",
    )
