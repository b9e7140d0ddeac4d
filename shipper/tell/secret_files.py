"""Secrets of receivers: read from their files at each use, so that they can be changed at any time.

Keeps nothing, logs nothing; an error names the file, never what is in it.
"""

from __future__ import annotations

import re
from pathlib import Path

from shipper.errors import TellError
from shipper.receivers import Receiver
from shipper.tell.request import Secrets

_MOST_BYTES = 16 * 1024
_TEXT = re.compile(r"[\x21-\x7e]+(?:\n[\x21-\x7e]+)*")
"""No spaces and no control characters: what is in it goes into a header or a URL."""


def read_secrets(receiver: Receiver) -> Secrets:
    """What is in each `*_file` that `receiver` names, by the key's name without `_file`."""
    return {
        key.removesuffix("_file"): _read(key, Path(path))
        for key in receiver.__struct_fields__
        if key.endswith("_file") and (path := getattr(receiver, key))
    }


def _read(key: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1).decode("ascii").strip()
    except OSError as error:
        raise TellError(
            f"{key} {path} cannot be read: {error.strerror}", remedy="let the daemon read it"
        ) from error
    except UnicodeDecodeError:
        text = ""
    if len(text) > _MOST_BYTES or not _TEXT.fullmatch(text):
        raise TellError(
            f"{key} {path} does not hold one secret alone",
            remedy="write the secret into it, without spaces and without quotes",
        )
    if "\n" in text and key != "hmac_key_file":
        raise TellError(f"{key} {path} has several lines", remedy="leave one")
    return text
