"""How many calls are under way at one time."""

from __future__ import annotations

import asyncio

from shipper.store.slots import Slots


def test_no_more_are_under_way_than_there_are_slots() -> None:
    """The others wait their turn."""
    now, most = 0, 0

    async def call(slots: Slots) -> None:
        nonlocal now, most
        async with slots:
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1

    async def life() -> None:
        slots = Slots(3)
        await asyncio.gather(*(call(slots) for _ in range(20)))

    asyncio.run(life())
    assert most == 3


def test_failures_halve_and_successes_add_one() -> None:
    """Down to one at a time, and up again one for each round that goes well."""
    slots = Slots(16)
    seen = []
    for _ in range(6):
        slots.failed()
        seen.append(slots.limit)
    assert seen == [8, 4, 2, 1, 1, 1]
    rounds = []
    for _ in range(40):
        for _ in range(slots.limit):
            slots.went_well()
        rounds.append(slots.limit)
    assert rounds[:3] == [2, 3, 4] or rounds[:3] == [2, 2, 3]
    assert rounds[-1] == 16
