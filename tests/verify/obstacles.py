"""Things in an archive's directory that are no objects, each with the threat that it stands for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.verify.archive import Log
from tests.verify.attacks import KINDS, one_of

_SPARSE_BYTES = 10 * 10**9


@dataclass(frozen=True)
class Obstacle:
    """`put` takes the archive's root and the log; `verify` must then end with `exit_code`."""

    threat: str
    name: str
    put: Callable[[Path, Log], object]
    code: str
    exit_code: int = 1
    base: str = "small"

    def __str__(self) -> str:
        return f"{self.threat} {self.name}"


def _link(path: Path) -> None:
    copy = path.with_name(f"{path.name}.copy")
    path.rename(copy)
    path.symlink_to(copy)


def _link_outside(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _full_directory(path: Path) -> None:
    _directory(path)
    (path / "x").write_bytes(b"x")


def _endless(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(_SPARSE_BYTES)


_WAYS: dict[str, Callable[[Path], None]] = {
    "a link to a good copy": _link,
    "a link to a file outside": _link_outside,
    "a link to itself": _loop,
    "a pipe": _pipe,
    "a sparse file of 10 GB": _endless,
}


def _in_place_of(kind: str, way: Callable[[Path], None]) -> Callable[[Path, Log], None]:
    return lambda root, log: way(root / one_of(kind, log))


def _linked_place(place: str) -> Callable[[Path, Log], None]:
    def put(root: Path, log: Log) -> None:
        path = root / log.prefix / place
        aside = root.parent / f"{root.name}-{place}"
        shutil.move(path, aside)
        path.symlink_to(aside)

    return put


def _surrogates(root: Path, log: Log) -> None:
    name = os.fsencode(root / log.prefix / "manifest") + b"/\xff\xfe\x1b[31m"
    with open(name, "wb") as file:
        file.write(b"x")


OBSTACLES: list[Obstacle] = [
    *(
        Obstacle(
            "T22", f"{kind}: {name}", _in_place_of(kind, way),
            "data-unreadable" if kind in ("events", "findings") else "object-unreadable", 1, base,
        )
        for kind, (base, _) in KINDS.items()
        for name, way in _WAYS.items()
    ),
    Obstacle("T22", "log.note: a directory", _in_place_of("log.note", _full_directory),
             "object-unreadable"),
    Obstacle("T22", "manifest: a directory", _in_place_of("manifest", _full_directory),
             "object-stray"),
    Obstacle("T22", "events: a directory", _in_place_of("events", _full_directory),
             "data-unreadable"),
    Obstacle("T22", "manifest: an empty directory", _in_place_of("manifest", _directory),
             "manifest-missing", 4),
    *(
        Obstacle("T22", f"{place}: a link to another directory", _linked_place(place),
                 "object-stray")
        for place in ("manifest", "events", "checkpoint")
    ),
    Obstacle("T22", "a name that is not UTF-8, with escapes", _surrogates, "object-stray"),
]  # fmt: skip
