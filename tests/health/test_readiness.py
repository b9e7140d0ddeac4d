"""Ready is a daemon that reads the audit log."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from shipper.health.readiness import unready
from tests.health.samples import WELL


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ready": False}, "starting"),
        ({"stopping": True}, "stopping"),
        ({"source_trouble": "audit.log: Permission denied"}, "Permission denied"),
        ({"source_found": False}, "no audit log at /var/log/kubernetes/audit/audit.log"),
    ],
)
def test_it_says_why_not(changes: dict[str, Any], says: str) -> None:
    """Each reason is named."""
    assert says in unready(structs.replace(WELL, **changes))


def test_the_store_is_no_reason() -> None:
    """Sealing goes on without it, and with a full spool the log is still being watched."""
    assert unready(WELL) == ""
    changed = structs.replace(WELL, store_state="refused", store_trouble="no", spool_full=True)
    assert unready(changed) == ""
