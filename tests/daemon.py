"""The daemon in this process, on directories of a test's own."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
import zstandard
from click.testing import CliRunner
from msgspec import structs

from shipper import config
from shipper.app import App
from shipper.cli.main import commands
from shipper.clock import Clock, SystemClock
from shipper.config import Config
from shipper.disk import Disk
from shipper.logs import make_logger
from shipper.model import Timestamp
from shipper.pipeline.progress import Progress
from shipper.seal.signer import generate
from shipper.store.base import Store


class SteadyClock(SystemClock):
    """The system's, on a machine whose wall clock never steps: a virtual one that is paused has
    `clock-step` notices in its record that no test has asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._begin = super().now()

    def now(self) -> Timestamp:
        now = super().now()
        passed_ns = now.monotonic_ns - self._begin.monotonic_ns
        return structs.replace(
            now, wall=self._begin.wall + timedelta(microseconds=passed_ns // 1000)
        )


class Place:
    """A node: its audit log, key, spool and archive below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "audit" / "audit.log"
        self.spool = root / "spool"
        self.archive = root / "archive"
        self.key = root / "key.pem"
        self.said = io.StringIO()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if not self.key.exists():
            generate(self.key)

    @property
    def public(self) -> Path:
        return self.key.with_name("key.pem.pub")

    @property
    def url(self) -> str:
        return f"file://{self.archive}"

    def config(self, **sections: Any) -> Config:
        """The least configuration, with these sections on top."""
        return config.parse(self.yaml(**sections), {})

    def yaml(self, **sections: Any) -> str:
        """The same as text."""
        page: dict[str, Any] = {
            "source": {"path": str(self.log)},
            "seal": {"key_file": str(self.key)},
            "spool": {"path": str(self.spool)},
            "store": {"url": self.url},
            "log": {"cluster": "c1", "node": "n1"},
            "shutdown": {"drain": "5s"},
            "rules": {"catalog": "none"},
            "health": {"listen": ""},
        }
        for name, section in sections.items():
            page[name] = page.get(name, {}) | section if isinstance(section, dict) else section
        return yaml.safe_dump(page)

    def once(
        self,
        *,
        config: Config | None = None,
        store: Store | None = None,
        disk: Disk | None = None,
        clock: Clock | None = None,
        once: bool = True,
    ) -> int:
        """`run --once`; returns its exit code or raises what stopped it. Without `once` something
        must stop it."""
        return asyncio.run(self.life(config=config, store=store, disk=disk, clock=clock, once=once))

    async def life(
        self,
        *,
        config: Config | None = None,
        store: Store | None = None,
        disk: Disk | None = None,
        clock: Clock | None = None,
        once: bool = True,
    ) -> int:
        """The same, within a loop that does other things too."""
        app = App(
            config or self.config(),
            once=once,
            logger=make_logger(level="info", form="json", write=self._say),
            progress=Progress(),
            store=store,
            disk=disk,
            clock=clock or SteadyClock(),
            settle_seconds=0.01,
        )
        return await app.run()

    def verify(self, *options: str) -> int:
        """The exit code of `audit-shipper verify` on the archive."""
        arguments = ["verify", self.url, "--key", str(self.public), *options]
        result = CliRunner().invoke(commands, arguments)
        self.said.write(result.output)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code

    def archived(self) -> bytes:
        """All raw bytes in the archive: logs in order of birth, each in order of sequence."""
        logs = sorted(self.archive.glob("*/*/*/log.note"), key=lambda path: path.stat().st_mtime_ns)
        return b"".join(_events(path.parent) for path in logs)

    def _say(self, line: str) -> None:
        self.said.write(line + "\n")


def _events(log: Path) -> bytes:
    paths = sorted(log.glob("events/*/*/*.zst"), key=lambda path: path.name)
    return b"".join(
        zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes()) for path in paths
    )


def with_batch(config: Config, **limits: object) -> Config:
    """The configuration with other batch limits than the file form allows."""
    return structs.replace(config, batch=structs.replace(config.batch, **limits))
