"""How an object most likely came past a policy, as far as the log and the policies say.

Likely, not proved: the log says what was stored, not what each webhook answered. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from shipper.model import Severity
from shipper.rules.dialects.policy import Ident, Objects, Policy, Verdict
from shipper.rules.terms import Terms

RECENT = timedelta(minutes=5)
"""For so long after a change an API server or a webhook may go by the old policy."""

NOT_KNOWN = (
    "not known: nothing in the log explains it; perhaps the policy is not in force in the cluster,"
    " or its webhook was not asked"
)

IN_PROCESS = "admissionregistration.k8s.io"
"""The group of the policies that the API server asks itself; all others stand behind a webhook."""

_FAILED_OPEN = "failed-open."
_EXCEPTION = "Exception"

Changes = Mapping[Ident, datetime]
"""When objects that policies are made of were last seen to change in the log."""


class Way(NamedTuple):
    """`severity` None: that of a write that should have been denied. `quiet`: told now and then."""

    says: str
    severity: Severity | None = None
    quiet: bool = False


def way_of(
    policy: Policy, verdict: Verdict, terms: Terms, *, objects: Objects, changes: Changes
) -> Way:
    """The likeliest way past `policy`, which says `verdict` of the event's object."""
    if verdict.exempt:
        return Way(f"exempt: {verdict.exempt}", "info", quiet=True)
    if verdict.action != "deny":
        only = "warns of" if verdict.action == "warn" else "audits"
        return Way(f"the policy only {only} such writes here", "low", quiet=True)
    asked_at = received(terms)
    for ident, at in _created(policy, objects):
        if at > asked_at:
            return Way(f"admitted before {ident} existed (created {at:%Y-%m-%dT%H:%M:%SZ})", "info")
    failed = failed_open(terms) if policy.ident.group != IN_PROCESS else ""
    if failed:
        return Way(f"a webhook failed open: {failed}")
    return _changed(policy, asked_at, objects=objects, changes=changes) or Way(NOT_KNOWN)


def failed_open(terms: Terms) -> str:
    """The webhooks that failed open in this request, as the API server says."""
    return ", ".join(
        sorted(
            {
                str(value)
                for key, value in terms.annotations.items()
                if key.startswith(_FAILED_OPEN) and isinstance(value, str)
            }
        )
    )


def received(terms: Terms) -> datetime:
    """When the API server got the request, else when it answered."""
    return moment(terms.event.requestReceivedTimestamp) or terms.event.stageTimestamp


def moment(text: object) -> datetime | None:
    """A moment as the API server writes it; None if it is none."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
        return found.astimezone(UTC) if found and found.tzinfo else None
    except (ValueError, OverflowError):  # in UTC it may lie beyond the calendar
        return None


def _changed(
    policy: Policy, asked_at: datetime, *, objects: Objects, changes: Changes
) -> Way | None:
    """The newest change, shortly before, of what the policy is made of, or of an exception that is
    no more. Any other part is gone from `parts` once it is deleted, and its no with it."""
    own = set(policy.parts)
    moments = [(at, f"{ident} was created") for ident, at in _created(policy, objects)]
    moments += [
        (at, f"{ident} was changed" if ident in objects else f"{ident} was deleted")
        for ident, at in changes.items()
        if ident in own or (ident not in objects and _may_have_exempted(ident, policy))
    ]
    recent = [(at, says) for at, says in moments if timedelta() <= asked_at - at <= RECENT]
    if not recent:
        return None
    at, says = max(recent)
    seconds = (asked_at - at).total_seconds()
    return Way(f"{says} {seconds:.0f} s before; such a change takes effect with a delay")


def _may_have_exempted(ident: Ident, policy: Policy) -> bool:
    return ident.kind.endswith(_EXCEPTION) and ident.group == policy.ident.group


def _created(policy: Policy, objects: Objects) -> Iterator[tuple[Ident, datetime]]:
    """When the parts without which the policy would not say no were made, where that is known."""
    for ident in policy.parts:
        source = objects.get(ident)
        metadata = source.value.get("metadata") if source else None
        if isinstance(metadata, Mapping) and not ident.kind.endswith(_EXCEPTION):
            at = moment(metadata.get("creationTimestamp"))
            if at is not None:
                yield ident, at
