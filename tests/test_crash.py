"""The whole daemon, stopped or refused at every durable step: nothing lost, nothing twice."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest

from shipper.config import Config, Size
from shipper.errors import SpoolError
from tests.daemon import Place, with_batch
from tests.faults import Crash, Fault, FaultyDisk


def write_log(place: Place) -> tuple[Config, bytes]:
    """A log of a rotated file and a live one; a configuration that cuts it into a handful of
    batches, and its bytes."""
    older = b"".join(b'{"n":%d}\n' % n for n in range(30))
    live = b"".join(b'{"n":%d}\n' % n for n in range(30, 45)) + b"torn"
    (place.log.parent / "audit-2026-01-02T03-04-05.678.log").write_bytes(older)
    place.log.write_bytes(live)
    return with_batch(place.config(), max_bytes=Size(150)), older + live


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_durable_step(tmp_path: Path, fault: Fault) -> None:
    """After a fault at any step and one more start, the archive is the log, byte for byte."""
    step = 0
    while True:
        root = tmp_path / str(step)
        place = Place(root)
        config, expected = write_log(place)
        disk = FaultyDisk(step, fault)
        # A disk that refuses at the very start ends the start, with a SpoolError.
        with suppress(Crash, SpoolError):
            place.once(config=config, disk=disk)
        if not disk.reached:
            break
        assert place.once(config=config) == 0, step
        assert place.archived() == expected, step
        assert place.verify() == 0, (step, place.said.getvalue())
        shutil.rmtree(root)
        step += 1
    assert step > 60
