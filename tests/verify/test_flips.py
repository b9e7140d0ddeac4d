"""Any single changed byte, anywhere in an archive, is noticed."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from shipper.store.memory import MemoryStore
from tests.verify.archive import Log, objects, report, small, tall


@cache
def bodies(base: str) -> list[tuple[str, bytes]]:
    """The objects of a good log; of the tall one only those that the small one has not."""
    if base == "small":
        return list(objects(small()).items())
    return [(key, body) for key, body in objects(tall()).items() if "/tile/" in key]


@cache
def good(base: str) -> dict[str, bytes]:
    """All objects of a good log."""
    log: Log = small() if base == "small" else tall()
    return objects(log)


def flipped(base: str, position: float, mask: int) -> MemoryStore:
    """The archive with one byte changed, at this share of all its bytes."""
    store = MemoryStore()
    store.objects.update(good(base))
    offset = int(position * sum(len(body) for _, body in bodies(base)))
    for key, body in bodies(base):
        if offset < len(body):
            store.objects[key] = body[:offset] + bytes([body[offset] ^ mask]) + body[offset + 1 :]
            break
        offset -= len(body)
    return store


positions = st.floats(0, 1, exclude_max=True)
masks = st.integers(1, 255)


@settings(max_examples=800, deadline=None)
@given(positions, masks)
def test_any_changed_byte_of_a_small_archive_is_noticed(position: float, mask: int) -> None:
    """No byte of an archive can be changed such that the verdict is 0."""
    assert report(flipped("small", position, mask)).exit_code == 1


@settings(max_examples=40, deadline=None)
@given(positions, masks)
def test_any_changed_byte_of_a_tile_or_bundle_is_noticed(position: float, mask: int) -> None:
    """No byte of a tile or entry bundle can be changed such that the verdict is 0."""
    assert report(flipped("tall", position, mask)).exit_code == 1


def test_the_same_archives_unchanged_are_good() -> None:
    """It is the changed byte that is noticed, and nothing else."""
    assert report(flipped("small", 0, 0)).exit_code == 0
    assert report(flipped("tall", 0, 0)).exit_code == 0
