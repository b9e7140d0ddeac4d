"""What a kube-apiserver says of its own audit log, on its `/metrics`. Pure: bytes in, numbers out.

`apiserver_audit_event_total` is counted once for each event and stage, after `omitStages` and
before the event goes to a backend (k8s.io/apiserver, pkg/endpoints/filters/audit.go,
`processAuditEvent`): it is the number of lines that should be in the log.
`apiserver_audit_error_total{plugin="log"}` counts those that could not be written
(`HandlePluginError` in pkg/audit/metrics.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shipper.errors import SourceError

EVENTS = b"apiserver_audit_event_total"
ERRORS = b"apiserver_audit_error_total"
STARTED = b"process_start_time_seconds"

MOST = 2.0**53
"""Beyond that a number of the exposition, a float, counts no more."""

_LINE_BYTES = 64 * 2**10
_SAMPLE = re.compile(
    rb"(%s)(\{[^}]*\})? ([0-9]{1,20}(?:\.[0-9]{1,20})?(?:e\+[0-9]{1,2})?)(?: [0-9]{1,20})?\s*"
    % b"|".join((EVENTS, ERRORS, STARTED))
)


class Counters(NamedTuple):
    """`events`: generated since the process started, at `started` (its clock, seconds); `failed`:
    those of them that never reached the log."""

    events: int
    failed: int
    started: float


def read_counters(blocks: Iterable[bytes]) -> Counters:
    """The counters in an exposition, given piece by piece. `SourceError` if it has none: this is no
    API server, or one that audits nothing."""
    found: dict[bytes, float] = {}
    for line in _lines(blocks):
        match = _SAMPLE.fullmatch(line)
        if match is None or (match[1] == ERRORS and b'plugin="log"' not in (match[2] or b"")):
            continue
        found[match[1]] = float(match[3])
    if EVENTS not in found or STARTED not in found:
        raise SourceError(
            "there is no apiserver_audit_event_total",
            remedy="it must be the /metrics of the kube-apiserver that writes this audit log",
        )
    if max(found.values()) > MOST:
        raise SourceError("the counters are no counts")
    return Counters(int(found[EVENTS]), int(found.get(ERRORS, 0)), found[STARTED])


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines among which ours are. A large cluster's metrics are tens of megabytes: what holds
    none of the names is not cut into lines."""
    rest = b""
    for block in blocks:
        whole, _, rest = (rest + block).rpartition(b"\n")
        if EVENTS in whole or ERRORS in whole or STARTED in whole:
            yield from whole.splitlines()
        if len(rest) > _LINE_BYTES:
            rest = b""
    yield rest
