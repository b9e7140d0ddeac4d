"""C2SP tlog-checkpoint texts: origin, size, root, and no extension lines."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from shipper.errors import FormatError


class Checkpoint(NamedTuple):
    """A log of `size` manifests whose Merkle tree has this root (32 bytes)."""

    origin: str
    size: int
    root: bytes


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The note text."""
    encoded = base64.b64encode(checkpoint.root).decode()
    return f"{checkpoint.origin}\n{checkpoint.size}\n{encoded}\n".encode()


def decode_checkpoint(text: bytes) -> Checkpoint:
    """The checkpoint in a note text. `FormatError` unless it is exactly three lines in form."""
    lines = text.decode().split("\n")
    if len(lines) != 4 or lines[3]:
        raise FormatError("a checkpoint has three lines: origin, size, root")
    origin, size, encoded, _ = lines
    if not (size.isascii() and size.isdigit() and len(size) <= 19) or str(int(size)) != size:
        raise FormatError("the checkpoint's size is not a plain decimal number")
    try:
        root = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError("the checkpoint's root is not base64") from error
    checkpoint = Checkpoint(origin, int(size), root)
    if len(root) != 32 or encode_checkpoint(checkpoint) != text:
        raise FormatError("the checkpoint's root is not the base64 of 32 bytes")
    return checkpoint
