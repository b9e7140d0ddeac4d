"""Freed memory is kept for the next piece of log, and given back when it is told to."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

SCRIPT = """
from shipper.heap import give_back, keep_freed_memory

def resident_kib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4

keep_freed_memory()
before = resident_kib()
kept = [bytes(64 * 1024) for _ in range(500)]
last = bytes(64 * 1024)  # lies above them
kept.clear()
freed = resident_kib()
give_back()
print(freed - before, resident_kib() - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc's malloc")
def test_freed_memory_is_kept_until_it_is_given_back() -> None:
    """Of 31 MiB nearly all, both times."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )
    kept, left = map(int, done.stdout.split())
    assert kept > 28_000
    assert left < 4_000
