"""The least work that the job takes, as a plain loop: the yardstick for `capture`.

    python -m bench.least LOG DIRECTORY

Reads LOG in pieces of 1 MiB, as the program does, and does once, in one thread, what a sealed
archive cannot do without: split into lines, a leaf hash of each line, the Merkle root of each batch
of 8 MiB, the running hash of the file, the envelope of each event (the program's own decoder), zstd
level 1, SHA-256 of the compressed batch, an Ed25519 signature, one durable file a batch.

No rotation, no partial lines, no spool, no second write, no errors: it would lose events on the
first bad day. It shares no code with the program but the envelope's type, so that it does not move
when the program does.
"""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from pathlib import Path

import msgspec
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shipper.envelope import Envelope

READ_BYTES = 1024 * 1024
BATCH_BYTES = 8 * 1024 * 1024


def work(log: Path, directory: Path) -> int:
    """Seal `log` into `directory`; returns the number of batches."""
    signing_key = Ed25519PrivateKey.generate()
    decode = msgspec.json.Decoder(Envelope).decode
    prefix = sha256()
    rest = b""
    batches = 0
    with log.open("rb", buffering=0) as file:
        data = file.read(READ_BYTES)
        while data:
            compressor = zstandard.ZstdCompressor(level=1).compressobj()
            compressed: list[bytes] = []
            leaves: list[bytes] = []
            low = high = None
            size = 0
            while data and size < BATCH_BYTES:
                prefix.update(data)
                compressed.append(compressor.compress(data))
                size += len(data)
                lines = (rest + data).split(b"\n")
                rest = lines.pop()
                leaves += [sha256(b"\x00" + line).digest() for line in lines]
                for line in lines:
                    time = decode(line).stageTimestamp
                    if high is None or time > high:
                        high = time
                    if low is None or time < low:
                        low = time
                data = file.read(READ_BYTES)
            compressed.append(compressor.flush())
            body = b"".join(compressed)
            manifest = (
                f"{batches} {size} {len(leaves)} {low} {high} {root(leaves).hex()}"
                f" {sha256(body).hexdigest()} {prefix.hexdigest()}\n"
            ).encode()
            write(directory / f"{batches:06d}", body + manifest + signing_key.sign(manifest))
            batches += 1
    return batches


def root(hashes: list[bytes]) -> bytes:
    """The RFC 6962 tree hash over leaf hashes."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=False)  # the odd one out moves up
        above = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
        hashes = above + hashes[-1:] if len(hashes) % 2 else above
    return hashes[0] if hashes else sha256(b"").digest()


def write(path: Path, body: bytes) -> None:
    """One durable file."""
    with path.open("wb", buffering=0) as file:
        file.write(body)
        os.fsync(file.fileno())


if __name__ == "__main__":
    print(work(Path(sys.argv[1]), Path(sys.argv[2])), "batches")
