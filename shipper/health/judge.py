"""What is wrong with the daemon, if anything, and most urgent first. Pure: asks nobody."""

from __future__ import annotations

from collections.abc import Iterator

from shipper.health.status import Status
from shipper.health.troubles import MEANINGS, Trouble, trouble

LATE_SEAL_FACTOR = 2.0
"""A record is due at every heartbeat; after twice that time something holds up the sealing."""

LATE_SHIP_SECONDS = 300.0

_STORE = {"refused": "store-refused", "failing": "store-failing", "stopped": "shipping-stopped"}

_RELOAD = {"refused": "reload-refused", "needs-restart": "restart-needed"}


def troubles(status: Status) -> list[Trouble]:
    """What a person should do something about; nothing, if all is well."""
    order = list(MEANINGS)
    return sorted(_found(status), key=lambda one: order.index(one.code))


def _found(status: Status) -> Iterator[Trouble]:
    if status.running is False:
        yield trouble("not-running", status.silence)
    yield from _source(status)
    yield from _spool(status)
    yield from _store(status)
    if status.reload_result in _RELOAD:
        yield trouble(_RELOAD[status.reload_result], status.reload_trouble)
    for name, receiver in status.alerts.items():
        if receiver.trouble:
            yield trouble("receiver-failing", f"{name}: {receiver.trouble}")


def _source(status: Status) -> Iterator[Trouble]:
    if status.source_trouble:
        yield trouble("source-unreadable", status.source_trouble)
    elif not status.source_found:
        yield trouble("source-missing", status.source)
    for code, count in (
        ("events-missing", status.events_missing),
        ("events-gained", status.events_gained),
        ("events-failed", status.events_failed),
    ):
        if count:
            yield trouble(code, f"{count} since the start")
    if status.apiserver_trouble:
        yield trouble("apiserver-unreadable", status.apiserver_trouble)


def _spool(status: Status) -> Iterator[Trouble]:
    if status.spool_trouble:
        yield trouble("spool-refused", status.spool_trouble)
    elif status.spool_full:
        yield trouble("spool-full")
    # A start seals nothing before the first heartbeat, however long the daemon was away.
    waited = min(status.sealed_seconds_ago or 0.0, status.up_seconds)
    late = waited > LATE_SEAL_FACTOR * status.heartbeat_seconds
    if late and not status.stopping and not status.spool_trouble:
        yield trouble("not-sealing")


def _store(status: Status) -> Iterator[Trouble]:
    code = _STORE.get(status.store_state)
    if code is not None:
        yield trouble(code, status.store_trouble)
    elif status.oldest_pending_seconds > LATE_SHIP_SECONDS:
        yield trouble("not-shipping")
    if status.store_weak:
        yield trouble("store-weak", status.store_weak)
