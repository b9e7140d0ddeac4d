"""Every problem that a verification can find: its verdict, and what it means for the reader.

One table, so that a program can rely on the codes and a person can read them all. Judges nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from shipper.verify.report import Question


class Meaning(NamedTuple):
    """`unknown`: nothing is proved either way, so the verdict is open."""

    verdict: Question
    says: str
    unknown: bool = False


def _integrity(says: str) -> Meaning:
    return Meaning("integrity", says)


def _completeness(says: str) -> Meaning:
    return Meaning("completeness", says)


def _retention(says: str) -> Meaning:
    return Meaning("retention", says)


MEANINGS: dict[str, Meaning] = {
    # ---- any object
    "object-unreadable": _integrity(
        "This is no object that a sealer writes: somebody else put it there or changed it"
    ),
    "object-vanished": _completeness("The object was listed and is gone: somebody deletes objects"),
    "object-stray": _integrity(
        "No signed manifest accounts for this object: somebody else writes to this log's place"
    ),
    "object-hidden": _integrity(
        "Somebody has put a delete marker on this object: programs that read the newest version"
        " alone do not see it any more"
    ),
    "object-overlaid": _integrity(
        "Somebody has stored another version over this object: programs that read the newest"
        " version alone get other bytes"
    ),
    "note-malformed": _integrity(
        "The object is not a signed note: it was changed, or is none of this log's"
    ),
    "note-unsigned": _integrity(
        "No trusted key has signed this text: it was changed after sealing, or is a forgery"
    ),
    "note-other-key": _integrity(
        "The note is signed by another trusted key than the rest of its log: that key's owner"
        " interferes, or the key was stolen"
    ),
    # ---- the log's identity
    "log-untrusted": _integrity(
        "No trusted key has signed anything here: give the log's own key, or take it as forged"
    ),
    "identity-missing": _completeness(
        "log.note is gone: the log's name and key are known from its manifests only"
    ),
    "identity-malformed": _integrity("log.note does not say what a log's identity says"),
    "identity-misplaced": _integrity(
        "The log lies at a place that is not its own: it was copied or moved there"
    ),
    "identity-contradicts": _integrity(
        "log.note and the first manifest contradict each other: one of them was made later"
    ),
    # ---- manifests
    "manifest-name": _integrity(
        "The object's name is not that of its content: it was stored or copied under a wrong name"
    ),
    "manifest-malformed": _integrity("The signed text is not a manifest in the one valid form"),
    "manifest-fork": _integrity(
        "Two different manifests with this number are signed: history was written twice"
    ),
    "manifest-copy": _integrity("The same manifest is stored twice: somebody else put one there"),
    "manifest-missing": _completeness("Manifests are missing: what they sealed was taken away"),
    "manifest-number": _integrity("The manifest's number is not the one that its place says"),
    "manifest-log": _integrity("The manifest belongs to another log"),
    "manifest-kind": _integrity("The manifest's parts do not fit its kind: no sealer made it so"),
    "link-broken": _integrity(
        "The manifest does not name the one before it: one of the two was replaced"
    ),
    "time-zone": _integrity("The manifest's time is not in UTC, as every sealer writes it"),
    "time-backwards": _integrity(
        "The wall clock runs backwards with no notice of it: the record may be back-dated"
    ),
    "monotonic-backwards": _integrity(
        "The boot's clock, which cannot run backwards, does: the record was made out of order"
    ),
    "version-newer": Meaning(
        "integrity",
        "A newer audit-shipper wrote this: verify with a version that knows the format",
        unknown=True,
    ),
    "construct-unknown": Meaning(
        "integrity",
        "The manifest uses something that format version 1 reserves: nothing is said about it",
        unknown=True,
    ),
    # ---- what a batch holds
    "data-key": _integrity("The manifest names its data by a key that is not the data's own"),
    "data-missing": _completeness("The batch's data is gone: its events cannot be shown any more"),
    "data-unreadable": _integrity(
        "What lies in the data's place is not the sealed data: it was replaced or grown"
    ),
    "data-hash": _integrity("The stored data is not what was sealed: it was changed or damaged"),
    "data-too-large": _integrity("The sealed sizes are beyond what any sealer makes: not read"),
    "data-frame": _integrity(
        "The data is not plain zstd frames alone: another reader may read something else"
    ),
    "data-size": _integrity("The data does not unpack to as many bytes as were sealed"),
    "data-lines": _integrity("The data does not have as many lines as were sealed"),
    "data-root": _integrity("The lines do not have the sealed Merkle root"),
    "data-unterminated": _integrity("The manifest is wrong about the last line's newline"),
    "findings-wrong": _integrity("The findings are not what the manifest says of them"),
    # ---- source files
    "source-range": _integrity("A source's range ends before it starts: no sealer made it so"),
    "source-sum": _completeness("The source ranges do not add up to the batch's bytes"),
    "source-gap": _completeness(
        "The bytes do not go on where those before them ended: some may be missing"
    ),
    "source-prefix": _integrity(
        "The archived bytes are not those that the source file had: batches were swapped or changed"
    ),
    "bytes-lost": _completeness("The daemon has sealed that bytes of the log are lost"),
    # ---- tree
    "checkpoint-malformed": _integrity("The signed text is not a checkpoint"),
    "checkpoint-name": _integrity(
        "The checkpoint's name is not that of its content: it was stored under a wrong name"
    ),
    "checkpoint-root": _integrity(
        "The manifests do not have the root that this checkpoint promises: history was rewritten"
    ),
    "checkpoint-fork": _integrity("Two different checkpoints of one size: history was forked"),
    "checkpoint-copy": _integrity(
        "The same checkpoint is stored twice: somebody else put one there"
    ),
    "checkpoint-beyond": _completeness(
        "A signed checkpoint counts more manifests than are there: the newest were taken away"
    ),
    "checkpoint-missing": _completeness(
        "No checkpoint is left of a log that must have some: they were taken away"
    ),
    "tile-missing": _completeness("A hash tile is gone, though its manifests are there"),
    "tile-wrong": _integrity("A hash tile is not what the manifests give: it was changed"),
    "bundle-missing": _completeness("An entry bundle is gone, though its manifests are there"),
    "bundle-wrong": _integrity("An entry bundle does not hold the log's manifests: it was changed"),
    # ---- the log as a whole, and what its owner remembers
    "log-empty": _completeness("The log has no manifest that can be verified"),
    "head-gone": _completeness("A log that the head file remembers is gone from the archive"),
    "head-shorter": _completeness(
        "The log is shorter than the head file remembers: its newest records were taken away"
    ),
    "head-rewritten": _integrity(
        "The log is another one than the head file remembers: its history was rewritten"
    ),
    # ---- succession
    "successor-hides": _completeness(
        "This log takes over from a manifest that is not the old log's last: the records after it"
        " are hidden, or two daemons ran"
    ),
    "successor-mismatch": _integrity(
        "This log takes over from a manifest that is not in the old log: one of them was rewritten"
    ),
    "successor-fork": _integrity("Two logs take over from the same log: the node was cloned"),
    "successor-cycle": _integrity("Logs take over from each other in a circle"),
    "successor-gap": _completeness(
        "This log begins in the middle of a file, and not where the old log ended"
    ),
    "predecessor-missing": _completeness("The log from which this one takes over is not there"),
    "successor-unlinked": _completeness(
        "The node has an older log that this one does not name: nothing proves what lies between"
    ),
    # ---- freshness
    "stale": Meaning("freshness", "The newest manifest is older than asked: sealing has stopped"),
    "future": Meaning(
        "freshness", "The newest manifest is of the future: its clock, or yours, is wrong"
    ),
    "undated": Meaning("freshness", "No verified manifest says how old the log is"),
    # ---- retention
    "lock-missing": _retention("The object has no lock: whoever may delete can delete it"),
    "lock-short": _retention("The object's lock ends earlier than asked"),
    "lock-weak": _retention("The object's lock can be bypassed by whoever has that permission"),
    "lock-unknown": Meaning(
        "retention",
        "The store does not say how the object is locked: it has no Object Lock, or these"
        " credentials lack s3:GetObjectRetention",
        unknown=True,
    ),
    # ---- the check itself
    "store-failed": Meaning(
        "completeness", "The store failed while the log was read: check again", unknown=True
    ),
    "check-failed": Meaning(
        "integrity", "The check itself broke off on this log: nothing is proved", unknown=True
    ),
    "nothing-found": Meaning(
        "completeness", "There is no such log here: mind STORE and --log", unknown=True
    ),
}
