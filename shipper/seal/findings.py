"""The findings of a batch as an object: one JSON text a line, in the order of the lines, zstd.

Encodes, decodes and counts; judges no finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256

import msgspec
import zstandard

from shipper.errors import FormatError
from shipper.model import Finding, Findings, StoredObject
from shipper.seal import layout

COMPRESSION_LEVEL = 3

_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Finding)


def encode_findings(
    seq: int, found: Sequence[Finding], sealed: datetime
) -> tuple[StoredObject, Findings]:
    """The object with the findings of batch `seq`, and what the manifest says of it."""
    raw = b"".join(_encoder.encode(finding) + b"\n" for finding in found)
    body = zstandard.compress(raw, COMPRESSION_LEVEL)
    digest = sha256(body).hexdigest()
    described = Findings(
        key=layout.findings(seq, digest, sealed),
        size=len(body),
        sha256=digest,
        raw_size=len(raw),
        count=len(found),
        by_severity=dict(Counter(finding.severity for finding in found)),
    )
    return StoredObject(described.key, body, digest), described


def size_bytes(found: Iterable[Finding]) -> int:
    """What the findings take in the object, before compression."""
    return sum(len(_encoder.encode(finding)) + 1 for finding in found)


def decode_findings(raw: bytes) -> Iterator[Finding]:
    """The findings in the object's text. `FormatError` at the first line that is none."""
    if raw and not raw.endswith(b"\n"):
        raise FormatError("the last line does not end")
    for number, line in enumerate(raw.splitlines()):
        try:
            yield _decoder.decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise FormatError(f"line {number} is no finding: {error}") from error
