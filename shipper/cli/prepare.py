"""`prepare`: gives a daemon that is not root what it needs. Run once as root, before its start.

Changes owner, group and mode of the audit log and the spool's directory; reads no line and writes
none. Follows no link but the configured path.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from shipper import config as configuration
from shipper.audit.access import open_regular
from shipper.audit.siblings import list_siblings
from shipper.cli.options import config_option
from shipper.errors import ConfigError, SourceError

_GROUP_ENTERS, _GROUP_READS = 0o050, 0o040
_PRIVATE = 0o700


@click.command()
@config_option
@click.option("--user", type=int, required=True, metavar="UID", help="The daemon's user and group.")
@click.option("--group", type=int, metavar="GID", help="The group that may read the audit log.")
def prepare(config_path: Path, user: int, group: int | None) -> None:
    """Let a daemon that is not root write its spool and, with --group, read the audit log.

    The spool's directory becomes UID's. The audit log's directory, the live file and the rotated
    ones become GID's to read; kube-apiserver keeps that when it rotates. Needs root, or its user id
    and CAP_CHOWN. May be repeated. Exits 3 while there is no audit log yet.
    """
    config = configuration.load(config_path)
    try:
        if group is not None:
            _give_log(Path(config.source.path), group)
        _give_spool(Path(config.spool.path), user)
    except PermissionError as error:
        raise ConfigError(
            f"{error.filename or 'owner and mode'} cannot be changed: {error.strerror}",
            remedy="run it as root",
        ) from error


def _give_log(live: Path, group: int) -> None:
    with _directory(live.parent) as fd:
        _give(fd, group=group, rights=_GROUP_ENTERS)
    for path in (live, *(sibling.path for sibling in list_siblings(live))):
        found = open_regular(path, follow=path == live)
        if found is None and path == live:
            raise SourceError(
                f"there is no audit log at {live} yet",
                remedy="start the API server with --audit-log-path and --audit-policy-file,"
                " then try again",
            )
        if found is not None:
            with _closing(found) as file:
                _give(file, group=group, rights=_GROUP_READS)
    click.echo(f"ok: group {group} may read {live}")


def _give(fd: int, *, group: int, rights: int) -> None:
    os.fchown(fd, -1, group)
    os.fchmod(fd, stat.S_IMODE(os.fstat(fd).st_mode) | rights)


def _give_spool(spool: Path, user: int) -> None:
    spool.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    # A directory that is the daemon's already is closed even to root, if that has no capabilities.
    if os.stat(spool).st_uid != user:
        # What lies in it is of a daemon that was another user before. The directory changes last:
        # where this is cut short, it is done again.
        for _, folders, files, fd in os.fwalk(spool, topdown=False, onerror=_raise):
            for name in (*folders, *files):
                os.chown(name, user, user, dir_fd=fd, follow_symlinks=False)
        os.chown(spool, user, user)
    click.echo(f"ok: {spool} belongs to user {user}")


def _raise(error: OSError) -> None:
    raise error


@contextmanager
def _directory(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with _closing(fd):
        yield fd


@contextmanager
def _closing(fd: int) -> Iterator[int]:
    try:
        yield fd
    finally:
        os.close(fd)
