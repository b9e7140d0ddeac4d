"""Moments on a command line: RFC 3339, or a duration from now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shipper.config import parse_duration
from shipper.errors import ConfigError


def moment(text: str | None, now: datetime, direction: int) -> datetime | None:
    """RFC 3339, or a duration from `now`, back (-1) or ahead (1)."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            return now + direction * timedelta(seconds=parse_duration(text))
        except (ConfigError, OverflowError) as error:
            raise _no_moment(text) from error
    if moment.tzinfo is None:
        raise _no_moment(text)
    return moment.astimezone(UTC)


def _no_moment(text: str) -> ConfigError:
    return ConfigError(
        f"{text!r} is no moment",
        remedy="write it like 2026-11-23T14:00:00Z, or 30d, counted from now",
    )
