"""Whether the archived bytes of each source file are all of them, one range after the other. Pure.

A range that holds bytes must start where the one before it ended. Refuses to explain a jump unless
the daemon itself has: by a notice sealed before the next batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from shipper.model import Manifest, SourceSpan
from shipper.verify.ledger import Ledger

KEPT_FILES = 8
"""Files whose ends are remembered: a rotation leaves one, a long downtime a few more."""

_PATIENCE = 16
"""Jumps that wait for their explanation."""

_EXPLAINS = frozenset({"gap", "source-edited", "source-truncated", "source-unlinked"})


class KnownFile:
    """A source file by its descriptor's identity, and how much of it is archived.

    `prefix` hashes the archived bytes `[0, end)`; None where they are not all known to this run.
    """

    __slots__ = ("device", "end", "inode", "prefix")

    def __init__(self, device: int, inode: int, end: int, prefix: hashlib._Hash | None) -> None:
        self.device = device
        self.inode = inode
        self.end = end
        self.prefix = prefix


class Sources:
    """The files of one log, newest last. `complete`: this run knows what came before.

    `first` are the first ranges; `first_explained`: a notice says why they start where they do.
    """

    def __init__(
        self, ledger: Ledger, files: Sequence[KnownFile] = (), *, complete: bool = True
    ) -> None:
        self.files = list(files)
        self.first: tuple[SourceSpan, ...] = ()
        self.first_explained = False
        self._has_batch = not complete or bool(files)
        self._complete = complete
        self._ledger = ledger
        self._unexplained: list[tuple[int, str]] = []
        self._explained = False

    def accept(self, manifest: Manifest) -> list[KnownFile]:
        """The file of each range, moved on to the range's end."""
        sources, seq = manifest.sources, manifest.seq
        begins = self._complete and not self.files
        if begins and sources:
            self.first = sources
        missing = manifest.data.raw_size if manifest.data is not None else 0
        followed = []
        for span in sources:
            missing -= span.end - span.start
            followed.append(self._follow(seq, span, begins))
        if missing:
            detail = f"the ranges have {-missing:+d} bytes against the data"
            self._ledger.add("source-sum", detail, seq=seq)
        if manifest.notice is not None or self._unexplained or self._explained:
            self._explain(manifest)
        self._has_batch |= manifest.data is not None
        return followed

    def _explain(self, manifest: Manifest) -> None:
        """The daemon's notices explain the jumps before and at the next batch."""
        reason = manifest.notice.reason if manifest.notice is not None else ""
        if reason in _EXPLAINS:
            self._explained = True
            self.first_explained |= not self._has_batch
        if reason == "source-edited":
            self.forget_prefixes(self.files)
        if self._explained:
            self._unexplained.clear()
        if manifest.data is not None or len(self._unexplained) > _PATIENCE:
            self.settle()
            self._explained = False

    def settle(self) -> None:
        """Nothing has explained the jumps that are open: write them down."""
        for seq, detail in self._unexplained:
            self._ledger.add("source-gap", detail, seq=seq)
        self._unexplained.clear()

    def forget_prefixes(self, files: Sequence[KnownFile]) -> None:
        """The bytes so far are not all known: hash none until the next file begins."""
        for known in files:
            known.prefix = None

    def lose_track(self) -> None:
        """Manifests are missing: any file may have moved on unseen."""
        self._unexplained.clear()
        self.files.clear()
        self._complete = False

    def _follow(self, seq: int, span: SourceSpan, begins: bool) -> KnownFile:
        if span.end < span.start:
            self._ledger.add("source-range", f"{span.start} to {span.end}", seq=seq)
        known = self._find(span)
        if known is None:
            return self._new(seq, span, begins)
        if known is not self.files[-1]:
            self.files.remove(known)
            self.files.append(known)
        known.end = span.end
        known.device, known.inode = span.device, span.inode
        return known

    def _find(self, span: SourceSpan) -> KnownFile | None:
        """The file that ended where the range starts: the same inode, else the newest (gzip)."""
        start, found = span.start, None
        for known in reversed(self.files):
            if known.end == start:
                if known.inode == span.inode and known.device == span.device:
                    return known
                if found is None and start:
                    found = known
        return found

    def _new(self, seq: int, span: SourceSpan, begins: bool) -> KnownFile:
        same = [f for f in self.files if (f.device, f.inode) == (span.device, span.inode)]
        if span.start and not begins and (same or self._complete):
            ends = " or ".join(str(known.end) for known in reversed(same)) or "no known place"
            detail = f"{span.path} goes on at byte {span.start}, its record ended at {ends}"
            self._unexplained.append((seq, detail))
        known = KnownFile(
            span.device, span.inode, span.end, None if span.start else hashlib.sha256()
        )
        self.files.append(known)
        del self.files[:-KEPT_FILES]
        return known
