"""What `transformMap` builds a map with; cel-expr-python 0.1.3 leaves it out.

Source: cel-go's two-variable comprehensions, which Kubernetes has since 1.32.
"""

from __future__ import annotations

from typing import Any

from shipper.rules.cel.library.function import CallError, Function
from shipper.rules.cel.meter import METER

_ENTRY_BYTES = 128
_COPY_STEPS = 1024
"""For each entry that the map already has: all of it goes to Python and back at each insertion."""


def _insert(target: dict[Any, Any], *entry: Any) -> dict[Any, Any]:
    added = {entry[0]: entry[1]} if len(entry) == 2 else entry[0]
    if target.keys() & added.keys():
        raise CallError("insert failed: key already exists")
    METER.spend(_COPY_STEPS * len(target))
    METER.grow(_ENTRY_BYTES * len(added))
    return {**target, **added}


FUNCTIONS = (
    Function("cel.@mapInsert", "", ("map<~K, ~V>", "~K", "~V"), "map<~K, ~V>", _insert),
    Function("cel.@mapInsert", "", ("map<~K, ~V>", "map<~K, ~V>"), "map<~K, ~V>", _insert),
)
