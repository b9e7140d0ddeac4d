"""The write-once directory: crashes, refusals, and what an attacker may have laid there."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import get_args

import pytest

from shipper.errors import ConflictError, FormatError, StoreError
from shipper.store import directory
from shipper.store.directory import DirectoryStore
from tests.faults import Crash, Fault, FaultyDisk


def test_objects_are_read_only(tmp_path: Path) -> None:
    """An object is left with mode 0444, and nothing but objects is left."""
    DirectoryStore(tmp_path).put("a/b", b"x")
    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o444
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_step_may_fail(tmp_path: Path, fault: Fault) -> None:
    """After any step stops or refuses, the object is whole or absent, and a repeat completes it."""
    step = 0
    while True:
        root = tmp_path / f"{fault}-{step}"
        disk = FaultyDisk(step, fault)
        returned = False
        try:
            DirectoryStore(root, disk=disk).put("a/b/c", b"the body")
            returned = True
        except (Crash, StoreError):
            pass
        if not disk.reached:
            break
        there = (root / "a/b/c").exists()
        assert there or not returned
        assert not there or (root / "a/b/c").read_bytes() == b"the body"
        again = DirectoryStore(root)
        again.put("a/b/c", b"the body")
        assert [entry.key for entry in again.scan("")] == ["a/b/c"]
        assert [p.name for p in (root / "a/b").iterdir()] == ["c"]
        step += 1
    assert step >= 5


def test_immutable_objects_cannot_be_deleted(tmp_path: Path) -> None:
    """With `immutable` even root is refused the deletion until the flag is taken off."""
    store = DirectoryStore(tmp_path, immutable=True)
    try:
        store.put("a", b"x")
    except StoreError as error:
        pytest.skip(f"this file system or user cannot set the flag: {error}")
    try:
        with pytest.raises(PermissionError):
            (tmp_path / "a").unlink()
        store.put("a", b"x")
        with pytest.raises(ConflictError):
            store.put("a", b"y")
    finally:
        subprocess.run(["chattr", "-i", tmp_path / "a"], check=True)


def test_immutable_that_cannot_be_had_is_said() -> None:
    """Where the flag cannot be set the put fails with the remedy instead of pretending."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        store = DirectoryStore(Path(folder), immutable=True)
        try:
            store.put("a", b"x")
        except StoreError as error:
            assert "CAP_LINUX_IMMUTABLE" in str(error)  # noqa: PT017 either answer is right
        else:
            subprocess.run(["chattr", "-i", Path(folder) / "a"], check=True)


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/"])
def test_keys_cannot_leave_the_directory(tmp_path: Path, key: str) -> None:
    """A key is a plain relative path or it is refused."""
    store = DirectoryStore(tmp_path / "archive")
    with pytest.raises(StoreError):
        store.put(key, b"x")
    with pytest.raises(StoreError):
        store.get(key, max_bytes=9)


def test_links_and_pipes_are_not_objects(tmp_path: Path) -> None:
    """A symbolic link is not followed and a pipe does not hang the reader."""
    store = DirectoryStore(tmp_path)
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for key in ("link", "pipe", "folder"):
        with pytest.raises(FormatError, match="not a regular file"):
            store.get(key, max_bytes=10_000)
    assert {entry.key for entry in store.scan("")} == {"link", "pipe"}


def test_a_store_that_is_not_writable_says_why(tmp_path: Path) -> None:
    """The error names the key, the store and the system's reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"a/b could not be written to file://.*File exists"):
        DirectoryStore(tmp_path / "file").put("a/b", b"x")


def test_listing_a_huge_directory_is_paged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More names than a page holds come in order, each once."""
    monkeypatch.setattr(directory, "LIST_PAGE", 7)
    store = DirectoryStore(tmp_path)
    keys = [f"m/{n:03d}" for n in range(50)] + ["m/020.d/x", "m/020.d/y"]
    for key in keys:
        store.put(key, b"x")
    assert [entry.key for entry in store.scan("m/")] == sorted(keys)


def test_a_very_deep_tree_does_not_exhaust_the_stack(tmp_path: Path) -> None:
    """A listing ends somewhere, and says where it stopped."""
    here = tmp_path
    for _ in range(200):
        here /= "d"
    here.mkdir(parents=True)
    (here / "object").write_bytes(b"x")
    (entry,) = DirectoryStore(tmp_path).scan("")
    assert entry.key.startswith("d/d/d/")
