"""Any and all, where some answers are not known: what is decided without those is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from shipper.rules.dialects.kyverno.errors import UndecidedError

Test = Callable[[], bool]


def any_of(tests: Iterable[Test]) -> bool:
    """Whether one holds. Raises UndecidedError: none does, as far as is known."""
    return _first(tests, wanted=True)


def all_of(tests: Iterable[Test]) -> bool:
    """Whether all hold. Raises UndecidedError: all do, as far as is known."""
    return _first(tests, wanted=False)


def _first(tests: Iterable[Test], *, wanted: bool) -> bool:
    unknown: UndecidedError | None = None
    for test in tests:
        try:
            if test() is wanted:
                return wanted
        except UndecidedError as error:
            unknown = unknown or error
    if unknown is not None:
        raise unknown
    return not wanted
