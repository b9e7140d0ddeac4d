"""What a kube-apiserver says of its own audit log, on its `/metrics`. Pure: lines in, numbers out.

`apiserver_audit_event_total` is counted once for each event and stage, after `omitStages` and
before the event goes to a backend (k8s.io/apiserver, pkg/endpoints/filters/audit.go,
`processAuditEvent`): it is the number of lines that should be in the log.
`apiserver_audit_error_total{plugin="log"}` counts those that could not be written
(`HandlePluginError` in pkg/audit/metrics.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from shipper.errors import SourceError

EVENTS = b"apiserver_audit_event_total"
ERRORS = b"apiserver_audit_error_total"
STARTED = b"process_start_time_seconds"

_SAMPLE = re.compile(rb"([a-z_]+)(\{[^}]*\})? ([0-9.eE+]+)(?: [0-9]+)?\s*")


class Counters(NamedTuple):
    """`events`: generated since the process started, at `started` (its clock, seconds); `failed`:
    those of them that never reached the log."""

    events: int
    failed: int
    started: float


def read_counters(lines: Iterable[bytes]) -> Counters:
    """The counters in an exposition. `SourceError` if it has none: this is no API server, or one
    that audits nothing."""
    found: dict[bytes, float] = {}
    for line in lines:
        if not line.startswith((EVENTS, ERRORS, STARTED)):
            continue
        match = _SAMPLE.fullmatch(line)
        if match is None or (match[1] == ERRORS and b'plugin="log"' not in (match[2] or b"")):
            continue
        found[match[1]] = float(match[3])
    if EVENTS not in found or STARTED not in found:
        raise SourceError(
            "there is no apiserver_audit_event_total",
            remedy="it must be the /metrics of the kube-apiserver that writes this audit log",
        )
    return Counters(int(found[EVENTS]), int(found.get(ERRORS, 0)), found[STARTED])
