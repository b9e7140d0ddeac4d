"""The values that pass from stage to stage, and the manifest as the format defines it.

No behaviour beyond what a value knows of itself, and no I/O. `docs/format.md` is normative.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

HEAD_BYTES = 1024
"""How much of a file's start identifies it: the first 1 KiB, or what there was."""

Count = Annotated[int, Meta(ge=0)]
AuditId = Annotated[str, Meta(max_length=64)]
Key = Annotated[str, Meta(max_length=128)]
Origin = Annotated[str, Meta(max_length=1024)]
Sha256Hex = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]

Kind = Literal["genesis", "batch", "heartbeat", "notice", "rotate-key", "shutdown"]
Reason = Literal[
    "gap",
    "source-edited",
    "source-truncated",
    "source-unlinked",
    "spool-full",
    "clock-step",
    "config-changed",
]


class Timestamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A moment: wall clock in UTC (microseconds), boot id, and nanoseconds since that boot."""

    wall: Annotated[datetime, Meta(tz=True)]
    boot_id: Annotated[str, Meta(max_length=64)]
    monotonic_ns: Count


class FileHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first `size` bytes of a file (at most 1 KiB, uncompressed), by their SHA-256.

    It identifies a file across renames, compression and reused inodes.
    """

    size: Annotated[int, Meta(ge=0, le=HEAD_BYTES)]
    sha256: Sha256Hex


class SourceSpan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes `[start, end)` of one source file; offsets count uncompressed bytes.

    `prefix_sha256` is the SHA-256 of the file's bytes `[0, end)`.
    """

    path: Annotated[str, Meta(max_length=4096)]
    device: Count
    inode: Count
    head: FileHead
    start: Count
    end: Count
    prefix_sha256: Sha256Hex


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something a reader of the record must know. `detail` is a sentence for a person."""

    reason: Reason
    detail: Annotated[str, Meta(max_length=4096)]


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The stored object with the batch's lines: `size` bytes compressed, `raw_size` before."""

    key: Key
    size: Count
    sha256: Sha256Hex
    raw_size: Count
    lines: Count
    events_root: Sha256Hex
    unterminated: bool


class EventRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """First and last audit id in file order, and the span of their stage timestamps (UTC)."""

    first_audit_id: AuditId
    last_audit_id: AuditId
    min_time: Annotated[datetime, Meta(tz=True)]
    max_time: Annotated[datetime, Meta(tz=True)]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Lines on their way to a seal, in file order, compressed (zstd) and hashed.

    `leaves` are the RFC 6962 leaf hashes of the lines without their newline. `unterminated`:
    the last line has no newline yet. `range` is None where no line is an audit event.
    """

    compressed: bytes
    raw_size: int
    leaves: tuple[bytes, ...]
    unterminated: bool
    range: EventRange | None
    malformed_lines: int


Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least to the worst."""


class Who(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who asked: the authenticated user, and as whom they acted if they impersonated."""

    user: str = ""
    groups: tuple[str, ...] = ()
    impersonated: str = ""


class What(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was asked of the API server, and its answer; `code` 0: the event has none."""

    stage: str = ""
    verb: str = ""
    api_group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    code: int = 0


class Where(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From where. `source_ip` is the last of `sourceIPs`: the others are the client's word."""

    source_ip: str = ""
    user_agent: str = ""
    uri: str = ""


class Guardrail(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The admission policy that a finding is about, and its rule that says so.

    `action` is what the policy does to a failure. `way`: how the object most likely came past it.
    """

    kind: str
    namespace: str = ""
    name: str
    rule: str = ""
    action: Literal["deny", "warn", "audit"] = "deny"
    way: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a guardrail rule says of one event.

    `verdict` `indeterminate`: the rule could not be answered (`message` says why), which is never
    a pass. `mode` `shadow`: sealed, never alerted. `line` is the event's number in its batch, from
    0; `time` its stageTimestamp as the API server wrote it. Texts are cut to bounded lengths.
    """

    rule: str
    title: str
    severity: Severity
    verdict: Literal["match", "indeterminate"] = "match"
    mode: Literal["alert", "shadow"] = "alert"
    attack: tuple[str, ...] = ()
    message: str
    audit_id: str
    line: Count
    time: str
    who: Who = Who()
    what: What = What()
    where: Where = Where()
    guardrail: Guardrail | UnsetType = UNSET


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sealed record that an alert rests on.

    `manifest_sha256` is the hash of its note text, as in the next record's `prev`; `manifest_key`
    names the object in the store, relative to `store.url`.
    """

    log: Origin
    seq: Count
    manifest_sha256: Sha256Hex
    manifest_key: str
    sealed_at: Annotated[datetime, Meta(tz=True)]


class Alerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one record gives cause to tell: its findings that match and are in mode `alert`.

    `omitted`: by rule, how many more there are than can be told one by one.
    """

    evidence: Evidence
    findings: tuple[Finding, ...]
    omitted: dict[str, Count] = {}


class Findings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The stored object with the batch's findings: `size` bytes compressed, `raw_size` before."""

    key: Key
    size: Count
    sha256: Sha256Hex
    raw_size: Count
    count: Annotated[int, Meta(ge=1)]
    by_severity: dict[Severity, Annotated[int, Meta(ge=1)]]


class Agent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which program sealed the record, under which configuration and guardrail rules.

    `policies_sha256`: the policies after the record's last event, where the log keeps them current.
    """

    version: Annotated[str, Meta(max_length=64)]
    config_sha256: Sha256Hex
    rules_sha256: Sha256Hex | UnsetType = UNSET
    policies_sha256: Sha256Hex | UnsetType = UNSET


class Supersedes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last manifest of the log that this one takes over from.

    `sha256` is the hash of its note text, as in `prev`.
    """

    log: Origin
    seq: Count
    sha256: Sha256Hex


class Counted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the API server said of its audit log: events since its process began, and those of them
    that it could not write. `started`: when it began, by its clock, in whole seconds of Unix time.
    """

    events: Count
    failed: Count
    started: Count


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sealed step of a log: what it holds, and the hash of the step before it."""

    log: Origin
    seq: Count
    prev: Sha256Hex
    kind: Kind
    notice: Notice | None
    time: Timestamp
    data: Data | None
    range: EventRange | None
    sources: tuple[SourceSpan, ...]
    malformed_lines: Count
    findings: Findings | None
    agent: Agent
    epoch: Count | UnsetType = UNSET
    next_vkey: str | UnsetType = UNSET
    supersedes: Supersedes | UnsetType = UNSET
    lock_required: bool | UnsetType = UNSET
    apiserver: Counted | UnsetType = UNSET


class StoredObject(msgspec.Struct, frozen=True, omit_defaults=True):
    """Bytes on their way to the store: `key` is relative to the log's own prefix.

    `sha256` (hex) is the body's where somebody has computed it already; else empty.
    """

    key: str
    body: bytes
    sha256: str = ""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """All that one seal produces, in the order in which it is shipped.

    `before` (identity, events, findings) go first, then `manifest`, then `after` (entry bundle
    and hash tiles that this record completes), then, when one is due, `checkpoint`.
    `tree` is the right edge of the Merkle tree after this record, for a restart.
    `keep_from` is the lowest sequence number whose manifest a restart still needs.
    """

    seq: int
    keep_from: int
    before: tuple[StoredObject, ...]
    manifest: StoredObject
    after: tuple[StoredObject, ...]
    checkpoint: StoredObject
    tree: tuple[tuple[bytes, ...], ...]
