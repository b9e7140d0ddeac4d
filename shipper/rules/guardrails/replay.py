"""The policies in force at each point of the log, kept current by the log itself.

Begins with what stands in files; creations, changes and deletions of policies, bindings,
parameters, exceptions and Namespaces do the rest. Bounded, pure, and never raises on an event: what
it could not follow is a doubt, told for as long as it lasts. What is not in this log (another API
server's writes, an event that the audit policy leaves out) it does not know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from shipper.rules.collect import is_read, kinds_of
from shipper.rules.dialects.kinds import resource_of
from shipper.rules.dialects.objects import (
    NAMESPACE,
    ident_of,
    is_namespace,
    is_too_deep,
    labelled,
    slim,
)
from shipper.rules.dialects.policies import PolicySet
from shipper.rules.dialects.policy import Dialect, Ident, Objects, Source
from shipper.rules.document import MAX_DEPTH
from shipper.rules.guardrails.reviews import accepted
from shipper.rules.message import MAX_MESSAGE
from shipper.rules.terms import UNBOUND, Terms
from shipper.text import cut

MAX_OBJECTS = 10_000
MAX_BYTES = 16 * 2**20
"""Of all objects as compact JSON; in memory they take some five times that."""

MAX_CHANGES = 512
"""Changes that are remembered to explain what came past a policy shortly after."""

MAX_DOUBTS = 100

MAX_IDENT = 1024
"""Characters of an object's group, kind, namespace and name together: the API server lets none be
longer than 253."""

_LIMIT = "limit"
_OTHERS = "others"
_MORE = "more of the policies are not known than can be told one by one"


class _Kept(NamedTuple):
    source: Source
    sha256: bytes
    size: int


State = tuple[Sequence[Mapping[str, Any]], Mapping[str, str]]
"""What must survive a restart: the objects and the doubts, as plain values."""


class Replay:
    """For one thread at a time. `version` grows whenever other events may be concerned."""

    def __init__(self, snapshot: PolicySet, dialects: Sequence[Dialect]) -> None:
        self.snapshot_sha256 = snapshot.sha256
        """The hash of what it began with."""
        self.version = 0
        self.changes: dict[Ident, datetime] = {}
        """When objects were last seen to change."""
        self._dialects = dialects
        self._kept: dict[Ident, _Kept] = {}
        self._bytes = 0
        self._lost: dict[str, str] = {}
        self._wrong: dict[str, str] = {}
        self._news: list[str] = []
        self._linked = snapshot
        self._kinds: frozenset[tuple[str, str]] = frozenset()
        self._resources: frozenset[tuple[str, str]] = frozenset()
        self._fresh: set[Ident] = set()
        self._sha256 = ""
        self.restore([source.value for source in snapshot.objects.values()], {})

    # ---- what there is

    @property
    def policies(self) -> PolicySet:
        """The policies in force."""
        return self._linked

    @property
    def doubts(self) -> Mapping[str, str]:
        """What is not known of the policies in force, each a sentence."""
        return {**self._lost, **self._wrong} if self._wrong else self._lost

    @property
    def sha256(self) -> str:
        """The hash (hex) of the state."""
        if not self._sha256:
            page = [[*ident, self._kept[ident].sha256.hex()] for ident in sorted(self._kept)]
            encoded = msgspec.json.encode([page, self._lost], order="sorted")
            self._sha256 = hashlib.sha256(encoded).hexdigest()
        return self._sha256

    @property
    def state(self) -> State:
        """What must survive."""
        values = [self._kept[ident].source.value for ident in sorted(self._kept)]
        return values, dict(self._lost)

    @property
    def resources(self) -> frozenset[tuple[str, str]]:
        """(API group, resource) of the objects that it follows, "*" for any of the group."""
        return self._resources

    def namespace(self, name: str) -> Any:
        """The Namespace as it stands now: null for "", `UNBOUND` if it was never seen."""
        if not name:
            return None
        kept = self._kept.get(Ident(*NAMESPACE, "", name))
        return labelled(kept.source.value) if kept else UNBOUND

    def restore(self, objects: Iterable[Mapping[str, Any]], doubts: Mapping[str, str]) -> None:
        """Go on from a state, as if the log up to it had been seen."""
        self._kept, self._bytes, self._lost = {}, 0, {}
        for value in objects:
            ident = ident_of(value)
            if ident is not None:
                self._put(ident, value)
        self._lost |= doubts
        self.changes.clear()
        failed = self._tried()
        if failed:
            self._wrong = {"link": f"the policies can not be used: {failed}"}

    def go_on_from(self, other: Replay) -> None:
        """Take over what `other` has seen, if both began with the same files."""
        if other.snapshot_sha256 == self.snapshot_sha256:
            self.restore(*other.state)
            self.changes = other.changes

    # ---- what changes it

    def may_concern(self, terms: Terms) -> bool:
        """Whether this event, and all that are alike, may change what is in force."""
        ref = terms.ref
        named = (ref.apiGroup, ref.resource)
        if ref.subresource and (ref.subresource, *named) != ("finalize", "", "namespaces"):
            return False
        if named not in self._resources and (ref.apiGroup, "*") not in self._resources:
            return False
        return accepted(terms)

    def follow(self, terms: Terms) -> list[str]:
        """Take over what the event changed. Returns what is to be told of it, in sentences."""
        before = dict(self.doubts)
        try:
            for ident in self._followed(terms):
                self._note(ident, terms.event.stageTimestamp)
        except Exception as error:  # noqa: BLE001 - whatever the object is, the daemon must go on
            reason = f"{terms.ref.resource} can not be followed: {type(error).__name__}"
            self._doubt(f"failed {terms.ref.apiGroup} {terms.ref.resource}", reason)
        if self._fresh:
            self._relink()
        if self.doubts.keys() != before.keys():
            self.version += 1
        news, self._news = self._news, []
        return [*news, *(reason for key, reason in self.doubts.items() if key not in before)]

    def _followed(self, terms: Terms) -> Iterable[Ident]:
        """The objects that are others than before."""
        if terms.event.verb == "deletecollection":
            return self._collection(terms)
        body = terms.stored()
        ident = ident_of(body)
        if ident is None or not is_read(ident.group, ident.kind, self._kinds):
            return self._unseen(terms)
        if _is_gone(terms.event.verb, body):
            return self._drop(ident)
        return self._put(ident, body)

    def _unseen(self, terms: Terms) -> Iterable[Ident]:
        """The event has no object: what was known of it holds no longer."""
        ref, level = terms.ref, terms.event.level
        known = [one for one in self._kept if one.name == ref.name and self._is_of(one, terms)]
        dropped = [one for ident in known for one in self._drop(ident)]
        place = f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name
        key = f"{ref.apiGroup} {ref.resource} {place}"
        if terms.event.verb == "delete":
            self._settle(key)
        elif self._matters(terms, known):
            self._doubt(
                key,
                f"{ref.resource} {place} was written, and the event (level {level or 'unknown'})"
                " does not say what it is now",
            )
        return dropped

    def _matters(self, terms: Terms, known: Sequence[Ident]) -> bool:
        """Whether a policy may be made of it; of parameters most are nobody's."""
        own = any(group == terms.ref.apiGroup for one in self._dialects for group, _ in one.kinds)
        return own or any(not is_namespace(ident) for ident in known)

    def _collection(self, terms: Terms) -> Iterable[Ident]:
        body = terms.body("responseObject")
        items = body.get("items") if isinstance(body, dict) else None
        known = [ident for ident in self._kept if self._is_of(ident, terms)]
        if isinstance(items, list):
            gone = {_place(item) for item in items if not _has_finalizers(item)}
            return [
                one
                for ident in known
                if (ident.namespace, ident.name) in gone
                for one in self._drop(ident)
            ]
        if known:
            ref = terms.ref
            self._doubt(
                f"collection {ref.apiGroup} {ref.resource} {ref.namespace}",
                f"{ref.resource} were deleted together, and the event does not say which",
            )
        return []

    @staticmethod
    def _is_of(ident: Ident, terms: Terms) -> bool:
        ref = terms.ref
        return (
            ident.group == ref.apiGroup
            and resource_of(ident.group, ident.kind) == ref.resource
            and (ident.namespace == ref.namespace or is_namespace(ident))
        )

    def _put(self, ident: Ident, value: Mapping[str, Any]) -> list[Ident]:
        if sum(map(len, ident)) > MAX_IDENT:
            self._doubt("idents", f"{ident.kind} with an endless name are left out")
            return []
        thin = slim(value)
        if is_too_deep(thin):  # what can just be read here could not be written, or read again
            dropped = self._drop(ident)
            self._doubt(_key(ident), f"{ident} is nested deeper than {MAX_DEPTH} levels")
            return dropped
        encoded = msgspec.json.encode(thin, order="sorted")
        sha256 = hashlib.sha256(encoded).digest()
        old = self._kept.get(ident)
        if old is not None and old.sha256 == sha256:
            return []
        size = len(encoded)
        if (old is None and len(self._kept) >= MAX_OBJECTS) or (
            self._bytes + size - (old.size if old else 0) > MAX_BYTES
        ):
            self._doubt(
                _LIMIT,
                f"more objects than are kept ({MAX_OBJECTS} of {MAX_BYTES >> 20} MiB together):"
                f" {ident} and others are left out",
            )
            return self._drop(ident)
        self._settle(_key(ident))
        self._bytes += size - (old.size if old else 0)
        self._kept[ident] = _Kept(Source(thin, None), sha256, size)
        return [ident]

    def _drop(self, ident: Ident) -> list[Ident]:
        self._settle(_key(ident))
        old = self._kept.pop(ident, None)
        if old is None:
            return []
        self._bytes -= old.size
        return [ident]

    def _doubt(self, key: str, reason: str) -> None:
        key, reason = cut(key, MAX_IDENT), cut(reason, MAX_MESSAGE)
        if len(self._lost) >= MAX_DOUBTS and key not in self._lost:
            key, reason = _OTHERS, _MORE
        if key not in self._lost:
            self._lost[key] = reason
            self._sha256 = ""

    def _settle(self, key: str) -> None:
        if self._lost.pop(cut(key, MAX_IDENT), ""):
            self._sha256 = ""

    def _note(self, ident: Ident, at: datetime) -> None:
        self._sha256 = ""
        self.changes.pop(ident, None)
        self.changes[ident] = at
        if len(self.changes) > MAX_CHANGES:
            del self.changes[next(iter(self.changes))]
        if not is_namespace(ident):
            self._fresh.add(ident)

    # ---- linking

    def _relink(self) -> None:
        """Put the changes in force. An object that a dialect fails at is left out, and said."""
        fresh, self._fresh = self._fresh, set()
        kinds = self._kinds
        failed = self._tried()
        if failed:
            for ident in fresh:
                self._drop(ident)
                self._doubt(_key(ident), f"{ident} can not be read: {failed}")
            failed = self._tried()
        if failed:
            self._wrong = {"link": f"the policies are those of before: {failed}"}
        self._news = [
            f"{kind} that were written before a policy first referred to one are not known"
            for _, kind in sorted(self._kinds - kinds)
        ]

    def _tried(self) -> str:
        """Link; what failed, if something did."""
        try:
            self._link()
        except Exception as error:  # noqa: BLE001 - hostile objects must not end the daemon
            return type(error).__name__
        return ""

    def _link(self) -> None:
        objects: Objects = {ident: kept.source for ident, kept in self._kept.items()}
        self._kinds = kinds_of(self._dialects, objects) | {NAMESPACE}
        self._resources = frozenset(
            (group, "*" if kind == "*" else resource_of(group, kind)) for group, kind in self._kinds
        )
        self._linked = PolicySet(objects, self._dialects)
        wrong = [cut(str(one), MAX_MESSAGE) for one in self._linked.problems]
        self._wrong = {
            f"problem {one}": f"a policy can not be used: {one}" for one in wrong[:MAX_DOUBTS]
        }
        if len(wrong) > MAX_DOUBTS:
            self._wrong[_OTHERS] = _MORE
        self._sha256 = ""
        self.version += 1


def _key(ident: Ident) -> str:
    """The name of the doubt about an object, as an event without a body names it."""
    return f"{ident.group} {resource_of(ident.group, ident.kind)} {_shown(ident)}"


def _is_gone(verb: str, body: Mapping[str, Any]) -> bool:
    """Whether the object is no more: a finalizer keeps it, and the policy in force, for a while."""
    if verb == "delete":
        return not _has_finalizers(body)
    return "deletionTimestamp" in body["metadata"] and not _has_finalizers(body)


def _has_finalizers(body: Any) -> bool:
    parts = [body.get(part) for part in ("metadata", "spec")] if isinstance(body, dict) else []
    return any(isinstance(part, dict) and part.get("finalizers") for part in parts)


def _place(item: Any) -> tuple[str, str]:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    if not isinstance(metadata, dict):
        return "", ""
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


def _shown(ident: Ident) -> str:
    return f"{ident.namespace}/{ident.name}" if ident.namespace else ident.name
