"""What a watch answers on a port of its own."""

from __future__ import annotations

import asyncio

from shipper.health.pages import Answer, Asked
from shipper.watch.pages import LATE_ROUNDS, Pages
from shipper.watch.round import Round
from tests.verify.archive import ORIGIN, small
from tests.watch.test_metrics import round_of


class Told:
    """Pages of a watch whose rounds a test makes."""

    def __init__(self) -> None:
        self.last: tuple[Round, float] | None = None
        self.seconds = 0.0
        self._pages = Pages(lambda: self.last, every_seconds=60.0, monotonic=lambda: self.seconds)

    def get(self, path: str) -> Answer:
        return asyncio.run(self._pages.answer(Asked(path)))


def test_before_the_first_round() -> None:
    """Alive, however long that takes; not ready; no metric is made up."""
    told = Told()
    told.seconds = 1e6
    assert (told.get("/livez").status, told.get("/readyz").status) == (200, 503)
    assert b"audit_shipper_watch" not in told.get("/metrics").body


def test_while_it_makes_its_rounds() -> None:
    """Ready, with the last round's metrics; dead once rounds fail to come."""
    told = Told()
    told.last = round_of(small()), 100.0
    told.seconds = 100.0 + LATE_ROUNDS * 60.0
    assert (told.get("/livez").status, told.get("/readyz").status) == (200, 200)
    assert f'watch_head_sequence{{log="{ORIGIN}"}} 7.0'.encode() in told.get("/metrics").body
    told.seconds += 1
    assert told.get("/livez").status == 503
    assert told.get("/").status == 404
