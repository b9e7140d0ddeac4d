"""Does the daemon do its work: has reading begun, and can the audit log be read? Pure.

Asks nothing of the store: sealing goes on without it.
"""

from __future__ import annotations

from shipper.health.status import Status


def unready(status: Status) -> str:
    """Why it is not ready, for a person; empty if it is."""
    if status.stopping:
        return "stopping"
    if not status.ready:
        return "starting"
    if status.source_trouble:
        return status.source_trouble
    if not status.source_found:
        return f"there is no audit log at {status.source}"
    return ""
