"""Which alerts a receiver wants: by severity, rule and namespace. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from shipper.model import SEVERITIES, Finding
from shipper.receivers import Receiver


def wants(receiver: Receiver, finding: Finding) -> bool:
    """Whether `receiver` is told of `finding`."""
    return (
        SEVERITIES.index(finding.severity) >= SEVERITIES.index(receiver.min_severity)
        and listed(finding.rule, receiver.rules)
        and listed(finding.what.namespace, receiver.namespaces)
    )


def listed(name: str, patterns: Sequence[str]) -> bool:
    """Whether some pattern takes `name` and none with `!` in front leaves it out.

    Where all have `!`, what they do not leave out is taken; no pattern at all takes everything.
    """
    without = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    among = [pattern for pattern in patterns if not pattern.startswith("!")]
    taken = not among or any(fnmatchcase(name, pattern) for pattern in among)
    return taken and not any(fnmatchcase(name, pattern) for pattern in without)
