"""Following a log while another process writes, rotates and compresses it at full speed."""

from __future__ import annotations

import gzip
import multiprocessing
import os
import random
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.audit.support import Reader, event, rotated_name

_EVENTS = 3000


def _line(number: int) -> bytes:
    return event(number, pad=number % 7 * 150)


def _serve(directory: str, rotate_bytes: int) -> None:
    """Write all events through small files, as lumberjack does; gzip some after the fact."""
    live = Path(directory) / "audit.log"
    chance = random.Random(rotate_bytes)
    file = live.open("xb", buffering=0)
    plain: list[Path] = []
    for number in range(_EVENTS):
        line = _line(number)
        if file.tell() + len(line) > rotate_bytes:
            file.close()
            time.sleep(0.001)  # two rotations in one millisecond overwrite each other
            rotated = live.with_name(rotated_name(datetime.now(UTC)))
            live.rename(rotated)
            plain.append(rotated)
            file = live.open("xb", buffering=0)
        cut = chance.randrange(len(line))
        if number % 50 == 0:
            file.write(line[:cut])
            time.sleep(0.0002)
            line = line[cut:]
        file.write(line)
        if plain and chance.random() < 0.002:
            _compress(plain.pop(0))
    file.close()


def _compress(path: Path) -> None:
    packed = gzip.compress(path.read_bytes())
    with path.with_name(path.name + ".gz").open("xb", buffering=0) as file:
        file.write(packed[: len(packed) // 2])
        time.sleep(0.001)
        file.write(packed[len(packed) // 2 :])
    path.unlink()


@pytest.mark.parametrize("rotate_bytes", [10_000, 200_000])
@pytest.mark.parametrize("restarts", [False, True])
def test_nothing_is_lost_at_full_speed(tmp_path: Path, rotate_bytes: int, restarts: bool) -> None:
    """Every byte comes out once and in order, whatever the two processes do at the same moment."""
    process = multiprocessing.get_context("fork").Process(
        target=_serve, args=(os.fspath(tmp_path), rotate_bytes)
    )
    expected = b"".join(map(_line, range(_EVENTS)))
    live = tmp_path / "audit.log"
    reader = Reader(live)
    archived = b""
    reasons: list[str] = []
    process.start()
    try:
        steps = 0
        while process.is_alive() or reader.step() is not None:
            reader.step()
            steps += 1
            if restarts and steps % 40 == 0 and reader.position():
                archived += reader.data
                reasons += reader.reasons
                position = reader.position()
                reader.close()
                reader = Reader(live, position=position, since=datetime.now(UTC))
    finally:
        process.join()
    reader.close()
    assert archived + reader.data == expected
    assert reasons + reader.reasons == []
    assert reader.changed == []
