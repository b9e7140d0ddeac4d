"""Charts that say in words what they show."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from shipper.backtest.chart import over_time, share
from shipper.backtest.series import MOST_BARS, Bar, Series

_SVG = "{http://www.w3.org/2000/svg}"


def parsed(text: str) -> ElementTree.Element:
    """As a browser reads SVG inside of HTML; it is well-formed XML besides."""
    return ElementTree.fromstring(text.replace("<svg ", f'<svg xmlns="{_SVG[1:-1]}" ', 1))


def of(*counts: int) -> Series:
    bars = [
        Bar(datetime(2026, 1, 1, number % 24, tzinfo=UTC), n) for number, n in enumerate(counts)
    ]
    return Series(3600, bars, 0)


def test_a_chart_is_labelled_by_a_title_and_a_description() -> None:
    """What a screen reader reads out."""
    chart = parsed(over_time(of(1, 5, 0), ident="c1", title='Denied by "<x>"'))
    assert chart.get("role") == "img"
    assert chart.get("aria-labelledby") == "c1-title c1-desc"
    assert chart.findtext(f"{_SVG}title") == 'Denied by "<x>"'
    assert (chart.findtext(f"{_SVG}desc") or "").startswith(
        "One bar for each hour from 2026-01-01 00:00 to 2026-01-01 02:00 UTC; at most 5, on"
    )


@pytest.mark.parametrize("counts", [(), (0,), (1,), (3, 0, 9), (10**9, 1), (7,) * MOST_BARS])
def test_bars_stay_inside_of_the_chart(counts: tuple[int, ...]) -> None:
    """One for each count that is not 0, the tallest no taller than the chart."""
    chart = parsed(over_time(of(*counts), ident="c", title="t"))
    width, height = map(float, (chart.get("viewBox") or "").split()[2:])
    bars = chart.findall(f"{_SVG}rect")
    assert len(bars) == sum(count > 0 for count in counts)
    for bar in bars:
        x, y, wide, tall = (float(bar.get(name) or "nan") for name in ("x", "y", "width", "height"))
        assert 0 <= x < x + wide <= width
        assert 0 <= y < y + tall <= height


def test_a_bar_beside_its_number_is_decoration() -> None:
    """It is not read out, and is never wider than its track."""
    bar = parsed(share(3, 4))
    assert bar.get("aria-hidden") == "true"
    assert [one.get("width") for one in bar] == ["120", "90"]
    assert parsed(share(0, 0)) is not None
