"""What the configuration is made of: sections that refuse unknown keys, durations and sizes.

Values and their text forms; knows no key.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from shipper.errors import ConfigError

DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
SIZE = re.compile(r"([0-9]+)(B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40} | {
    "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12
}  # fmt: skip


class Duration(float):
    """Seconds, written with a unit: `200ms`, `10s`, `5m`, `1h`, `400d`."""


class Size(int):
    """Bytes, written with a unit: `64KiB`, `8MiB`, `10GiB`; `kB`, `MB`, `GB` are powers of ten."""


def parse_duration(text: str) -> Duration:
    """`10s` -> 10.0. Units: ms, s, m, h, d."""
    match = DURATION.fullmatch(text.strip())
    if match is None:
        raise ConfigError(f"{text!r} is not a duration", remedy="write it like 200ms, 10s, 5m, 2h")
    return Duration(float(match[1]) * _SECONDS[match[2]])


def parse_size(text: str) -> Size:
    """`8MiB` -> 8388608."""
    match = SIZE.fullmatch(text.strip())
    if match is None:
        raise ConfigError(f"{text!r} is not a size", remedy="write it like 64KiB, 8MiB, 10GiB")
    return Size(int(match[1]) * _BYTES[match[2]])


def duration(text: str) -> Any:
    """A default that is written as in the file."""
    return msgspec.field(default_factory=lambda: parse_duration(text))


def size(text: str) -> Any:
    """A default that is written as in the file."""
    return msgspec.field(default_factory=lambda: parse_size(text))


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the page; unknown keys are refused."""


def encode(value: Any) -> str:
    """A duration or a size as it is written in the file, in its largest whole unit."""
    if isinstance(value, Duration):
        if value and not value % _SECONDS["d"]:
            return f"{value / _SECONDS['d']:.0f}d"
        return f"{value:g}s" if value >= 1 or not value else f"{value * 1000:g}ms"
    unit = next(unit for unit in ("TiB", "GiB", "MiB", "KiB", "B") if not value % _BYTES[unit])
    return f"{value // _BYTES[unit]}{unit}"
