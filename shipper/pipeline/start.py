"""Where a log goes on: from the spool's newest record, or as a new instance.

Start-up after a crash is the ordinary start. Nothing is resumed on a guess: a spool that is not
this log's is refused, and a node without a spool begins a new instance that names the old head.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from shipper.config import Config
from shipper.errors import ConfigError, FormatError, NotFoundError, RefusedError, SpoolError
from shipper.model import Manifest, SourceSpan, Supersedes, Timestamp
from shipper.pipeline.oldest import read_oldest
from shipper.seal import layout, note
from shipper.seal.checkpoint import decode_checkpoint
from shipper.seal.keys import VerifierKey, parse_key, signer_of
from shipper.seal.manifest import decode_identity, decode_manifest, text_hash
from shipper.seal.merkle import Tree
from shipper.seal.sealer import Head
from shipper.spool.record import START_ANEW
from shipper.spool.spool import Spool
from shipper.store.base import Entry, Store

_FOREIGN_OBJECTS = 1000
"""How many objects beyond a log's last manifest somebody may have put there to hide it."""


class Start(NamedTuple):
    """What the collect loop begins with. `newest` is None for a new instance."""

    head: Head
    newest: Manifest | None
    sources: Sequence[SourceSpan] = ()
    since: Timestamp | None = None
    supersedes: Supersedes | UnsetType = UNSET


class OldHead(NamedTuple):
    """The last manifest of a log that is to be superseded, and its text's hash (hex).

    `own`: this node's present key signed it, so that its positions can be believed.
    """

    manifest: Manifest
    sha256: str
    own: bool


def resume(spool: Spool, config: Config, key: VerifierKey) -> Start | None:
    """Where the spool's newest record left off; None if the spool is new.

    `SpoolError` if the spool belongs to another log or key, or is damaged.
    """
    newest = spool.newest()
    if newest is None:
        return None
    kept = spool.kept(newest)
    manifest, text = _own_manifest(kept.manifest.body, newest, config, key)
    entries = tuple(
        _own_manifest(spool.kept(seq).manifest.body, seq, config, key)[1]
        for seq in range(newest + 1 - (newest + 1) % 256, newest + 1)
    )
    tree = Tree(kept.tree)
    try:
        checkpoint = decode_checkpoint(note.parse(kept.checkpoint.body).text)
    except FormatError as error:
        raise SpoolError(f"record {newest} of the spool: {error}", remedy=START_ANEW) from error
    if (checkpoint.size, checkpoint.root) != (tree.size, tree.root()) or tree.size != newest + 1:
        raise SpoolError(
            f"record {newest} of the spool holds another tree than its checkpoint",
            remedy=START_ANEW,
        )
    head = Head(manifest.log, newest + 1, text_hash(text), tree, entries)
    return Start(head, manifest, manifest.sources, manifest.time)


def new_instance(config: Config, instance: str, old: OldHead | None) -> Start:
    """A new log's start; it goes on where the last manifest of the node's old log stopped.

    A head that another key signed is named, since a verifier will judge it, but its positions are
    not believed: whoever can write to the store could have this log skip events.
    """
    origin = layout.origin(config.log.origin_prefix, config.log.cluster, config.log.node, instance)
    head = Head(origin)
    if old is None:
        return Start(head, None)
    last = old.manifest
    supersedes = Supersedes(log=last.log, seq=last.seq, sha256=old.sha256)
    if not old.own:
        return Start(head, None, supersedes=supersedes)
    return Start(head, None, last.sources, last.time, supersedes)


def find_old_head(store: Store, config: Config, key: VerifierKey) -> OldHead | None:
    """The last manifest, with its text's hash, of the newest log that this node has in `store`.

    A log's own key is the one that signed its `log.note`; what other keys or nobody signed is
    passed over. Logs under this node's present key go before others. `StoreError` if the store
    does not answer.
    """
    place = f"{config.log.cluster}/{config.log.node}/"
    found: list[OldHead] = []
    for instance in store.children(place):
        if not layout.is_instance(instance):
            continue
        origin = layout.origin(
            config.log.origin_prefix, config.log.cluster, config.log.node, instance
        )
        old = _last_signed(store, f"{place}{instance}/", origin, key)
        if old is not None:
            found.append(old)
    return max(found, key=lambda old: (old.own, old.manifest.time.wall), default=None)


def _last_signed(store: Store, place: str, origin: str, own: VerifierKey) -> OldHead | None:
    """The newest manifest of one log that the log's own key signed."""
    try:
        identity = read_oldest(store, _entry(store, place + layout.IDENTITY))
        key = parse_key(decode_identity(identity.text).vkey)
        signer_of(identity, origin, [key])
    except (FormatError, ConfigError, NotFoundError):
        return None
    refused: RefusedError | None = None
    for entry in _newest_first(store, place + layout.MANIFESTS):
        try:
            parsed = read_oldest(store, entry)
            signer_of(parsed, origin, [key])
            manifest = decode_manifest(parsed.text)
        except RefusedError as error:
            if entry.versions + entry.markers > 1:
                raise  # somebody hides it: it may be the head
            refused = error  # somebody's own, which must hide no other
            continue
        except (FormatError, NotFoundError):
            continue  # whoever can write to the store may have put it there
        if (
            manifest.log == origin and f"/{manifest.seq:012d}-" in entry.key
        ):  # no copy of an old one
            return OldHead(manifest, text_hash(parsed.text), key == own)
    if refused is not None:
        raise refused
    return None


def _entry(store: Store, key: str) -> Entry:
    """One key as a listing has it."""
    versions = store.versions(key)
    return Entry(key, 0, len(versions), version=next(iter(versions), ""))


def _newest_first(store: Store, place: str) -> Iterator[Entry]:
    """The last objects of a log's manifests; all are listed only if somebody hides the last."""
    last = store.last(place)
    number = re.match("[0-9]{12}", last.key[len(place) :]) if last else None
    begin = max(0, int(number[0]) - _FOREIGN_OBJECTS) if number else 0
    yield from reversed(deque(store.scan(place, after=f"{place}{begin:012d}"), _FOREIGN_OBJECTS))
    if begin:
        yield from reversed(deque(store.scan(place), _FOREIGN_OBJECTS))


def _own_manifest(
    body: bytes, seq: int, config: Config, key: VerifierKey
) -> tuple[Manifest, bytes]:
    try:
        parsed = note.parse(body)
        manifest = decode_manifest(parsed.text)
        _refuse_foreign(manifest, config)
        signer_of(parsed, manifest.log, [key])
    except FormatError as error:
        raise SpoolError(
            f"record {seq} of the spool is not signed by the key in seal.key_file: {error.message}",
            remedy="put the old key back; to go on with a new key, move the spool away once it is"
            " empty: the next start begins a new instance that names the old one",
        ) from error
    if manifest.seq != seq:
        raise SpoolError(
            f"record {seq} of the spool holds manifest {manifest.seq}", remedy=START_ANEW
        )
    return manifest, parsed.text


def _refuse_foreign(manifest: Manifest, config: Config) -> None:
    expected = layout.origin(config.log.origin_prefix, config.log.cluster, config.log.node, "")
    if not manifest.log.startswith(expected):
        raise SpoolError(
            f"the spool belongs to the log {manifest.log}, not to {expected}…",
            remedy="give this log a spool of its own (spool.path), or mend log.* in the"
            " configuration",
        )
