"""The daemon under everyday troubles for a long time: `make soak MINUTES=30`.

500 events a second from a recording, in a log that rotates; rules that change, on SIGHUP and by
themselves; a store that goes away, fails now and then and comes back; SIGTERM and another start.
Afterwards the archive must be the log, byte for byte, and verify; in no life of the daemon may
memory have grown or descriptors been left open. Prints a table; exit 1 if a figure is missed.
In lives of less than some six minutes memory is still warming up, and the slope says little.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import table
from bench.table import Row
from tests.daemon import Place
from tests.process import AUDIT_SHIPPER, Daemon, running
from tests.soak.samples import Sample, look, rows
from tests.soak.stores import Store, node
from tests.soak.troubles import Troubles
from tests.soak.writer import Writer

MINUTES = 30.0
LIFE_MINUTES = 10
TROUBLE_SECONDS = 8
STARTS = 2
"""At the least, in a soak that is shorter than two lives."""


def main(minutes: float) -> int:
    """Soak for so long; returns the exit code."""
    with (
        tempfile.TemporaryDirectory(prefix="audit-shipper-soak-") as name,
        node(Path(name)) as (place, store),
    ):
        found = list(soak(place, store, minutes=minutes))
    sys.stdout.write(table.render(found) + "\n")
    return 1 if any(row.ok is False for row in found) else 0


def soak(place: Place, store: Store, *, minutes: float) -> Iterator[Row]:
    """The table's rows."""
    troubles = Troubles(place, store)
    writer = Writer(place.log)
    writer.start()
    lives = max(STARTS, round(minutes / LIFE_MINUTES))
    for number in range(lives):
        sys.stderr.write(f"life {number + 1} of {lives}\n")
        samples = live(place, troubles, writer, seconds=minutes * 60 / lives)
        yield from rows(f"life {number + 1}", samples)
    writer.stop()
    store.back()
    sys.stderr.write("draining, verifying, comparing\n")
    drain(place, troubles)
    yield table.known("events written", writer.lines, "")
    yield table.known("rotations", writer.rotations(), "")
    yield from reloads(place, troubles)
    yield table.known(f"outages of the store: {store.name}", troubles.counts["outage"], "")
    yield table.known("spells of a flaky store", troubles.counts["flaky store"], "")
    yield table.at_most("verify, exit code", place.verify(), 0, "")
    same = archived(place, store) == writer.written.hexdigest()
    yield Row("cat is the log", f"{writer.bytes:,} bytes", "byte for byte", same)


def live(place: Place, troubles: Troubles, writer: Writer, *, seconds: float) -> list[Sample]:
    """One life of the daemon, from its start to its answer to SIGTERM, whatever the store does."""
    samples: list[Sample] = []
    with running(place, **troubles.sections()) as daemon:
        began = time.monotonic()
        trouble = TROUBLE_SECONDS
        while (passed := time.monotonic() - began) < seconds:
            samples.append(look(daemon.process.pid, passed))
            if passed >= trouble:
                troubles.next(daemon)
                trouble += TROUBLE_SECONDS
            time.sleep(1)
            assert daemon.process.poll() is None, last_words(daemon)
            assert writer.is_alive(), "the writer has stopped"
        # 3: the store was away, and what it has not taken waits in the spool.
        assert daemon.end() in (0, 3), last_words(daemon)
    return samples


def drain(place: Place, troubles: Troubles) -> None:
    """What is left, however long a busy machine takes."""
    config, said = place.root / "drain.yaml", place.root / "drained.jsonl"
    config.write_text(place.yaml(**troubles.sections() | {"shutdown": {"drain": "10m"}}))
    with said.open("wb") as output:
        done = subprocess.run(
            [*AUDIT_SHIPPER, "run", "--config", str(config), "--once"], check=False, stderr=output
        )
    assert done.returncode == 0, said.read_text()[-2000:]


def last_words(daemon: Daemon) -> str:
    """For the message of a failure."""
    return daemon.said.read_text()[-2000:]


def reloads(place: Place, troubles: Troubles) -> Iterator[Row]:
    """As many as there were changes, but for those that a SIGTERM came before."""
    said = (place.root / "said.jsonl").read_text()
    asked = troubles.counts["rule file changed"] + troubles.counts["SIGHUP"]
    starts = said.count('"event": "started"')
    yield table.at_least("reloads", said.count('"event": "reloaded"'), max(0, asked - starts), "")
    yield table.at_most("reloads refused", said.count('"event": "reload_refused"'), 0, "")
    yield table.known("starts", starts, "")


def archived(place: Place, store: Store) -> str:
    """The SHA-256 of what `cat` prints, as long as it is."""
    digest = hashlib.sha256()
    command = [*AUDIT_SHIPPER, "cat", place.url, "--key", str(place.public), *store.options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env=os.environ | store.environment
    ) as cat:
        assert cat.stdout is not None
        while block := cat.stdout.read(1 << 20):
            digest.update(block)
    assert cat.returncode == 0, "cat"
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES))
