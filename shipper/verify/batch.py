"""One batch's stored data against its manifest: hash, frame, lines, root, source prefixes. Pure.

Refuses to unpack anything whose hash is not the signed one, and holds no more than one piece.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from shipper.errors import FormatError
from shipper.model import Data, Findings, SourceSpan
from shipper.seal.findings import decode_findings
from shipper.seal.merkle import Tree, leaf_hashes
from shipper.verify.frame import check_frames, unpack
from shipper.verify.ledger import Ledger
from shipper.verify.sources import KnownFile

MAX_STORED_BYTES = 64 * 1024 * 1024
MAX_RAW_BYTES = 1024 * 1024 * 1024
MAX_FINDINGS_BYTES = 64 * 1024 * 1024

_LEAVES_AT_ONCE = 4096


class LineTree:
    """Counts lines and grows their Merkle tree, however the bytes are cut into pieces."""

    def __init__(self) -> None:
        self.lines = 0
        self._tree = Tree()
        self._open = hashlib.sha256(b"\x00")
        self._open_bytes = 0

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        first, *lines = piece.split(b"\n")
        self._open.update(first)
        self._open_bytes += len(first)
        if not lines:
            return
        last = lines.pop()
        self._append([self._open.digest(), *leaf_hashes(lines)])
        self._open = hashlib.sha256(b"\x00" + last)
        self._open_bytes = len(last)

    def finish(self) -> tuple[bytes, bool]:
        """The root over all lines, and whether the last one has no newline."""
        unterminated = self._open_bytes > 0
        if unterminated:
            self._append([self._open.digest()])
        return self._tree.root(), unterminated

    def _append(self, leaves: list[bytes]) -> None:
        self.lines += len(leaves)
        for start in range(0, len(leaves), _LEAVES_AT_ONCE):
            self._tree, _ = self._tree.extend(leaves[start : start + _LEAVES_AT_ONCE])


class PrefixHash:
    """Hashes each source's bytes `[0, end)` on and on, where they are known from byte 0."""

    def __init__(self, spans: Sequence[SourceSpan], files: Sequence[KnownFile]) -> None:
        self._parts = list(zip(spans, files, strict=True))
        self._next = 0
        self._left = 0
        self._file: KnownFile | None = None
        self.wrong: list[SourceSpan] = []

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the batch."""
        view = memoryview(piece)
        while view:
            if not self._left and not self._open_next():
                return
            part = view[: self._left]
            if self._file is not None and self._file.prefix is not None:
                self._file.prefix.update(part)
            self._left -= len(part)
            view = view[len(part) :]
            if not self._left:
                self._compare()

    def _open_next(self) -> bool:
        while self._next < len(self._parts):
            span, self._file = self._parts[self._next]
            self._next += 1
            self._left = max(0, span.end - span.start)
            if self._left:
                return True
        return False

    def _compare(self) -> None:
        span, known = self._parts[self._next - 1]
        if known.prefix is not None and known.prefix.hexdigest() != span.prefix_sha256:
            self.wrong.append(span)


def is_sane(stored_bytes: int, raw_bytes: int) -> bool:
    """Whether the signed sizes are such that the object may be fetched at all."""
    return stored_bytes <= MAX_STORED_BYTES and raw_bytes <= MAX_RAW_BYTES


def is_stored(body: bytes, size: int, digest: str) -> bool:
    """Whether `body` is the sealed object, before anything in it is believed."""
    return len(body) == size and hashlib.sha256(body).hexdigest() == digest


def findings_rule(body: bytes, findings: Findings, *, lines: int) -> str:
    """What in the object is not as the manifest says; empty if all is. `lines` are the batch's."""
    if findings.raw_size > MAX_FINDINGS_BYTES:
        return f"{findings.raw_size} bytes are more than any sealer makes"
    by_severity: Counter[str] = Counter()
    newest = 0
    try:
        check_frames(body)
        for finding in decode_findings(b"".join(unpack(body, findings.raw_size))):
            by_severity[finding.severity] += 1
            if not newest <= finding.line < lines:
                return f"a finding of line {finding.line} is out of place"
            newest = finding.line
    except FormatError as error:
        return error.message
    if by_severity.total() != findings.count or by_severity != findings.by_severity:
        return f"it holds {dict(by_severity)}"
    return ""


def check_frames_of(body: bytes, seq: int, key: str, ledger: Ledger) -> bool:
    """Whether `body` is plain zstd frames and nothing else."""
    try:
        check_frames(body)
    except FormatError as error:
        ledger.add("data-frame", error.message, seq=seq, key=key)
        return False
    return True


def check_content(
    body: bytes, data: Data, prefix: PrefixHash, *, seq: int, key: str, ledger: Ledger
) -> bool:
    """Whether what `body` holds is what the manifest says, line by line."""
    lines = LineTree()
    try:
        for piece in unpack(body, data.raw_size):
            lines.feed(piece)
            prefix.feed(piece)
    except FormatError as error:
        ledger.add("data-size", error.message, seq=seq, key=key)
        return False
    root, unterminated = lines.finish()
    checks = {
        "data-lines": lines.lines == data.lines,
        "data-root": root.hex() == data.events_root,
        "data-unterminated": unterminated == data.unterminated,
    }
    for code, holds in checks.items():
        if not holds:
            ledger.add(code, seq=seq, key=key)
    for span in prefix.wrong:
        ledger.add("source-prefix", f"{span.path} up to byte {span.end}", seq=seq, key=key)
    return all(checks.values()) and not prefix.wrong
