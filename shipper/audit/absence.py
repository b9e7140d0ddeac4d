"""Notices about a live file that is not where it should be: each is given once.

Finds nothing and reads nothing: what cannot be seen is only said.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from shipper.audit.access import identity_of, shown
from shipper.audit.source import SourceFile
from shipper.audit.tail import notice
from shipper.model import Notice

MISSING_SECONDS = 10.0
"""How long there may be no live file before that is reported. Rotation takes a millisecond."""


class Absence:
    """What was already said about files that are gone."""

    def __init__(self, live: Path, monotonic: Callable[[], float]) -> None:
        self._live = live
        self._monotonic = monotonic
        self._told: SourceFile | None = None
        self._missing_since: float | None = None  # infinite once it was reported

    def of_name(self, source: SourceFile) -> Notice | None:
        """Say that `source`, which is not live any more, was deleted and not rotated."""
        if self._told is source or source.stamp is not None or not source.was_live:
            return None
        if not source.unlinked():
            return None
        self._told = source
        return notice(
            "source-unlinked",
            f"{shown(source.path)} (inode {source.inode}) was deleted while it was being read, "
            f"after byte {source.offset}; reading goes on through its descriptor",
        )

    def of_successor(self, source: SourceFile) -> Notice | None:
        """Say that for some time nothing has come after `source`, which is not live any more."""
        if identity_of(self._live, follow=True) is not None:
            self._missing_since = None
            return None
        now = self._monotonic()
        if self._missing_since is None:
            self._missing_since = now
        if now - self._missing_since < MISSING_SECONDS:
            return None
        self._missing_since = math.inf
        if self._told is source:
            return None
        return notice(
            "source-unlinked",
            f"{shown(self._live)} does not exist any more: if the API server is running, it "
            "writes to a file that was deleted or renamed before it was seen",
        )
