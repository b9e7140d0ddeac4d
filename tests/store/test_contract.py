"""What every store must do. A new store is added to `make_store` and passes, or is no store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shipper.errors import ConflictError, FormatError, NotFoundError
from shipper.store.base import Store
from shipper.store.directory import DirectoryStore
from shipper.store.memory import MemoryStore

MAKERS: dict[str, Callable[[Path], Store]] = {
    "directory": lambda path: DirectoryStore(path / "archive"),
    "memory": lambda path: MemoryStore(),
}


@pytest.fixture(params=MAKERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MAKERS[request.param](tmp_path)


def test_what_was_put_is_got(store: Store) -> None:
    """The bytes come back, and only they."""
    store.put("a/b/c", b"body")
    assert store.get("a/b/c", max_bytes=4) == b"body"


def test_an_empty_object_is_an_object(store: Store) -> None:
    """No bytes are bytes too."""
    store.put("a", b"")
    assert store.get("a", max_bytes=0) == b""


def test_the_same_bytes_again_are_done(store: Store) -> None:
    """A repeated put, as after a lost acknowledgement, is a success."""
    store.put("a/b", b"body")
    store.put("a/b", b"body")
    assert [entry.key for entry in store.scan("")] == ["a/b"]


@pytest.mark.parametrize("other", [b"bodY", b"bod", b"body!", b""])
def test_other_bytes_are_refused(store: Store, other: bytes) -> None:
    """A key holds its first bytes for good."""
    store.put("a/b", b"body")
    with pytest.raises(ConflictError, match="a/b"):
        store.put("a/b", other)
    assert store.get("a/b", max_bytes=9) == b"body"


def test_a_missing_object_is_said(store: Store) -> None:
    """`NotFoundError` names the key."""
    with pytest.raises(NotFoundError, match="a/b"):
        store.get("a/b", max_bytes=9)


def test_no_more_is_read_than_was_asked(store: Store) -> None:
    """An object that is longer than it may be is refused, not read."""
    store.put("a", b"12345")
    with pytest.raises(FormatError, match="more than 4"):
        store.get("a", max_bytes=4)


def test_scan_is_in_order_of_keys(store: Store) -> None:
    """Directories sort as object stores sort them, with their slash."""
    keys = ["m/1", "m/10", "m/2.x", "m/2/a", "m/2/b/c", "m/3", "n/1"]
    for key in reversed(keys):
        store.put(key, b"x")
    assert [entry.key for entry in store.scan("m/")] == sorted(k for k in keys if k < "n")
    assert [entry.size for entry in store.scan("n/")] == [1]


@pytest.mark.parametrize(
    "after", ["", "m", "m/1", "m/2", "m/2/", "m/2/a", "m/2/b/", "m/2/zz", "m/3", "z"]
)
def test_scan_goes_on_after_a_key(store: Store, after: str) -> None:
    """Exactly the keys beyond `after` are listed, wherever it falls."""
    keys = ["m/1", "m/10", "m/2.x", "m/2/a", "m/2/b/c", "m/3"]
    for key in keys:
        store.put(key, b"x")
    assert [e.key for e in store.scan("m/", after=after)] == sorted(k for k in keys if k > after)


def test_scan_of_nothing_is_empty(store: Store) -> None:
    """A prefix without objects is no error."""
    assert list(store.scan("nothing/")) == []
    assert store.children("nothing/") == []
    assert store.last("nothing/") is None


def test_children_and_last(store: Store) -> None:
    """One level below a prefix: the names, and the greatest key."""
    for key in ("a/b/1", "a/c/1", "a/c/2", "a/z"):
        store.put(key, b"x")
    assert store.children("a/") == ["b", "c"]
    assert store.children("") == ["a"]
    last = store.last("a/c/")
    assert last is not None
    assert last.key == "a/c/2"
