"""Opens files and lists directories of the audit log, and says whose move it is when it may not.

Never follows a link that is not the configured path itself, never opens anything but a regular
file, and cannot be made to wait by one.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from shipper.errors import SourceError

_MODES = (
    "kube-apiserver writes its log 0600 root:root in a 0700 directory; run as root, or chgrp file "
    "and directory to the group of this program and chmod them 0640 and 0750 (both survive "
    "rotation), or grant the capability CAP_DAC_READ_SEARCH"
)


def source_error(path: Path, error: OSError) -> SourceError:
    """The error a person reads when the system refused `path`."""
    reason = error.strerror or str(error)
    if isinstance(error, PermissionError):
        return SourceError(f"cannot read {shown(path)}: {reason}", remedy=_MODES)
    return SourceError(
        f"cannot read {shown(path)}: {reason}", remedy="check the disk and the path of the log"
    )


def shown(path: Path) -> str:
    """A path as valid UTF-8 text: no file name may keep a record from being written."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")[:4096]


def open_regular(path: Path, *, follow: bool) -> int | None:
    """A descriptor of the regular file at `path`; None if there is none (it may have just gone).

    `follow` is for the configured path alone: a rotated file is never a link, so a link among them
    is somebody's attempt to have another file archived.
    """
    # O_NONBLOCK: opening a FIFO for reading would otherwise wait for a writer for ever.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    if not follow:
        flags |= os.O_NOFOLLOW
        found = stat_of(path, follow=False)
        if found is None or not stat.S_ISREG(found.st_mode):
            return None
    try:
        fd = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            return None
        raise source_error(path, error) from error
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    if not follow:
        return None
    raise SourceError(
        f"{shown(path)} is not a regular file",
        remedy="set source.path to the file that --audit-log-path names",
    )


def stat_of(path: Path, *, follow: bool) -> os.stat_result | None:
    """The file's stat; None if it does not exist."""
    try:
        return os.stat(path, follow_symlinks=follow)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise source_error(path, error) from error


def identity_of(path: Path, *, follow: bool = False) -> tuple[int, int] | None:
    """Device and inode of what `path` names; None if it does not exist."""
    found = stat_of(path, follow=follow)
    return (found.st_dev, found.st_ino) if found is not None else None


def names_of_files(directory: Path) -> list[str]:
    """The names of the regular files in `directory`; none if it does not exist (yet)."""
    try:
        with os.scandir(directory) as entries:
            return [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise source_error(directory, error) from error
