"""Where to go on in a file that lost a part which was already taken, and may have grown since.

No I/O. It trusts the API server's own times and nothing else, and only when the bytes themselves
can no longer be compared: after a power loss (the API server never fsyncs its log, so the last
seconds of the file are gone while the record of them is safe), or when the file was cut behind us.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from io import BytesIO

from shipper.audit.event import envelope
from shipper.audit.lines import LineBuffer


def known_length(content: Iterable[bytes], newest: datetime) -> int | None:
    """How many bytes of `content` were taken before, if all that was taken is as old as `newest`.

    It ends after the last event that is no newer, before the first that is. Lines between the two
    that are no events count as new: after a crash the API server appends to the torn line, so such
    a line can hold a whole new event. None if no event in `content` can tell.
    """
    lines = LineBuffer()
    known = None
    offset = 0
    for data in content:
        for line in BytesIO(lines.feed(data)):
            event = envelope(line)
            offset += len(line)
            if event is None:
                continue
            if event.stageTimestamp > newest:
                return known or 0
            known = offset
    return known
