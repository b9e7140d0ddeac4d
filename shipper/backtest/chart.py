"""Charts as SVG: counts over time, and a bar beside a number. Pure, without a script.

Every chart says in words what it shows; it has no colours but the page's.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipper.backtest.markup import Markup, element
from shipper.backtest.series import Bar, Series

_WIDTH, _HEIGHT = 720.0, 132.0
_LEFT, _BOTTOM, _TOP = 44.0, 22.0, 8.0
_SHARE_WIDTH = 120.0


def over_time(found: Series, *, ident: str, title: str) -> Markup:
    """Bars over time with an axis on each side; `ident` is unique in the page."""
    most = max((bar.many for bar in found.bars), default=0)
    high = _round_up(most)
    slot = (_WIDTH - _LEFT) / max(len(found.bars), 1)
    floor = _HEIGHT - _BOTTOM
    scale = (floor - _TOP) / high
    bars = [
        _bar(bar, found, x=_LEFT + at * slot, width=slot, height=bar.many * scale, floor=floor)
        for at, bar in enumerate(found.bars)
        if bar.many
    ]
    return element(
        "svg",
        element("title", title, id=f"{ident}-title"),
        element("desc", _described(found, most), id=f"{ident}-desc"),
        *_axes(high, floor),
        *bars,
        *_moments(found, slot),
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        role="img",
        class_="time",
        aria_labelledby=f"{ident}-title {ident}-desc",
    )


def share(part: int, whole: int) -> Markup:
    """A bar for a number that stands beside it: decoration, so nobody need read it out."""
    width = max(_SHARE_WIDTH * part / max(whole, 1), 1.0)
    track = element("rect", width=_SHARE_WIDTH, height=10.0, rx=2.0, class_="track")
    bar = element("rect", width=round(width, 1), height=10.0, rx=2.0, class_="bar")
    return element(
        "svg", track, bar, viewBox=f"0 0 {_SHARE_WIDTH:g} 10", class_="share", aria_hidden="true"
    )


def _bar(bar: Bar, found: Series, *, x: float, width: float, height: float, floor: float) -> Markup:
    gap = min(1.5, width / 4)
    tall = max(height, 1.5)
    says = f"{bar.label(found.width_seconds)}: {bar.many:,}"
    return element(
        "rect",
        element("title", says),
        x=round(x + gap / 2, 2),
        y=round(floor - tall, 2),
        width=round(width - gap, 2),
        height=round(tall, 2),
        class_="bar",
    )


def _axes(high: int, floor: float) -> list[Markup]:
    marks = []
    for value in (0, high // 2, high) if high > 1 else (0, high):
        y = round(floor - (floor - _TOP) * value / high, 2)
        marks.append(element("line", x1=_LEFT, x2=_WIDTH, y1=y, y2=y, class_="axis"))
        marks.append(
            element("text", f"{value:,}", x=_LEFT - 6, y=round(y + 4, 2), text_anchor="end")
        )
    return marks


def _moments(found: Series, slot: float) -> list[Markup]:
    """The first, the middle and the last bar's beginning."""
    places: Sequence[tuple[int, str]] = [(0, "start")]
    count = len(found.bars)
    if count > 8:
        places = [(0, "start"), (count // 2, "middle"), (count - 1, "end")]
    elif count > 1:
        places = [(0, "start"), (count - 1, "end")]
    return [
        element(
            "text",
            found.bars[at].label(found.width_seconds),
            x=round(_LEFT + (at + (anchor != "start") * (1 if anchor == "end" else 0.5)) * slot, 2),
            y=_HEIGHT - 5,
            text_anchor=anchor,
        )
        for at, anchor in places[: count or 0]
    ]


def _described(found: Series, most: int) -> str:
    if not found.bars:
        return "Nothing has a time."
    first, last = found.bars[0], found.bars[-1]
    peak = next(bar for bar in found.bars if bar.many == most)
    return (
        f"One bar for each {found.width} from {first.label(found.width_seconds)} to"
        f" {last.label(found.width_seconds)} UTC; at most {most:,}, on"
        f" {peak.label(found.width_seconds)}. The table behind the chart has the numbers."
    )


def _round_up(most: int) -> int:
    """The axis' end: 1, 2 or 5 times a power of ten that `most` fits below."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= max(most, 1):
                return factor * power
        power *= 10
