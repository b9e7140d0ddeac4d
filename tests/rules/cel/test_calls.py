"""Functions in Python: what the engine owes is given back."""

from __future__ import annotations

import gc
import sys
import tracemalloc

from shipper.rules.cel import calls
from tests.rules.cel.asking import ENVIRONMENT


def _growth_bytes(text: str, event: object, *, rounds: int) -> int:
    program = ENVIRONMENT.compile(text, expect="any")
    for _ in range(10):
        program.evaluate(ENVIRONMENT.activation({"event": event}))
    gc.collect()
    tracemalloc.start()
    for _ in range(rounds):
        program.evaluate(ENVIRONMENT.activation({"event": event}))
    gc.collect()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return grown


def test_calls_leave_nothing_behind() -> None:
    """Hundreds of calls with results, with errors, and with lists keep no more than one does."""
    event = {"s": "a" * 1000, "l": [None, "x"], "n": None}
    for text in (
        "event.s.replace('a', 'b')",
        "quantity(event.s)",
        "event.l.indexOf('x') == 1 && event.l.includes(event.n)",
        "event.s.find('a+').size()",
        "event.l.map(x, [x])",
    ):
        assert _growth_bytes(text, event, rounds=300) < 20_000, text


def test_none_outlives_every_null() -> None:
    """The engine hands out None without a reference; enough of that would end the process."""
    for text in ("event", "[event, event]", "{'a': event}", "[event].indexOf(event)"):
        program = ENVIRONMENT.compile(text, expect="any")
        activation = ENVIRONMENT.activation({"event": None})
        for _ in range(20_000):
            program.evaluate(activation)
    assert sys.getrefcount(None) > 1_000_000


def test_the_engine_is_measured_and_not_believed() -> None:
    """If this fails, the engine gives back what it takes: calls.py has lost its reason."""
    assert calls.owes() == (True, True)
