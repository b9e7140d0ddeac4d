"""What a manifest says is stored besides it: fetched, and checked against what was signed.

Asks the store for no key but the one that the format gives these bytes, whatever the record says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from shipper.model import Data, Findings, Manifest
from shipper.seal import layout
from shipper.verify import batch
from shipper.verify.reader import Reader
from shipper.verify.request import Window
from shipper.verify.sources import KnownFile
from shipper.verify.strays import Strays


class Verified(NamedTuple):
    """What a signed manifest names, with the stored bytes that verified; None, where none did."""

    seq: int
    data: Data
    events: bytes | None
    findings: Findings | None
    found: bytes | None


Sink = Callable[[Verified], None]
"""Takes what is stored of each batch, in order."""


class Payload:
    """Data and findings of the manifests in `window` (None: of none); counts what it has read."""

    def __init__(
        self,
        reader: Reader,
        *,
        window: Window | None,
        strays: Strays | None = None,
        sink: Sink | None = None,
    ) -> None:
        self.batches = 0
        self.first_seq: int | None = None
        self.last_seq: int | None = None
        self.lines = 0
        self.raw_bytes = 0
        self.findings = 0
        self._reader = reader
        self._window = window
        self._strays = strays
        self._sink = sink

    def check(
        self, seq: int, manifest: Manifest, files: Sequence[KnownFile], *, signed: bool
    ) -> bool:
        """Whether all of the manifest's data, if any, was read and is what was sealed.

        Only what a manifest note has `signed` goes to the sink.
        """
        if self._strays is not None:
            self._strays.expect(seq, manifest)
        data = manifest.data
        if data is None:
            return True
        if self._window is None or not self._window.holds(manifest.time.wall):
            return False
        self.batches += 1
        self.first_seq = seq if self.first_seq is None else self.first_seq
        self.last_seq = seq
        found = None
        if manifest.findings is not None:
            found = self._check_findings(seq, manifest, data, manifest.findings)
        body = self._check_data(seq, manifest, data, files)
        if signed and self._sink is not None:
            self._sink(Verified(seq, data, body, manifest.findings, found))
        return body is not None

    def _check_data(
        self, seq: int, manifest: Manifest, data: Data, files: Sequence[KnownFile]
    ) -> bytes | None:
        expected = layout.events(seq, data.sha256, manifest.time.wall)
        body = self._fetch(seq, data, expected)
        if body is None:
            return None
        ledger, key = self._reader.ledger, self._reader.full(data.key)
        prefix = batch.PrefixHash(manifest.sources, files)
        if not (
            batch.check_frames_of(body, seq, key, ledger)
            and batch.check_content(body, data, prefix, seq=seq, key=key, ledger=ledger)
        ):
            return None
        self.lines += data.lines
        self.raw_bytes += data.raw_size
        return body

    def _check_findings(
        self, seq: int, manifest: Manifest, data: Data, findings: Findings
    ) -> bytes | None:
        """The stored bytes, if they hold what the manifest says of them."""
        expected = layout.findings(seq, findings.sha256, manifest.time.wall)
        body = self._fetch(seq, findings, expected)
        if body is None:
            return None
        self.findings += findings.count
        ledger, key = self._reader.ledger, self._reader.full(findings.key)
        wrong = batch.findings_rule(body, findings, lines=data.lines)
        if wrong:
            ledger.add("findings-wrong", wrong, seq=seq, key=key)
        return None if wrong else body

    def _fetch(self, seq: int, stored: Data | Findings, expected: str) -> bytes | None:
        """The object if it is the one that was sealed; else None, and a problem."""
        reader, ledger = self._reader, self._reader.ledger
        if stored.key != expected:
            ledger.add("data-key", seq=seq, key=stored.key)
            return None
        if not batch.is_sane(stored.size, stored.raw_size):
            detail = f"{stored.size} bytes stored, {stored.raw_size} unpacked"
            ledger.add("data-too-large", detail, seq=seq, key=reader.full(stored.key))
            return None
        return reader.get(
            stored.key,
            max_bytes=stored.size,
            right=lambda body: batch.is_stored(body, stored.size, stored.sha256),
            seq=seq,
            unreadable="data-unreadable",
            missing="data-missing",
            wrong="data-hash",
        )
