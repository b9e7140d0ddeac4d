"""What can go wrong, and whose move it is.

ShipperError                    every error that reaches a person; has an exit code and a remedy
├── ConfigError            2    the configuration, a key file or the command line is wrong
├── SourceError            3    the audit log cannot be read
├── SpoolError             3    the spool is damaged, foreign or in use
├── StoreError             3    the store did not do what was asked; the same call may succeed later
│   ├── RefusedError            it will not, until a person has done something
│   ├── NotFoundError           there is no such object
│   ├── UnknownError            it does not say what was asked: neither yes nor no is proved
│   └── ConflictError           the key holds other bytes: repeating can not help, ever
├── TellError              3    a receiver of alerts cannot be told before a person has acted
└── FormatError            1    bytes that are not what the record format says
    └── VersionError       3    a record of a format version that this program does not know
"""

from __future__ import annotations

from typing import ClassVar


class ShipperError(Exception):
    """An error with one clear line for the person who reads it.

    `remedy` says what to do now; it is printed after the message.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class ConfigError(ShipperError):
    """The configuration, a key file or the command line is wrong: a person's move."""

    exit_code = 2


class SourceError(ShipperError):
    """The audit log is there but cannot be read."""


class SpoolError(ShipperError):
    """The spool is damaged, belongs to another log, or is in use."""


class StoreError(ShipperError):
    """The store did not do what was asked. The same call may be repeated later.

    `code` is the service's short name for what is wrong, or the network's; empty if there is none.
    """

    code: str = ""


class RefusedError(StoreError):
    """The store refuses: credentials, permissions or settings are wrong, and a person's to mend."""


class UnknownError(StoreError):
    """The store does not say what was asked; neither yes nor no is proved."""


class NotFoundError(StoreError):
    """There is no such object in the store."""


class ConflictError(StoreError):
    """The key already holds other bytes. Nothing was changed, and repeating can not help."""


class TellError(ShipperError):
    """A receiver of alerts cannot be told as it is configured: a file, a secret, an answer."""


class FormatError(ShipperError):
    """Bytes that are not what the record format says they are."""

    exit_code = 1


class VersionError(FormatError):
    """A record of a format version that this program does not know."""

    exit_code = 3
