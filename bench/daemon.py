"""A whole installation in a temporary directory: key, configuration, spool, directory store.

Starts the installed `audit-shipper` as a person would and reads its spool from outside; imports
nothing of it but the formats of its files.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.process import Usage, failed, measure
from shipper.errors import ShipperError
from shipper.model import Manifest
from shipper.seal import note
from shipper.seal.manifest import decode_manifest
from shipper.seal.signer import generate
from shipper.spool import record

PROGRAM = str(Path(sys.executable).with_name("audit-shipper"))

_START_SECONDS = 20.0
_STOP_SECONDS = 60.0


class Installation:
    """One daemon's files below `root`, which is made and must not exist."""

    def __init__(self, root: Path, *, log: Path | None = None, **settings: Any) -> None:
        """`log` is the audit log to follow, by default one below `root`; `settings` are sections
        of the configuration, all else is as the program ships it."""
        root.mkdir()
        self.root = root
        self.log = log or root / "log" / "audit.log"
        self.log.parent.mkdir(exist_ok=True)
        self.spool = root / "spool"
        self.store = root / "store"
        self.output = root / "output"
        key_file = root / "key.pem"
        self.public_key = generate(key_file).base64
        config = {
            "log": {"cluster": "bench", "node": "cp-1"},
            "source": {"path": str(self.log)},
            "seal": {"key_file": str(key_file)},
            "spool": {"path": str(self.spool)},
            "store": {"url": f"file://{self.store}"},
            **settings,
        }
        self._config = root / "config.yaml"
        self._config.write_text(json.dumps(config))  # JSON is YAML

    @property
    def command(self) -> list[str]:
        """What starts the daemon."""
        return [PROGRAM, "run", "--config", str(self._config)]

    def once(self, *, expected: int = 0) -> Usage:
        """Drain the log and end, with that exit code; what it cost."""
        return measure([*self.command, "--once"], log=self.output, expected=expected)

    def verify(self, *options: str) -> Usage:
        """Verify the store; what that cost, over all its processes."""
        command = [PROGRAM, "verify", f"file://{self.store}", "--key", self.public_key, *options]
        return measure(command, log=self.root / "verify-output", sample_tree=True)

    @contextmanager
    def following(self) -> Iterator[subprocess.Popen[bytes]]:
        """The daemon, up and running; told to stop and waited for at the end."""
        with self.output.open("wb") as output:
            daemon = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            watch = SpoolWatch(self.spool)
            deadline = time.monotonic() + _START_SECONDS
            while not watch.poll():
                if daemon.poll() is not None or time.monotonic() > deadline:
                    raise failed(self.command, daemon.returncode or -1, self.output)
                time.sleep(0.05)
            try:
                yield daemon
                ended = daemon.poll() is not None
            except TimeoutError:
                if daemon.poll() is None:
                    raise
                ended = True
            if ended:
                raise failed(self.command, daemon.returncode, self.output)
            daemon.terminate()
            if daemon.wait(_STOP_SECONDS) != 0:
                raise failed(self.command, daemon.returncode, self.output)
        finally:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()

    def remove(self) -> None:
        """Delete everything below `root`."""
        shutil.rmtree(self.root)


class Sealed(NamedTuple):
    """A record that has appeared in the spool, durable at `durable_ns` (CLOCK_MONOTONIC)."""

    seq: int
    durable_ns: int
    key: str
    manifest: Manifest


class SpoolWatch:
    """Sees records appear in a daemon's spool, from outside.

    A record's name appears with its rename, a moment before the daemon's fsync of the directory
    returns. With `durable`, the watcher fsyncs the directory itself once it has seen a new name:
    after that the record is durable whatever the daemon does, so the time is an upper bound.
    """

    def __init__(self, spool: Path, *, durable: bool = False) -> None:
        self._spool = spool
        self._durable = durable
        self._seen = -1

    def poll(self) -> list[Sealed]:
        """Records that have appeared since the last call, oldest first."""
        try:
            names = os.listdir(self._spool)
        except FileNotFoundError:
            return []
        found = {
            int(n[:12]) for n in names if n[:12].isdigit() and n.endswith(("sealed", "shipped"))
        }
        new = sorted(seq for seq in found if seq > self._seen)
        if not new:
            return []
        if self._durable:
            self._sync()
        now = time.monotonic_ns()
        self._seen = new[-1]
        found_now = ((seq, self._record(seq)) for seq in new)
        return [Sealed(seq, now, *record) for seq, record in found_now if record is not None]

    def _sync(self) -> None:
        fd = os.open(self._spool, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def _record(self, seq: int) -> tuple[str, Manifest] | None:
        """The manifest's key and the manifest."""
        # The ship loop renames a record from .sealed to .shipped, perhaps between the two tries.
        for suffix in ("sealed", "shipped"):
            name = f"{seq:012d}.{suffix}"
            try:
                body = (self._spool / name).read_bytes()
            except FileNotFoundError:
                continue
            try:
                stored = record.decode(body, name=name).manifest
                return stored.key, decode_manifest(note.parse(stored.body).text)
            except ShipperError:
                return None
        return None
