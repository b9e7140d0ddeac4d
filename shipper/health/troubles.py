"""Every trouble that can be shown: what it means, and what a person should do now.

One table, in order of urgency. Its codes are the label of a metric, and the headings of the runbook
in docs/operations.md. Judges nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from shipper.text import harmless

MOST_DETAIL = 1000


class Meaning(NamedTuple):
    """A sentence for what is wrong, and one for what to do."""

    says: str
    do: str


MEANINGS: dict[str, Meaning] = {
    "not-running": Meaning(
        "The daemon does not answer",
        "Start it, or see why it ended: nothing is sealed without it.",
    ),
    "source-missing": Meaning(
        "There is no audit log where it should be",
        "Compare source.path with the API server's --audit-log-path, and see that it runs.",
    ),
    "source-unreadable": Meaning(
        "The audit log cannot be read",
        "Let the daemon read it: a group, or CAP_DAC_READ_SEARCH.",
    ),
    "events-missing": Meaning(
        "The API server has written events that were never read",
        "Find out who removed or changed the audit log, and keep what is left of it.",
    ),
    "events-gained": Meaning(
        "Events were read that the API server has never written",
        "Find out who else writes to the audit log; do not trust its events since.",
    ),
    "events-failed": Meaning(
        "The API server could not write events to its audit log",
        "Make room on its disk, and raise --audit-log-maxsize above its largest event.",
    ),
    "spool-refused": Meaning(
        "The spool's disk takes nothing, and reading has stopped",
        "Make room on the disk or mend it.",
    ),
    "spool-full": Meaning(
        "The spool is full, and reading has stopped",
        "Bring the store back; until then the API server's own files are the buffer.",
    ),
    "not-sealing": Meaning(
        "Nothing was sealed for longer than two heartbeats",
        "Look at the spool's disk and at the daemon's log; start the daemon anew if it hangs.",
    ),
    "shipping-stopped": Meaning(
        "Nothing more is shipped before a person has decided",
        "See that one daemon alone writes this log, then follow the remedy.",
    ),
    "store-refused": Meaning(
        "The store refuses",
        "Mend credentials, permissions or the bucket; sealing goes on meanwhile.",
    ),
    "store-failing": Meaning(
        "The store does not answer as it should",
        "See that it is up and can be reached; sealing goes on meanwhile.",
    ),
    "store-weak": Meaning(
        "Objects are stored with a weaker lock than configured, or none",
        "Mend the bucket's retention and start the daemon anew; verify --locked-until tells"
        " which objects are concerned.",
    ),
    "not-shipping": Meaning(
        "The oldest record has waited for the store for more than five minutes",
        "Look at the store and the network; a long backlog drains by itself.",
    ),
    "apiserver-unreadable": Meaning(
        "The API server does not tell how many events it has written",
        "Mend source.apiserver_metrics: address, token, certificate; recording goes on.",
    ),
    "reload-refused": Meaning(
        "The configuration or a rule file has a mistake; what was in force stays in force",
        "Mend it: a rule file is read again by itself, the configuration on SIGHUP.",
    ),
    "restart-needed": Meaning(
        "The configuration was changed in more than a reload can take",
        "Start the daemon anew when it suits.",
    ),
    "receiver-failing": Meaning(
        "A receiver of alerts does not take them",
        "Mend the receiver; what it was not told waits for it.",
    ),
}


class Trouble(msgspec.Struct, frozen=True):
    """One thing that is wrong now. `says` and `do` are sentences for a person."""

    code: str
    says: str
    do: str


def trouble(code: str, detail: str = "") -> Trouble:
    """The trouble with this code; `detail`, from whomever it comes, completes its sentence."""
    meaning = MEANINGS[code]
    says = f"{meaning.says}: {harmless(detail, MOST_DETAIL)}" if detail else f"{meaning.says}."
    return Trouble(code, says, meaning.do)
