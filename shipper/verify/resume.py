"""Whether what the head file remembers of a log is still there: not shorter, not another.

Compares; changes nothing. The walk goes on from the remembered state only after this.
"""

from __future__ import annotations

from shipper.seal.manifest import text_hash
from shipper.verify import manifests
from shipper.verify.heads import SeenLog
from shipper.verify.reader import Reader
from shipper.verify.report import Depth


def may_resume(seen: SeenLog, depth: Depth) -> bool:
    """Whether an earlier run verified as much as is asked now."""
    return depth == "chain" or seen.depth == "full"


def check_key(reader: Reader, seen: SeenLog) -> None:
    """The log is signed by the key that it was signed by."""
    if reader.key is not None and reader.key.base64 != seen.key:
        detail = f"it was signed by {seen.key}, now by {reader.key.base64}"
        reader.ledger.add("head-rewritten", detail)


def check_last(reader: Reader, seen: SeenLog) -> None:
    """The last manifest that was seen is there, and the same."""
    last = seen.size - 1
    exists_beyond = False
    hashes = set()
    after = manifests.from_number(manifests.PLACE, last)
    for seq, key in manifests.numbered(reader, manifests.PLACE, after=after):
        found = manifests.read_manifest(reader, seq, key)
        if seq > last:
            exists_beyond |= found is not None
            if exists_beyond:
                break
        elif found is not None:
            hashes.add(text_hash(found.text))
            if text_hash(found.text) != seen.sha256:
                reader.ledger.add("head-rewritten", seq=seq, key=reader.full(key))
    if not hashes:
        code = "manifest-missing" if exists_beyond else "head-shorter"
        reader.ledger.add(code, f"number {last} was seen", seq=last)


def check_length(reader: Reader, seen: SeenLog, size: int) -> None:
    """At least as many manifests are there as were seen."""
    if size < seen.size:
        reader.ledger.add("head-shorter", f"{seen.size} were seen, {size} are there", seq=size)
