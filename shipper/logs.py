"""The daemon's own log: structlog, one constant event name with key-values, to standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any, Protocol, TextIO

import structlog


class Logger(Protocol):
    """What the stages need of a logger."""

    def debug(self, event: str, **values: Any) -> Any: ...
    def info(self, event: str, **values: Any) -> Any: ...
    def warning(self, event: str, **values: Any) -> Any: ...
    def error(self, event: str, **values: Any) -> Any: ...
    def critical(self, event: str, **values: Any) -> Any: ...


def make_logger(
    *,
    level: str,
    form: str,
    stream: TextIO = sys.stderr,
    write: Callable[[str], None] | None = None,
) -> Logger:
    """A logger that prints lines of at least `level` as `form` ("json" or "console").

    `write` takes the finished lines instead of `stream`, for a terminal with a live line.
    """
    renderer: Any
    if form == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=stream.isatty())
    logger: Logger = structlog.wrap_logger(
        _Lines(write) if write else structlog.PrintLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
    )
    return logger


class _Lines:
    """A structlog output that hands each finished line to a function."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def msg(self, message: str) -> None:
        self._write(message)

    debug = info = warning = error = critical = msg
