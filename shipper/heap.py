"""Tells glibc to keep freed memory for the next piece of log, and when to give it back after all.

No effect on what is allocated.

By default free(3) gives a large block at the top of the heap back to the kernel at once, and the
next read takes it again, page by page: 5 % of all CPU time while a backlog is read, with the same
peak either way (mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD). What each thread's own heap
keeps would add up: with two heaps for all (M_ARENA_MAX), shipping to S3 takes 5 MiB less.
"""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8
_MIB = 1024 * 1024


def keep_freed_memory() -> None:
    """Once, at the start of a long-lived process; does nothing where there is no mallopt."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 32 * _MIB)
        mallopt(_M_TRIM_THRESHOLD, 64 * _MIB)
        mallopt(_M_TOP_PAD, 8 * _MIB)
        mallopt(_M_ARENA_MAX, 2)


def give_back() -> None:
    """What lies free, to the kernel: after something large was let go for good. Takes milliseconds.

    Rules that come into force are compiled beside those that they replace, in another thread's
    heap; what the old ones leave are holes that pieces of log do not fit into.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
