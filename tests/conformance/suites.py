"""The dialects whose cases are judged: every module here that gives cases.

Found, not listed: a dialect's module is all that there is to add.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module

import tests.conformance
from tests.conformance.case import Suite


def _found() -> Iterator[tuple[str, Suite]]:
    for module in pkgutil.iter_modules(tests.conformance.__path__):
        if not module.name.startswith(("_", "test_")) and module.name not in ("case", "suites"):
            yield module.name, import_module(f"tests.conformance.{module.name}")


SUITES: Mapping[str, Suite] = dict(_found())
"""By the name that `python -m tests.conformance NAME` takes."""
