"""New rules without a restart: on SIGHUP, and when a rule file changes. The old ones stay in force
until the new ones have been read without a mistake.

Of the configuration only `rules` is taken anew; any other change is named and needs a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from shipper import config as configuration
from shipper.config import Config, Rules
from shipper.errors import ConfigError
from shipper.logs import Logger
from shipper.pipeline.guard import Guard, InForce, load_engine
from shipper.pipeline.progress import Progress
from shipper.rules.files import rule_files

WATCH_SECONDS = 2.0
"""How often rule files are looked at. A poll: they may be a ConfigMap's links, or on NFS."""


class _Mark(NamedTuple):
    path: str
    inode: int
    size: int
    changed_ns: int


class Reloader:
    """Proposes to the guard what is to come into force. For one event loop."""

    def __init__(
        self,
        config: Config,
        guard: Guard,
        *,
        reread: Callable[[], Config],
        logger: Logger,
        progress: Progress,
    ) -> None:
        """`reread` reads the configuration again; `ConfigError` if it has a mistake."""
        self._config = self._found = config
        self._guard = guard
        self._reread = reread
        self._logger = logger
        self._progress = progress
        self._asked = asyncio.Event()
        self.proposed = asyncio.Event()
        """Set when the guard has something to put into force."""
        self._marks = _marks(config.rules)

    def ask(self) -> None:
        """Read everything again, now."""
        self._asked.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            asked = await self._wait()
            marks = await asyncio.to_thread(_marks, self._config.rules)
            if asked:
                await self._reload(self._reread)
            elif marks != self._marks:
                await self._reload(lambda: self._found)
            self._marks = marks if not asked else _marks(self._config.rules)

    async def _wait(self) -> bool:
        try:
            async with asyncio.timeout(WATCH_SECONDS):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    async def _reload(self, read: Callable[[], Config]) -> None:
        try:
            found = await asyncio.to_thread(read)
            config = structs.replace(self._config, rules=found.rules)
            engine = await asyncio.to_thread(load_engine, config.rules)
        except Exception as error:  # noqa: BLE001 whatever is in the files, the next may be right
            says = (
                str(error) if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}"
            )
            self._told("refused", says)
            self._logger.error("reload_refused", error=says)  # noqa: TRY400 it is for a person
            return
        self._config, self._found = config, found
        self._guard.propose(InForce(engine, configuration.digest(config)))
        self.proposed.set()
        ignored = [
            name for name in structs.asdict(config) if getattr(found, name) != getattr(config, name)
        ]
        if ignored:
            self._told("needs-restart", f"a restart is needed for: {', '.join(ignored)}")
            self._logger.error("reload_needs_restart", keys=ignored)
        else:
            self._told("ok", "")
        self._logger.info("reloaded", rules=engine.rules.sha256 if engine else None)

    def _told(self, result: str, trouble: str) -> None:
        self._progress.reloads[result] += 1
        self._progress.reload_result = result
        self._progress.reloaded_at = datetime.now(UTC)
        self._progress.reload_trouble = trouble


def _marks(rules: Rules) -> list[_Mark]:
    """What shows that a rule file has changed; files that are gone are not in it."""
    marks = []
    for path in rules.paths:
        for file in rule_files(Path(path))[0]:
            try:
                status = file.stat()
            except OSError:
                continue
            marks.append(_Mark(str(file), status.st_ino, status.st_size, status.st_mtime_ns))
    return marks
