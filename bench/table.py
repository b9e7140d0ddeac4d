"""The one table that a run prints. Formats; measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """One line. `ok` is None where there is no target, and the number is only information."""

    what: str
    measured: str
    target: str = ""
    ok: bool | None = None

    @property
    def verdict(self) -> str:
        """The last column."""
        return "" if self.ok is None else "ok" if self.ok else "missed"


def at_least(what: str, value: float, target: float, unit: str, *, digits: int = 0) -> Row:
    """A row that is ok if `value` reaches `target`."""
    return Row(what, _number(value, unit, digits), f">= {target:g}{_unit(unit)}", value >= target)


def at_most(what: str, value: float, target: float, unit: str, *, digits: int = 0) -> Row:
    """A row that is ok if `value` is `target` or less."""
    return Row(what, _number(value, unit, digits), f"<= {target:g}{_unit(unit)}", value <= target)


def under(what: str, value: float, target: float, unit: str, *, digits: int = 0) -> Row:
    """A row that is ok if `value` is less than `target`."""
    return Row(what, _number(value, unit, digits), f"< {target:g}{_unit(unit)}", value < target)


def known(what: str, value: float, unit: str, *, digits: int = 0) -> Row:
    """A row without a target."""
    return Row(what, _number(value, unit, digits))


def render(rows: Sequence[Row]) -> str:
    """All rows, aligned, under their heading."""
    cells = [("what", "measured", "target", "")]
    cells += [(row.what, row.measured, row.target, row.verdict) for row in rows]
    widths = [max(len(cell[column]) for cell in cells) for column in range(4)]
    lines = [
        f"{what:<{widths[0]}}  {measured:>{widths[1]}}  {target:>{widths[2]}}  {verdict}".rstrip()
        for what, measured, target, verdict in cells
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _number(value: float, unit: str, digits: int) -> str:
    return f"{value:,.{digits}f}{_unit(unit)}"


def _unit(unit: str) -> str:
    return "" if not unit else unit if unit == "%" else f" {unit}"
