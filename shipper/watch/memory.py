"""What the watch remembers from round to round: which alarms last, and who was called when.

A JSON file beside the head file, replaced as a whole or not at all. Decides when somebody is
called; reads no clock and calls nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import structs

from shipper.disk import Disk
from shipper.errors import ConfigError
from shipper.model import Count
from shipper.watch.alarms import FAILS, UNKNOWN, Alarm

VERSION = 1

REPEAT = timedelta(days=1)
"""An alarm that lasts is told of again after this long: someone may have forgotten it."""

PATIENCE = timedelta(minutes=15)
"""A store that does not answer is no alarm before it has been silent for this long."""

LINGERS = timedelta(days=1)
"""A lock is looked at once, when its object is new; what was found then is shown for this long."""

_ONCE_SEEN = FAILS["retention"].rule
_MOST_BYTES = 16 * 2**20


class Lasting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alarm: since when, when last found, and when somebody was last called."""

    rule: str
    log: str
    since: datetime
    seen: datetime
    told: datetime | None = None


class Memory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`number` counts all calls so far; `lasting` by the alarms' ids."""

    version: int = VERSION
    number: Count = 0
    lasting: dict[str, Lasting] = {}


class Due(NamedTuple):
    """Whom to call for, which alarms are over, and what to remember."""

    alarms: list[Alarm]
    over: list[Lasting]
    memory: Memory


def step(memory: Memory, found: Sequence[Alarm], now: datetime) -> Due:
    """What a round that has found these alarms gives cause to do."""
    lasting: dict[str, Lasting] = {}
    due = []
    for alarm in found:
        known = memory.lasting.get(alarm.id)
        known = known or Lasting(alarm.kind.rule, alarm.log, since=now, seen=now)
        if _is_due(known, now):
            due.append(alarm)
            known = structs.replace(known, told=now)
        lasting[alarm.id] = structs.replace(known, seen=now)
    gone = {key: one for key, one in memory.lasting.items() if key not in lasting}
    lingering = {key: one for key, one in gone.items() if _lingers(one, now)}
    over = [one for key, one in gone.items() if key not in lingering]
    number = memory.number + len(due)
    return Due(due, over, Memory(number=number, lasting=lasting | lingering))


def _is_due(one: Lasting, now: datetime) -> bool:
    if one.rule == UNKNOWN.rule and now - one.since < PATIENCE:
        return False
    return one.told is None or now - one.told >= REPEAT


def _lingers(one: Lasting, now: datetime) -> bool:
    return one.rule == _ONCE_SEEN and now - one.seen < LINGERS


def load(path: Path) -> Memory:
    """What `path` remembers; nothing, if there is no such file."""
    try:
        with path.open("rb") as file:
            found = msgspec.json.decode(file.read(_MOST_BYTES), type=Memory)
    except FileNotFoundError:
        return Memory()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is damaged: {error}", remedy=_REMOVE) from error
    if found.version != VERSION:
        raise ConfigError(f"{path} is of version {found.version}", remedy=_REMOVE)
    return found


def save(path: Path, memory: Memory, disk: Disk) -> None:
    """Replace the file at `path`; a crash leaves the old one or the new one."""
    body = msgspec.json.format(msgspec.json.encode(memory), indent=1) + b"\n"
    try:
        disk.replace(path, body, mode=0o600)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}",
            remedy="let the watch write beside its head file; what it has found stands",
        ) from error


_REMOVE = "remove it: the next round tells of what lasts once more"
