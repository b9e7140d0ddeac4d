"""How an object most likely came past a policy, as far as the log and the policies say.

Likely, not proved: the log says what was stored, not what each webhook answered. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shipper.model import Severity
from shipper.rules.dialects.policy import Ident, Objects, Policy, Verdict
from shipper.rules.terms import Terms, moment

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


_UNKNOWN = Way(NOT_KNOWN)


class Ways:
    """The ways past the policies that `objects` put in force.

    Remembers when what a policy is made of was created.
    """

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self._created: dict[Ident, Sequence[tuple[Ident, datetime]]] = {}

    def likeliest(self, policy: Policy, verdict: Verdict, terms: Terms, changes: Changes) -> Way:
        """The likeliest way past `policy`, which says `verdict` of the event's object."""
        if verdict.exempt:
            return Way(f"exempt: {verdict.exempt}", "info", quiet=True)
        if verdict.action != "deny":
            only = "warns of" if verdict.action == "warn" else "audits"
            return Way(f"the policy only {only} such writes here", "low", quiet=True)
        created, asked_at = self._made(policy), terms.received
        for ident, at in created:
            if at > asked_at:
                says = f"admitted before {ident} existed (created {at:%Y-%m-%dT%H:%M:%SZ})"
                return Way(says, "info")
        failed = failed_open(terms) if policy.ident.group != IN_PROCESS else ""
        if failed:
            return Way(f"a webhook failed open: {failed}")
        moments = [(at, f"{ident} was created") for ident, at in created]
        if changes:
            moments += self._changed(policy, changes)
        return _just_before(asked_at, moments) or _UNKNOWN

    def _made(self, policy: Policy) -> Sequence[tuple[Ident, datetime]]:
        found = self._created.get(policy.ident)
        if found is None:
            found = self._created[policy.ident] = tuple(_created(policy, self.objects))
        return found

    def _changed(self, policy: Policy, changes: Changes) -> Iterator[tuple[datetime, str]]:
        """The changes of what the policy is made of, or of an exception that is no more. Any other
        part is gone from `parts` once it is deleted, and its no with it."""
        own = set(policy.parts)
        for ident, at in changes.items():
            gone = ident not in self.objects
            if ident in own or (gone and _may_have_exempted(ident, policy)):
                yield at, f"{ident} was {'deleted' if gone else 'changed'}"


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


def _just_before(asked_at: datetime, moments: Sequence[tuple[datetime, str]]) -> Way | None:
    """The newest of the moments if it was shortly before."""
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
