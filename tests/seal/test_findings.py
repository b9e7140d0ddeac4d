"""A batch's findings as an object: what goes in comes out, and nothing else does."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
import zstandard

from shipper.errors import FormatError
from shipper.model import Where, Who
from shipper.seal.findings import decode_findings, encode_findings
from tests.verify.archive import changed_finding, finding

SEALED = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


def test_findings_come_back() -> None:
    """Every field survives, hostile text too, each on a line of its own."""
    hostile = changed_finding(
        finding(3, "critical"),
        message="a\nb\u2028c\x00\U0001f600",
        who=Who(user="x\r\ny", groups=("system:masters",)),
        where=Where(source_ip="203.0.113.9", uri="/api?command=%0A"),
    )
    found = [finding(1), hostile]
    stored, described = encode_findings(7, found, SEALED)
    raw = zstandard.decompress(stored.body)
    assert list(decode_findings(raw)) == found
    assert raw.count(b"\n") == 2
    assert (described.count, described.raw_size) == (2, len(raw))
    assert described.by_severity == {"low": 1, "critical": 1}


def test_the_object_is_named_by_its_bytes() -> None:
    """Partitioned by the hour of the seal, as events are."""
    stored, described = encode_findings(7, [finding(1)], SEALED)
    digest = hashlib.sha256(stored.body).hexdigest()
    assert (described.sha256, described.size) == (digest, len(stored.body))
    name = f"findings/date=2026-11-23/hour=14/000000000007-{digest[:16]}.ndjson.zst"
    assert stored.key == described.key == name


@pytest.mark.parametrize(
    "raw",
    [
        b"{}\n",
        b"not JSON\n",
        b"[" * 100_000 + b"\n",
        b"\n",
        b"\xff\n",
        b'{"rule":"r"}',
    ],
)
def test_other_bytes_are_refused(raw: bytes) -> None:
    """A text that holds anything but findings is an error of form."""
    with pytest.raises(FormatError):
        list(decode_findings(raw))
