"""The text form of a plain value, as CEL's `string()` has it; JSON for lists and maps."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from shipper.rules.cel.library.function import shown


def text_of(value: Any) -> str:
    """What a reader of a message sees of `value`."""
    match value:
        case str():
            return shown(value)
        case None | bool() | list() | dict():
            return _json(value)
        case float():
            return repr(value).removesuffix(".0")
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case timedelta():
            return f"{repr(value.total_seconds()).removesuffix('.0')}s"
        case bytes() | bytearray():
            return value.decode(errors="replace")
    return str(value)


def _json(value: Any) -> str:
    try:
        return msgspec.json.encode(value, enc_hook=str).decode()
    except (TypeError, ValueError):  # a key that JSON does not have
        return str(value)
