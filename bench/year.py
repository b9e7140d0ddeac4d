"""`verify --depth chain` over a simulated year: a manifest every ten seconds, 3.2 million of them.

`bench.simulate` writes the chain with the program's own encoding, hashing and signing; making it is
not measured. The same log is verified at a quarter, half and the whole of its length: a flat time
per manifest shows that nothing grows with the chain. The files lie in the page cache. With
`--quick` there are 200,000 manifests, and the two minutes are scaled down.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.bench import Bench
from bench.daemon import PROGRAM
from bench.process import MIB, Usage, measure
from bench.table import Row, known, under
from shipper.seal.signer import generate

_YEAR = 3_200_000
_QUICK = 200_000
_YEAR_SECONDS = 120
_EDGE = 100
"""Manifests after the last full bundle."""
_BYTES_PER_MANIFEST = 2_048
"""An upper bound of what one takes on disk, with its share of the tiles."""


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    whole = _QUICK if bench.quick else _YEAR
    counts = [whole // part // 256 * 256 + _EDGE for part in (4, 2, 1)]
    bench.need(whole * _BYTES_PER_MANIFEST)
    bench.say(f"simulating {whole:,} manifests")
    place = bench.directory / "year"
    place.mkdir()
    key_file = place / "key.pem"
    key = generate(key_file).base64
    stores = [place / str(count) for count in counts]
    pairs = [str(part) for pair in zip(counts, stores, strict=True) for part in pair]
    subprocess.run([sys.executable, "-m", "bench.simulate", str(key_file), *pairs], check=True)
    usages = []
    for count, store in zip(counts, stores, strict=True):
        bench.say(f"verifying a chain of {count:,}")
        usages.append(_verify(store, key, place / "output"))
    shutil.rmtree(place)
    target = _YEAR_SECONDS * whole / _YEAR
    name = f"a chain of {counts[-1]:,} manifests"
    yield under(f"{name}, seconds", usages[-1].wall_seconds, target, "s", digits=1)
    yield known(f"{name}, CPU-seconds", usages[-1].cpu_seconds, "s", digits=1)
    yield known(f"{name}, peak RSS of the largest process", usages[-1].peak_rss / MIB, "MiB")
    for count, usage in zip(counts, usages, strict=True):
        micros = usage.cpu_seconds / count * 1e6
        yield known(f"CPU per manifest in a chain of {count:,}", micros, "us", digits=1)


def _verify(store: Path, key: str, output: Path) -> Usage:
    command = [PROGRAM, "verify", f"file://{store}", "--key", key, "--depth", "chain"]
    return measure(command, log=output, sample_tree=True)
