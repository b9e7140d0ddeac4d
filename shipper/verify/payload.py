"""What a manifest says is stored besides it: fetched, and checked against what was signed.

Asks the store for no key but the one that the format gives these bytes, whatever the record says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shipper.model import Data, Findings, Manifest
from shipper.seal import layout
from shipper.verify import batch
from shipper.verify.reader import Reader
from shipper.verify.request import Window
from shipper.verify.sources import KnownFile
from shipper.verify.strays import Strays

Sink = Callable[[bytes, Data], None]
"""Takes the stored bytes of a batch that verified."""


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
        if manifest.findings is not None:
            self._check_findings(seq, manifest, manifest.findings)
        body = self._check_data(seq, manifest, data, files)
        if body is not None and signed and self._sink is not None:
            self._sink(body, data)
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

    def _check_findings(self, seq: int, manifest: Manifest, findings: Findings) -> None:
        self._fetch(seq, findings, layout.findings(seq, findings.sha256, manifest.time.wall))

    def _fetch(self, seq: int, stored: Data | Findings, expected: str) -> bytes | None:
        """The object if it is the one that was sealed; else None, and a problem."""
        reader, ledger = self._reader, self._reader.ledger
        if stored.key != expected:
            ledger.add("data-key", seq=seq, key=stored.key)
            return None
        raw_size = stored.raw_size if isinstance(stored, Data) else 0
        if not batch.is_sane(stored.size, raw_size):
            detail = f"{stored.size} bytes stored, {raw_size} unpacked"
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
