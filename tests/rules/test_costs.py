"""What each rule costs is estimated from some events, and changes nothing that is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shipper.rules.costs import Costs
from shipper.rules.engine import Engine
from tests.rules.support import line, pod, rule, rules_of

SLOW = "containers.exists(c, has(c.privileged) && c.privileged)"


class Ticks:
    """A clock that goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return float(self.looks)


def engine(tmp_path: Path) -> Engine:
    threshold = {"count": 2, "within": "1m", "by": ["event.user.username"]}
    exception: Any = {"reason": "r", "when": "object.metadata.name == 'q'"}
    return Engine(
        rules_of(
            tmp_path,
            rule("body", when=f"has(object.spec) && object.spec.{SLOW}"),
            rule("excepted", match={"verbs": ["create"]}, exceptions=[exception]),
            rule("often", match={"verbs": ["create"]}, threshold=threshold),
            rule("unknown", when="namespaceObject.metadata.name == 'x'"),
            rule("elsewhere", match={"verbs": ["delete"]}),
        )
    )


LINES = [
    line(verb="get"),
    pod({"containers": [{"name": "c", "privileged": True}]}),
    b"junk",
    pod({"containers": []}, level="Metadata"),
    pod({"containers": [{"name": "c"}]}, code=403),
] * 30


def test_what_is_found_is_the_same(tmp_path: Path) -> None:
    """In the same order, however many events are measured."""
    expected = engine(tmp_path).evaluate(LINES)
    assert {one.rule for one in expected} > {"body", "excepted", "often", "unknown"}
    for every in (1, 2, 7):
        found = engine(tmp_path).evaluate(LINES, costs=Costs(Ticks(), every=every))
        assert found == expected


def test_an_event_stands_for_many(tmp_path: Path) -> None:
    """One in so many of those that a rule is asked about; a rule that is never asked costs
    nothing."""
    asked = engine(tmp_path)
    all_of_them, some = Costs(Ticks(), every=1), Costs(Ticks(), every=7)
    asked.evaluate(LINES, costs=all_of_them)
    engine(tmp_path).evaluate(LINES, costs=some)
    assert all_of_them.seconds["excepted"] == 90
    assert abs(some.seconds["excepted"] - 90) <= 7 * 2
    assert set(all_of_them.seconds) == set(some.seconds) == {"body", "excepted", "often", "unknown"}
    assert sum(some.seconds.values()) == 7 * some.clock.looks / 2  # type: ignore[attr-defined]


def test_who_does_not_ask_pays_for_no_clock(tmp_path: Path) -> None:
    """A run that nobody watches is not measured, nor are most events of one that is."""
    one = engine(tmp_path)
    one.evaluate(LINES)
    clock = Ticks()
    one.evaluate(LINES[:1] * 1000, costs=Costs(clock))
    assert 0 < clock.looks <= 2 * 4 * (1000 // 101 + 1)
