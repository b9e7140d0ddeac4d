"""A status for the terminal. Plain text; decides nothing, prints nothing."""

from __future__ import annotations

from shipper.health.rows import found_row, headline, rows
from shipper.health.status import Status
from shipper.text import harmless

SHOWN_FINDINGS = 5

MOST_CHARACTERS = 2000


def render(status: Status) -> str:
    """Each line ended; what a person should do comes last, where it is seen.

    Whoever has the daemon's port may have made the status: a terminal obeys nothing of it.
    """
    lines = [f"{name:18} {says}" for name, says in rows(status)]
    for found in status.last_findings[:SHOWN_FINDINGS]:
        one = found_row(found)
        lines.append(f"{'finding':18} {one.severity} {one.rule}, record {one.seq}: {one.message}")
    lines += ["", headline(status)]
    for trouble in status.troubles:
        says = " ".join(trouble.says.split())  # the mistakes of a configuration are lines
        lines += [f"  {trouble.code}: {says}", f"    -> {trouble.do}"]
    return "".join(f"{harmless(line, MOST_CHARACTERS)}\n" for line in lines)
